"""How every benchmark measures: contestants in turns, medians with their range, CPU by process.

Two programs on one machine disturb each other and the machine drifts, so contestants are never run
one block after the other: each round runs all of them, beginning with another one every time, and
only results of the same round are compared. A result whose check fails counts as a rate of zero.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with the least and the greatest value."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{figure(self.median)} ({figure(self.low)} to {figure(self.high)})"


@dataclass(slots=True)
class Sample:
    """One run of one contestant.

    Attributes:
        units: pieces of work done.
        seconds: wall time of the measured part.
        cpu: CPU seconds of the measured part by process.
        more: further figures by name; the median over the rounds is shown.
        wrong: why the result does not count; empty when its check passed.
    """

    units: float
    seconds: float
    cpu: dict[str, float] = field(default_factory=dict)
    more: dict[str, float] = field(default_factory=dict)
    wrong: str = ""

    @property
    def rate(self) -> float:
        """Units a second; zero when the result is wrong."""
        return 0.0 if self.wrong else self.units / self.seconds

    @property
    def work(self) -> float:
        """CPU seconds of a unit, of all processes."""
        return sum(self.cpu.values()) / self.units


Run = Callable[[], Awaitable[Sample]]
Round = dict[str, Sample]


async def rounds(
    contestants: Mapping[str, Run], count: int, say: Callable[[str], None]
) -> list[Round]:
    """Run all contestants `count` times in turns; each round begins with another one."""
    names = list(contestants)
    done: list[Round] = []
    for index in range(count):
        first = index % len(names)
        samples: Round = {}
        for name in names[first:] + names[:first]:
            gc.collect()
            sample = samples[name] = await contestants[name]()
            say(f"round {index + 1}: {name}: {figure(sample.rate)} a second {sample.wrong}")
        done.append(samples)
    return done


def rates(done: Sequence[Round], name: str) -> Spread:
    """Units a second of one contestant."""
    return Spread.of([samples[name].rate for samples in done])


def ratio(done: Sequence[Round], name: str, to: str) -> Spread:
    """How many times as fast as `to`, compared within each round; zero where either was wrong."""
    pairs = [(samples[name].rate, samples[to].rate) for samples in done]
    return Spread.of([mine / theirs if theirs else 0.0 for mine, theirs in pairs])


def effort(done: Sequence[Round], name: str, to: str) -> Spread:
    """How many times the CPU of `to` a unit takes, compared within each round.

    Who else is at work on the machine changes this little, and wall time a lot.
    """
    pairs = [(samples[name].work, samples[to].work) for samples in done]
    return Spread.of([mine / theirs if theirs else 0.0 for mine, theirs in pairs])


def summary(done: Sequence[Round], base: str, unit: str) -> list[Row]:
    """One row for each contestant: its rate, its ratio to `base`, CPU of a unit by process."""
    samples = [sample for round_ in done for sample in round_.values()]
    cpus = dict.fromkeys(key for sample in samples for key in sample.cpu)
    others = dict.fromkeys(key for sample in samples for key in sample.more)
    return [
        {
            "contestant": name,
            f"{unit} a second": rates(done, name),
            f"times {base}": ratio(done, name, base),
            f"CPU, times {base}": effort(done, name, base),
            **{
                f"CPU ms a {unit.removesuffix('s')}, {key}": _median(
                    [1000 * s[name].cpu.get(key, 0.0) / s[name].units for s in done]
                )
                for key in cpus
            },
            **{key: _plain_or_spread([s[name].more.get(key, 0.0) for s in done]) for key in others},
        }
        for name in done[0]
    ]


def wrongs(done: Sequence[Round]) -> list[str]:
    """What was wrong, with whose result it was."""
    return [
        f"{name}, round {index + 1}: {sample.wrong}"
        for index, samples in enumerate(done)
        for name, sample in samples.items()
        if sample.wrong
    ]


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@dataclass(slots=True)
class Stretch:
    """What a measured block took; filled in at its end."""

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)


@contextmanager
def stretch() -> Iterator[Stretch]:
    """Measure a block: wall seconds, and CPU seconds of this process and all below it."""
    took, before, began = Stretch(), cpu_seconds(), time.perf_counter()
    try:
        yield took
    finally:
        took.seconds = time.perf_counter() - began
        after = cpu_seconds()
        took.cpu = {name: spent - before.get(name, 0.0) for name, spent in after.items()}


def cpu_seconds() -> dict[str, float]:
    """CPU seconds so far, user and system: of this process, and of each child with all below."""
    me = psutil.Process()
    own = me.cpu_times()
    found = {"ours": own.user + own.system}
    for child in me.children():
        try:
            name = _program(child)
            found[name] = found.get(name, 0.0) + _with_children(child)
        except psutil.NoSuchProcess:
            continue
    return found


def _with_children(process: psutil.Process) -> float:
    spent = process.cpu_times()
    live = [_with_children(child) for child in process.children()]
    return float(sum((spent.user, spent.system, spent.children_user, spent.children_system, *live)))


def _program(process: psutil.Process) -> str:
    """The program by its own name; a Python module by its module's."""
    words = process.cmdline()
    if "-m" in words:
        return str(words[words.index("-m") + 1])
    return Path(words[0]).name.partition("-")[0] if words else "?"


# --- printing ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Report:
    """What a benchmark prints, kept for `--json`. `quick`: a small run that only shows it works."""

    name: str
    quick: bool = False
    pairs: int = 5
    tables: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    samples: dict[str, list[Round]] = field(default_factory=dict)

    def size(self, full: int, quick: int) -> int:
        """An amount of work: all of it, or little."""
        return quick if self.quick else full

    @property
    def rounds(self) -> int:
        """How often each contestant is run."""
        return 1 if self.quick else self.pairs

    def say(self, line: str) -> None:
        """Tell how far it is."""
        sys.stderr.write(f"  {line}\n")
        sys.stderr.flush()

    def note(self, line: str) -> None:
        """Tell a fact that belongs to the figures."""
        self.notes.append(line)
        sys.stdout.write(f"{line}\n")

    def table(self, title: str, rows: Sequence[Row]) -> None:
        """Print a table and keep it."""
        self.tables.append({"title": title, "rows": [dict(row) for row in rows]})
        sys.stdout.write(f"\n{title}\n\n{markdown(rows)}\n")
        sys.stdout.flush()

    def match(self, title: str, done: Sequence[Round], base: str, unit: str) -> None:
        """Print what contestants did in turns, and keep what was wrong."""
        self.table(f"{title}, {len(done)} rounds", summary(done, base, unit))
        self.samples[title] = list(done)
        self.wrong += wrongs(done)

    def save(self, path: Path, machine: Mapping[str, str]) -> None:
        """Write everything as JSON."""
        content = {
            "benchmark": self.name,
            "machine": dict(machine),
            "notes": self.notes,
            "tables": self.tables,
            "samples": self.samples,
            "wrong": self.wrong,
        }
        path.write_text(json.dumps(content, indent=2, default=_plain) + "\n", encoding="utf-8")


def markdown(rows: Sequence[Row]) -> str:
    """Rows with the same keys as a table of Markdown."""
    if not rows:
        return "(nothing)\n"
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([_cell(row[name]) for name in head] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def memory_times(done: Sequence[Round], name: str, to: str) -> Spread:
    """How many times the memory of `to`, at its most, a contestant took, within each round."""
    key = "MiB most"
    return Spread.of([samples[name].more[key] / samples[to].more[key] for samples in done])


def figure(value: float) -> str:
    """A number as people read it: three digits that count, whole ones in full."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cell(value: object) -> str:
    return figure(value) if isinstance(value, int | float) else str(value)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _plain_or_spread(values: Sequence[float]) -> float | Spread:
    """A figure that is the same in every round needs no range."""
    spread = Spread.of(values)
    return spread.median if spread.low == spread.high else spread
