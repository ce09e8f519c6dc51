"""What happened, as structured events: a command, and each effect that it had.

The queries read them, `domain.story.words` puts them into words, and programs take them so.
"""

from dataclasses import dataclass
from datetime import date, datetime

from domain.ledger.entry import Posting


@dataclass(frozen=True, slots=True)
class Moved:
    """A subject, or an attempt of it (`order_no`), passed from one state to another.

    `number`: the installment; None of a whole loan or a case. `seq`: its place in the chain.
    """

    seq: int
    event: str
    number: int | None
    source: str
    target: str
    detail: str = ""
    order_no: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry with all its postings: debit positive, minor units.

    `number`: the installment that it is about; None if it is about several, or none.
    """

    seq: int
    event: str
    number: int | None
    value_on: date
    postings: tuple[Posting, ...]

    @property
    def payments(self) -> tuple[str, ...]:
        """The payments that it names."""
        return tuple(dict.fromkeys(one.payment for one in self.postings if one.payment))

    @property
    def lines(self) -> tuple[str, ...]:
        """The bank lines that it names."""
        return tuple(dict.fromkeys(one.line for one in self.postings if one.line))


@dataclass(frozen=True, slots=True)
class RefusedBy:
    """The command was an order that a rule does not allow."""

    number: int | None
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class LeftNothing:
    """The command left neither move nor entry; `note` is its answer in a word."""

    number: int | None
    note: str = ""


Effect = Moved | Posted | RefusedBy | LeftNothing


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One command, and what it did to the subject of the story; never without an effect.

    Attributes:
        seq: its place in the chain, before its effects.
        at: UTC.
        actor: who gave it, as `kind/id`. `approver`: who agreed, empty where nobody had to.
        command: its kind.
        effects: what became of an order, then money, then states, then a new order.
    """

    seq: int
    at: datetime
    actor: str
    approver: str
    reason: str
    command: str
    command_id: str
    effects: tuple[Effect, ...]
