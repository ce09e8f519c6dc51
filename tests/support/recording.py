"""Books that tell what every decision does, to the last field: text for people to compare.

A command is a heading with the UTC instant; below it the answer, the journal (`~`), entries (`$`),
cases (`!`), messages (`>`) and every field of loans, payments and lines that changed (`=`). Fields
that hold their default are left out, and so are days on which nothing happens.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from domain.case.case import Case
from domain.kernel.change import Answer, Refusal, Transition
from domain.kernel.message import Message
from domain.kernel.subject import Subject
from domain.ledger.entry import Entry, Posting
from domain.loan import closure
from domain.loan.change import Change
from domain.loan.product import Product
from domain.pricing.amounts import Amounts
from tests.support.doors import AnyCommand, RollDay
from tests.support.memory import MemoryBooks

_UNSAID = frozenset({"id", "actor", "kind", "product"})
_QUIET_DAY = 3
"""Lines of a day that only became another day: the answer, the version, the day."""


@dataclass
class RecordingBooks(MemoryBooks):
    """Memory books that keep a text of all that happened."""

    lines_written: list[str] = field(default_factory=list)

    def apply(self, command: AnyCommand, *, from_driver: bool = False) -> Change | Refusal:
        """Apply, and tell it."""
        before = {**self.loans, **self.payments, **self.lines}
        change = super().apply(command, from_driver=from_driver)
        changed = [
            f"= {line}"
            for line in _differences("", before, {**self.loans, **self.payments, **self.lines})
        ]
        reported = [*_reported(change), *changed]
        if not (isinstance(command, RollDay) and len(reported) <= _QUIET_DAY):
            self.lines_written.append(f"{short(self.at)} {short(command)}")
            self.lines_written += [f"    {line}" for line in reported]
        return change

    def lacks(self) -> Iterator[str]:
        """What each installment lacks now to be released and closed."""
        for loan in self.loans.values():
            for item in loan.installments:
                for lack in closure.missing(loan, item, self.cases, self.rules, self.at):
                    name = f"{loan.id}/{item.number} {lack.gate}, {lack.code}"
                    yield f"{name}: {lack.text} ({lack.who})"


def _reported(change: Change | Refusal) -> Iterator[str]:
    if isinstance(change, Refusal):
        yield f"refused, {change.rule}: {change.reason}"
        return
    about = f" about {change.subject.key}" if change.subject else ""
    known: Answer | None = change.answer
    yield f"{'known already' if known is None else short(known)}{about}"
    yield from (f"~ {_transition(item)}" for item in change.transitions)
    for entry in change.entries:
        yield from _entry(entry)
    yield from (f"! {_case(case)}" for case in change.cases.values())
    yield from (f"> {_message(message)}" for message in change.messages)


def _transition(item: Transition) -> str:
    order = f" [{item.order_no}]" if item.order_no else ""
    detail = f": {item.detail}" if item.detail else ""
    move = (
        item.source
        if item.source == item.target
        else f"{item.source or 'nothing'} -> {item.target}"
    )
    return f"{item.subject.key} {move}, {item.event}{order}{detail} ({item.product})"


def _entry(entry: Entry) -> Iterator[str]:
    yield f"$ {entry.event}, {entry.value_on}"
    yield from (f"  {_posting(posting)}" for posting in entry.postings)


def _posting(item: Posting) -> str:
    about = [f"{item.loan}/{item.number}"] if item.loan or item.number else []
    parts = (item.component, item.payment, item.order_no, item.line, item.party)
    about += [str(part) for part in parts if part]
    about += [f"at {item.place}"] if item.place else []
    return f"{item.minor:+} {item.currency} {item.account} ({', '.join(about)})"


def _case(case: Case) -> str:
    return f"{case.state} {short(case, {'state'})}"


def _message(message: Message) -> str:
    held = f" not before {short(message.not_before)}" if message.not_before else ""
    return f"{message.topic} {message.stream}{held} {short(_content(message.payload))}"


def _content(payload: Any) -> dict[str, object]:
    return {item.name: getattr(payload, item.name) for item in fields(payload)}


def short(value: object, unsaid: frozenset[str] | set[str] = _UNSAID) -> str:
    """A value in few words; fields of dataclasses that hold their default are left out."""
    match value:
        case Enum():
            return str(value.value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case date() | time():
            return value.isoformat()
        case Amounts():
            return " ".join(f"{part}:{minor}" for part, minor in value.items()) or "nothing"
        case Mapping():
            return "{" + ", ".join(f"{k}: {short(v)}" for k, v in value.items()) + "}"
        case tuple() | list():
            return "[" + ", ".join(map(short, value)) + "]"
        case Subject():
            return str(value)
        case _:
            pass
    if not is_dataclass(value) or isinstance(value, type):
        return str(value)
    said = [
        f"{f.name}={short(getattr(value, f.name))}"
        for f in fields(value)
        if f.name not in unsaid and getattr(value, f.name) != _default(f)
    ]
    return f"{type(value).__name__}({', '.join(said)})"


def _default(of: Field[Any]) -> object:
    return of.default_factory() if of.default_factory is not MISSING else of.default


def _differences(path: str, before: object, after: object) -> Iterator[str]:
    """Paths of what changed, as deep as both sides have the same shape."""
    if before == after or isinstance(after, Product):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in after:
            yield from _differences(str(key), before.get(key), after[key])
    elif isinstance(before, tuple) and isinstance(after, tuple) and before:
        for index in range(max(len(before), len(after))):
            sides = (side[index] if index < len(side) else None for side in (before, after))
            yield from _differences(f"{path}[{index}]", *sides)
    elif is_dataclass(before) and type(before) is type(after) and not isinstance(before, Amounts):
        for name in (f.name for f in fields(before)):
            yield from _differences(f"{path}.{name}", getattr(before, name), getattr(after, name))
    else:
        yield f"{path}: {short(before)} -> {short(after)}"
