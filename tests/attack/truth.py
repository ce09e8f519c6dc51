"""What truly happened at a bank, and the news that tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from domain.calendar import local_instant
from domain.debit.outcome import OutcomeClass
from tests.support.doors import Actor, AnyCommand
from tests.support.memory import SHANGHAI

RAIL = Actor("rail", "simbank")
DRIVER = Actor("workflow", "installment")
REASONS = {
    "AM04": OutcomeClass.NSF,
    "MD06": OutcomeClass.LATE_RETURN,
}
"""Codes of returns and their class in the rail's table."""
TAKEN, BACK, TRANSFER = "taken", "back", "transfer"


@dataclass(frozen=True, slots=True)
class Fact:
    """What news tells: an execution, a return or a transfer, by its place in the truth."""

    kind: str
    index: int
    minor: int


@dataclass(frozen=True, slots=True)
class News:
    """A command that tells facts; it can be delivered from `not_before` on."""

    command: AnyCommand
    facts: tuple[Fact, ...]
    not_before: datetime
    is_final: bool = False
    """It is what the rail says for good of its order, so that two of them contradict each other."""


@dataclass(slots=True)
class Execution:
    """Money that the bank took for an order; what reports and lines have shown of it so far."""

    order_no: str
    loan: str
    number: int
    ref: str
    minor: int
    on: date
    reported_minor: int = 0
    booked_minor: int = 0


@dataclass(slots=True)
class Return:
    """Money that the bank gave back of an execution; what was reported of it so far."""

    execution: int
    ref: str
    minor: int
    on: date
    reported_minor: int = 0
    booked_minor: int = 0


@dataclass(slots=True)
class Transfer:
    """Money that the payer sent by another way, and whether a person knows of it."""

    loan: str
    number: int
    reference: str
    minor: int
    on: date
    reported_minor: int = 0
    back_minor: int = 0
    is_recorded: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """What a line truly is: money of an order or transfer, signed, and the bank's fee in it."""

    loan: str
    number: int
    order_no: str
    reference: str
    minor: int
    fee_minor: int = 0
    booking: str | None = None
    """The rail's own name of the execution, where the line has it; a transfer has none."""
    value_on: date | None = None
    """The day of a transfer, by which its payer tells it from others of one reference."""


def morning(day: date) -> datetime:
    """Six o'clock of a local day."""
    return local_instant(day, time(6), SHANGHAI)


def span_of(news: Sequence[Execution | Return]) -> range:
    """From the least to the most that reports and lines together can mean."""
    reported = sum(one.reported_minor for one in news)
    booked = sum(one.booked_minor for one in news)
    either = sum(max(one.reported_minor, one.booked_minor) for one in news)
    return range(max(reported, booked), either + 1)
