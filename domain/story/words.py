"""Puts the events of a story into words: who did what and when, and what it changed."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from itertools import groupby
from typing import assert_never

from domain.ledger.accounts import REPORTED, family
from domain.money import decimal_text
from domain.story.english import ASKED, COMMANDS, ENTRIES, IN_PART, MOVES
from domain.story.events import Effect, LeftNothing, Moved, Posted, RefusedBy, StoryEvent
from domain.text import instant_text

SILENT = frozenset({"direct_settlement", "passed_on_before"})
"""Entries that repeat what another effect of the same command says."""
_DULL = frozenset(
    {"roll_day", "review", "intend_debit", "renew_send", "begin_leg", "record_leg_news"}
)
"""Commands of the machine that are left out when they changed nothing."""
_MACHINE = frozenset({"workflow", "system"})
_AMOUNT = re.compile(r"\d+(?:\.\d+)?(?= [A-Z]{3}\b)")
_PLAIN = re.compile(
    r"(#\d+ )?(penalty of \S+ [A-Z]{3} was added|nothing (new|changed).*)", re.DOTALL
)
"""Effects that a machine repeats for weeks: a run of them becomes one event."""


@dataclass(frozen=True, slots=True)
class EventText:
    """An event in words.

    Attributes:
        at: the time in the zone of the story, with its offset; of a run, from when to when.
        number: the installment, None where it is about several or none.
        what: what the command is called.
        effects: a sentence for each.
    """

    at: str
    number: int | None
    what: str
    actor: str
    approver: str
    reason: str
    command: str
    command_id: str
    effects: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield a line that says when, what and who; then an indented line for each effect."""
        about = f"#{self.number} " if self.number is not None else ""
        yield f"{self.at}  {about}{self.what}{self._by()}"
        for effect in self.effects:
            yield f"    {effect}"

    def _by(self) -> str:
        """Who, approved by whom, under which id and why; the machine's own ids are left out."""
        text = f", by {self.actor}"
        if self.approver:
            text += f", approved by {self.approver}"
        if self._is_machine:
            return text
        reason = f": {self.reason}" if self.reason else ""
        return f"{text} (id {self.command_id}){reason}"

    @property
    def _is_machine(self) -> bool:
        return self.actor.partition("/")[0] in _MACHINE

    @property
    def is_plain(self) -> bool:
        """Whether it may be put in a run with others that are alike."""
        return self._is_machine and all(_PLAIN.fullmatch(text) for text in self.effects)


def in_words(events: Iterable[StoryEvent], zone: tzinfo, currency: str) -> Iterator[EventText]:
    """Yield the events that are worth showing in words, in order; `currency`: of the loan."""
    for event in events:
        numbers = {effect.number for effect in event.effects}
        texts = tuple(
            _led(text, effect.number if len(numbers) > 1 else None)
            for effect in event.effects
            if (text := sentence_of(effect, event, currency))
        )
        if not texts and event.command in _DULL:
            continue
        yield EventText(
            at=instant_text(event.at, zone),
            number=numbers.pop() if len(numbers) == 1 else None,
            what=_named(event.command, event.command_id),
            actor=event.actor,
            approver=event.approver,
            reason=event.reason,
            command=event.command,
            command_id=event.command_id,
            effects=texts or ("nothing changed",),
        )


def runs(every: Iterable[EventText]) -> Iterator[EventText]:
    """Yield events, those in a row that differ in nothing but time and amount as one.

    Such a run says from when to when, how often, and the sum of its amounts.
    """
    for _, group in groupby(enumerate(every), key=lambda item: _alike(*item)):
        members = [text for _, text in group]
        first, last = members[0], members[-1]
        if len(members) == 1:
            yield first
            continue
        effects = (
            _sum_of([text.effects[place] for text in members])
            for place in range(len(first.effects))
        )
        yield replace(
            first,
            at=f"{first.at} to {last.at}",
            what=f"{first.what}, {len(members)} times",
            effects=tuple(effects),
        )


def sentence_of(effect: Effect, event: StoryEvent, currency: str) -> str:
    """One effect in words; empty where another one says the same, or there is nothing to say."""
    match effect:
        case Moved():
            return _move(effect, currency)
        case Posted():
            return "" if effect.event in SILENT else _entry(effect)
        case RefusedBy(_, rule, why):
            return f"refused by rule {rule}: {why}"
        case LeftNothing(_, note):
            if not event.command.startswith("record_") or not note:
                return ""
            return f"nothing new: {note.replace('_', ' ')}{_in_brackets(event.reason)}"
        case _:
            assert_never(effect)


def _move(moved: Moved, currency: str) -> str:
    what, detail = moved.event, moved.detail
    if what == "sent_again":
        return f"order {moved.order_no} was sent again"
    if what == "put_in_file":
        return f"order {moved.order_no} was put in file {detail}"
    if moved.order_no:
        if moved.target == "INTENDED" and detail:
            minor, _, why = detail.partition(" ")
            detail = f"{decimal_text(int(minor), currency)} {currency} {why}".strip()
        state = moved.target.lower().replace("_", " ")
        return f"order {moved.order_no}: {state}{_in_brackets(detail)}"
    if what == "fell_due":
        return ""
    text = MOVES.get(what, what.replace("_", " "))
    if what in IN_PART and detail.startswith("paid in part"):
        text = IN_PART[what]
    plain = moved.source == moved.target or moved.target.islower() or what.startswith("case_")
    shown = "" if plain else f" [{moved.target}]"
    return f"{text}{shown}{_in_brackets(detail)}"


def _entry(entry: Posted) -> str:
    """An entry's sentence, with the totals of its postings by kind of account."""
    sums: defaultdict[str, int] = defaultdict(int)
    for posting in entry.postings:
        kind = family(posting.account)
        sums["clearing" if kind in REPORTED else kind] += posting.minor
    currency = entry.postings[-1].currency
    amounts = {
        kind: f"{decimal_text(abs(sums[kind]), currency)} {currency}"
        for kind in ("owed", "clearing", "bank", "advance", "paying", "payable", "receivable")
    }
    paid = f", {amounts['owed']} of what was owed is paid" if sums["owed"] else ""
    again = f"; {amounts['owed']} is owed again" if sums["owed"] else ""
    if (waits := -sums["suspense"]) > 0:
        paid += f", {decimal_text(waits, currency)} {currency} waits"
    words = ENTRIES.get(entry.event, entry.event.replace("_", " "))
    text = words.format(**amounts, paid=paid, again=again)
    named = [f"payment {name}" for name in entry.payments]
    named += [f"bank line {name}" for name in entry.lines]
    return f"{text} ({', '.join(named)})" if named else text


def _named(kind: str, command_id: str) -> str:
    """What a command is called; an outcome by whether the rail reported, answered or was asked."""
    run = command_id.split("/")[2:3] if kind == "record_outcome" else []
    if run and command_id.startswith("outcome/") and run[0] in ASKED:
        return ASKED[run[0]]
    return COMMANDS.get(kind, kind.replace("_", " "))


def _led(text: str, number: int | None) -> str:
    """A sentence, led by its installment where a command touched several."""
    return text if number is None else f"#{number} {text}"


def _in_brackets(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _alike(place: int, event: EventText) -> tuple[object, ...]:
    """What the events of a run have in common; an event that is never in a run stands alone."""
    if not event.is_plain:
        return (place,)
    shapes = tuple(_AMOUNT.sub("", text) for text in event.effects)
    return (event.what, event.number, event.actor, shapes)


def _sum_of(alike: Sequence[str]) -> str:
    """A sentence for many that differ in one amount at most."""
    amounts = [Decimal(found[0]) for text in alike if (found := _AMOUNT.search(text))]
    return _AMOUNT.sub(f"{sum(amounts):f}", alike[0]) + (" in all" if amounts else "")
