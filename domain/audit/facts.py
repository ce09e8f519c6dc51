"""What a comparison looks at: journal and aggregates of the books, and the log of the bank."""

from dataclasses import dataclass
from datetime import date, datetime

from domain.case.case import Case
from domain.ledger.entry import JournalPosting
from domain.loan.aggregate import Loan


@dataclass(frozen=True, slots=True)
class BooksFacts:
    """The books at one moment. `cases` are the open ones."""

    as_of: datetime
    loans: tuple[Loan, ...]
    postings: tuple[JournalPosting, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class TruthExecution:
    """Money that the bank took for an order."""

    bank_ref: str
    amount_minor: int
    executed_at: datetime
    value_on: date


@dataclass(frozen=True, slots=True)
class TruthOrder:
    """An order as a rail received it, by that rail's own log.

    `final_status` is None while the rail owes one.
    """

    rail: str
    order_no: str
    merchant_id: str
    mandate_ref: str
    amount_minor: int
    currency: str
    received_at: datetime
    posts: int
    executions: tuple[TruthExecution, ...]
    final_status: str | None
    code: str

    @property
    def taken_minor(self) -> int:
        """All that was taken for it, whatever was returned later."""
        return sum(execution.amount_minor for execution in self.executions)


@dataclass(frozen=True, slots=True)
class TruthMovement:
    """A movement on our account, signed as it moves the balance.

    `kind`: debit, return, fee or credit. `statement_id` is None until a statement holds it.
    """

    id: str
    account: str
    order_no: str | None
    kind: str
    amount_minor: int
    currency: str
    booked_on: date
    statement_id: str | None
    bank_ref: str | None = None
    batch_ref: str | None = None

    @property
    def entry(self) -> str:
        """What the bank books as one line: a batch; a return with its fee; else the movement."""
        if self.batch_ref is not None:
            return f"batch/{self.batch_ref}"
        group = "return" if self.kind in {"return", "fee"} else self.kind
        return f"{group}/{self.bank_ref or self.id}"


@dataclass(frozen=True, slots=True)
class TruthNotice:
    """A message that a provider took from us."""

    message_id: str
    channel: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class TruthStatement:
    """A statement file, the day that it books on, and when it could first be fetched."""

    id: str
    account: str
    available_at: datetime
    day: date


@dataclass(frozen=True, slots=True)
class TruthFacts:
    """The bank's log."""

    orders: tuple[TruthOrder, ...] = ()
    movements: tuple[TruthMovement, ...] = ()
    notices: tuple[TruthNotice, ...] = ()
    statements: tuple[TruthStatement, ...] = ()
