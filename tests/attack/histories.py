"""Histories: drawn at random, run, shrunk, and written as a test that can be pasted."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.attack.ending import finish
from tests.attack.fates import HONEST
from tests.attack.findings import Finding
from tests.attack.lies import FATES, LIES
from tests.attack.machine import Attack
from tests.attack.setup import Setup

Values = Mapping[str, Any]
Step = tuple[str, dict[str, Any]]
MINORS = (10100, 4000, 1, 6100, 10150, 20200)
COMPONENTS = ("principal", "interest", "penalty", "fee")
WHERE: Values = {"loan": (0, 1, 2), "number": (0, 0, 1, 2)}
PICK: Values = {"pick": (0, 1, 2, 3)}
VERBS: Mapping[str, tuple[int, Values]] = {
    "drive": (30, WHERE),
    "news": (14, PICK),
    "burst": (8, {"seed": tuple(range(12))}),
    "days": (10, {"days": (1, 1, 2, 3, 5, 9)}),
    "wait": (6, {"hours": (1, 9, 30, 100)}),
    "roll": (3, {}),
    "ask": (5, {**WHERE, "hours": (0, 1, 5, 30)}),
    "again": (4, PICK),
    "lose": (2, PICK),
    "give_back": (
        10,
        {
            **PICK,
            "part": ("whole", "whole", "half", "little"),
            "news": ("both", "line", "both"),
            "ref": ("own", "none", "strange"),
            "line": ("order", "order", "mandate", "none"),
            "fee": ("none", "none", "apart", "inside"),
            "code": ("AM04", "MD06"),
        },
    ),
    "pay": (
        9,
        {
            **WHERE,
            "minor": MINORS,
            "ago": (0, 0, 1, 5, 40),
            "how": ("recorded", "later", "line", "unnamed", "charged", "netted"),
            "fee": (0, 0, 50),
            "ref": ("own", "own", "own", "own", "same", "ours"),
            "also": ("no", "no", "half", "due"),
        },
    ),
    "return_transfer": (2, PICK),
    "stray": (2, {"minor": (7777, -7777, 50)}),
    "batch": (2, {}),
    "renew": (1, PICK),
    "mute": (1, {}),
    "hold": (2, {**WHERE, "what": ("debit", "all", "contact")}),
    "unhold": (2, WHERE),
    "retry": (3, WHERE),
    "cancel": (2, WHERE),
    "write_off": (2, WHERE),
    "change_date": (2, {**WHERE, "days": (0, 1, 10)}),
    "waive": (5, {**WHERE, "component": COMPONENTS, "minor": (10**6, 1000, 1)}),
    "charge": (2, {**WHERE, "minor": (500, 1)}),
    "match": (1, {**PICK, **WHERE, "payment": (0, 1, 2)}),
    "undo": (2, PICK),
    "withdraw": (2, PICK),
    "take_case": (2, PICK),
    "note_case": (1, PICK),
    "put_aside": (1, {**PICK, "days": (1, 5, 30)}),
    "resolve_case": (2, {**PICK, "how": ("corrected", "no_fault")}),
    "reopen_case": (1, PICK),
    "transfer_case": (1, {**PICK, "to": ("settlement", "operations", "nobody")}),
    "sweep_cases": (2, {}),
}
"""How often each step is drawn, and the values of its arguments, the plainest first."""
MOODS: tuple[tuple[str, ...], ...] = (
    (),
    ("pay", "waive", "days", "charge", "change_date"),
    ("give_back", "burst", "news", "ask"),
    ("pay", "withdraw", "undo", "write_off", "cancel", "return_transfer"),
)
"""Steps that a history is full of: penalty and value dates, returns, people."""
LONGEST = 12
LINE = 180


@dataclass(frozen=True, slots=True)
class History:
    """A set-up and the steps that are taken on it, as plain data."""

    setup: Setup
    steps: tuple[Step, ...]

    @classmethod
    def drawn(
        cls, seed: int, *, lies: bool = False, avoid: frozenset[str] = frozenset()
    ) -> "History":
        """A short history at random, the same for the same seed.

        `avoid` names steps, fates and other values that are not drawn.
        """
        dice = Random(seed)
        fates = [*list(HONEST)[:4], *HONEST, *(LIES if lies else ())]
        fates = [fate for fate in fates if fate not in avoid]
        names = [name for name in VERBS if name not in avoid]
        mood = dice.choice(MOODS)
        weights = [VERBS[name][0] * (4 if name in mood else 1) for name in names]
        steps: list[Step] = [
            ("days", {"days": dice.choice((8, 1, 5))}),
            _step("drive", dice, fates, avoid),
        ]
        more = dice.choices(names, weights, k=dice.randrange(2, LONGEST))
        steps.extend(_step(name, dice, fates, avoid) for name in more)
        return cls(Setup.drawn(dice), tuple(steps))

    @classmethod
    def read(cls, text: Mapping[str, Any]) -> "History":
        """A history from plain data."""
        steps = tuple((name, dict(values)) for name, values in text["steps"])
        return cls(Setup(**text["setup"]), steps)

    @property
    def plain(self) -> dict[str, Any]:
        """The history as plain data."""
        return {"setup": self.setup.said, "steps": [list(step) for step in self.steps]}

    def run(self) -> Attack:
        """Take every step and let it end; a broken rule is raised as a `Finding`."""
        attack = Attack(self.setup)
        self.run_on(attack)
        return attack

    def run_on(self, attack: Attack) -> None:
        """Take every step on an attack, then end it."""
        for name, values in self.steps:
            attack.trace.append(f"attack.{_call(name, values)}")
            getattr(attack, name)(**values)
        finish(attack)

    def finding(self) -> Finding | None:
        """What running it finds."""
        try:
            self.run()
        except Finding as found:
            return found
        return None


def _step(name: str, dice: Random, fates: Sequence[str], avoid: frozenset[str]) -> Step:
    values = {
        key: dice.choice([value for value in several if value not in avoid] or several[:1])
        for key, several in VERBS[name][1].items()
    }
    if name == "drive":
        values["fate"] = dice.choice(fates)
    return name, values


def _call(name: str, values: Values) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in values.items())})"


def shrunk(history: History, rule: str) -> History:
    """The shortest and plainest history near this one that breaks the same rule."""

    def fails(other: History) -> bool:
        found = other.finding()
        return found is not None and found.rule == rule

    best = history
    while True:
        better = next((other for other in _smaller(best) if fails(other)), None)
        if better is None:
            return best
        best = better


def _smaller(history: History) -> Iterator[History]:
    """Histories that are a little smaller: fewer steps first, then plainer terms and values."""
    steps = history.steps
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps) - size + 1, size):
            yield History(history.setup, steps[:start] + steps[start + size :])
        size //= 2
    for setup in history.setup.simpler():
        yield History(setup, steps)
    for index, (name, values) in enumerate(steps):
        for plainer in _plainer(name, values):
            yield History(history.setup, (*steps[:index], (name, plainer), *steps[index + 1 :]))


def _plainer(name: str, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in values.items():
        several = tuple(FATES) if key == "fate" else VERBS[name][1][key]
        known = list(dict.fromkeys(several))
        place = known.index(value) if value in known else len(known)
        for other in known[:place]:
            yield {**values, key: other}


def script(history: History, rule: str) -> str:
    """The history as a test that can be pasted, and what was answered to each command."""
    attack = Attack(history.setup)
    text = ""
    try:
        history.run_on(attack)
    except Finding as found:
        text = str(found)
    terms = ", ".join(f"{key}={value!r}" for key, value in history.setup.said.items())
    lines = [
        f"def test_{rule.replace('.', '_')}() -> None:",
        f'    """{text}."""',
        f"    attack = Attack(Setup({terms}))",
        *(f"    attack.{_call(name, values)}" for name, values in history.steps),
        "    finish(attack)",
        "",
        f"# as data: {json.dumps(history.plain)}",
        *(f"#   {line[:LINE]}" for line in attack.reported),
        f"#   {text}",
    ]
    return "\n".join(lines)


def search(
    seeds: range, *, lies: bool, until: Callable[[], bool] = lambda: False
) -> Iterator[tuple[int, History, Finding]]:
    """Run the histories of many seeds; those that find something, with what they found."""
    for seed in seeds:
        if until():
            return
        history = History.drawn(seed, lies=lies)
        if (found := history.finding()) is not None:
            yield seed, history, found
