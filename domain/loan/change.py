"""What a decision changes and answers: values that the books write in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from domain.case.kinds import CaseKind
from domain.debit.attempt import DebitOrder
from domain.kernel.command import Actor
from domain.ledger.entry import Entry
from domain.loan.aggregate import LineState, Loan, Rulebook
from domain.loan.view import InstallmentView


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of an installment or of an attempt (`order_no` set)."""

    loan_id: str
    number: int
    source: str
    target: str
    event: str
    product: str
    order_no: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A case (break, task) opened or closed. `key` is unique while the case is open.

    Its kind says which gates it keeps shut (`domain.case.kinds`): of the installment that it names,
    or of every installment where it names only the loan.
    """

    action: Literal["open", "close"]
    key: str
    kind: CaseKind
    text: str
    loan_id: str | None = None
    number: int | None = None
    receipt: str | None = None
    line: str | None = None
    amount_minor: int = 0
    currency: str = ""

    def is_about(self, loan_id: str, number: int) -> bool:
        """Whether it is open and about an installment, by name or through its whole loan."""
        names_it = self.loan_id == loan_id and self.number in {None, number}
        return self.action == "open" and names_it


@dataclass(frozen=True, slots=True)
class Message:
    """A row for the outbox. `topic`: open, wake, notice. `stream` keeps the order of one item."""

    topic: str
    stream: str
    body: Mapping[str, object]
    not_before: datetime | None = None


# --- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """The command was applied; `note` says in a few words what it did."""

    kind: Literal["done"] = "done"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A debit was intended, or its lease renewed: send exactly this, until `send_until`."""

    order: DebitOrder
    kind: Literal["ordered"] = "ordered"


@dataclass(frozen=True, slots=True)
class Superseded:
    """The action is no longer what comes next; the view says what is to be done instead."""

    kind: Literal["superseded"] = "superseded"


Answer = Done | Ordered | Superseded


@dataclass(frozen=True, slots=True)
class Applied:
    """The answer as first given, the view as the books have it now.

    `replayed`: the command had been applied before; its effects did not happen again.
    """

    answer: Answer
    view: InstallmentView | None = None
    replayed: bool = False
    kind: Literal["applied"] = "applied"


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that the rules do not allow; stored, and answered the same way again."""

    rule: str
    reason: str
    view: InstallmentView | None = None
    replayed: bool = False
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What `decide` returns instead of a change when an order is not allowed."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Aggregates:
    """All that a decision may look at. `at` is stamped at the door (UTC).

    `orders`, `messages`, `receipts`, `mandates` and `batches` say which loan holds each reference,
    `waiting` which lines carry it unmatched; references that nobody holds are absent. `cases` are
    the open cases of the loans and lines, by key. `known_as` is the id of the command when evidence
    of this id is known with another content; empty otherwise.
    """

    at: datetime
    rules: Rulebook
    loans: Mapping[str, Loan] = field(default_factory=dict)
    lines: Mapping[str, LineState] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    receipts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mandates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    batches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cases: Mapping[str, CaseChange] = field(default_factory=dict)
    known_as: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that one command changes. Loans and lines are the new whole aggregates."""

    answer: Answer
    loans: Mapping[str, Loan] = field(default_factory=dict)
    lines: Mapping[str, LineState] = field(default_factory=dict)
    transitions: tuple[Transition, ...] = ()
    entries: tuple[Entry, ...] = ()
    cases: tuple[CaseChange, ...] = ()
    messages: tuple[Message, ...] = ()
    subject: tuple[str, int] | None = None
    """(loan, installment) whose view is the answer's view, if any."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the books add to everything that a command writes: who, why and when (UTC)."""

    command_id: str
    actor: Actor
    reason: str
    at: datetime
    posted_on: date
