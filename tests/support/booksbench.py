"""What tests of the SQL books share: a clock that stands still, commands, stand-in decisions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Actor
from domain.loan.change import Ordered
from domain.loan.view import ActionKind, installment
from domain.statement.statement import LineItem, StatementLine
from ports.books import Books
from ports.driverqueries import DriverQueries
from tests.support.doors import (
    AnyCommand,
    BookLine,
    IntendDebit,
    RecordOutcome,
    RollDay,
)
from tests.support.memory import DRIVER, TESTER, board

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
RAIL = Actor("rail", "simbank")


@dataclass
class StillClock:
    """Stands still until it is moved."""

    at: datetime = NOON

    def now(self) -> datetime:
        """The instant at which it stands."""
        return self.at

    def to(self, day: date, hour: int = 4) -> None:
        """Move to a day, hours in UTC."""
        self.at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)

    def ahead(self, by: timedelta) -> None:
        """Move ahead."""
        self.at += by


def roll(loan_id: str, day: date) -> RollDay:
    """A day begins for a loan."""
    return RollDay(id=f"roll/{loan_id}/{day}", actor=TESTER, loan_id=loan_id, day=day)


def confirm(
    order_no: str, minor: int, *, by: str = "answer", bank_ref: str | None = None
) -> RecordOutcome:
    """The rail says that it took money."""
    return RecordOutcome(
        id=f"outcome/{order_no}/{by}",
        actor=RAIL,
        rail="simbank",
        order_no=order_no,
        outcome=Outcome(
            OutcomeClass.SUCCESS, "00", minor, bank_ref or f"B-{order_no}", f"BATCH-{order_no}"
        ),
        source=by,
    )


def line(
    order_no: str, minor: int, *, day: date, name: str = "1", account: str = "ACCT-FUNDER-1-CNY"
) -> BookLine:
    """The bank books the money of one order."""
    booked = StatementLine(
        id=f"{account}/S1/{name}",
        account=account,
        booked_on=day,
        value_on=day,
        amount_minor=minor,
        currency="CNY",
        servicer_ref=f"SR-{name}",
        items=(LineItem(order_no, None, None, minor),),
    )
    return BookLine(id=f"line/{booked.id}", actor=TESTER, statement_id="S1", line=booked)


async def intend(books: Books, loan_id: str, number: int, action: str) -> Applied | Refused:
    """The driver performs the action that presents."""
    return await books.apply(
        IntendDebit(
            id=f"intend/{loan_id}/{number}/{action}",
            actor=DRIVER,
            loan_id=loan_id,
            number=number,
            action=action,
        )
    )


def order_of(result: Applied | Refused) -> str:
    """The order number that an intent was answered with."""
    assert isinstance(result, Applied), result
    assert isinstance(result.answer, Ordered), result
    return result.answer.order.order_no


async def apply_all(books: Books, commands: Iterable[AnyCommand]) -> None:
    """Apply a batch and fail on the first fault."""
    for result in await books.apply_many(list(commands)):
        if isinstance(result, Exception):
            raise result


async def present(books: Books, queries: DriverQueries, clock: StillClock, loan_id: str) -> str:
    """Board a loan and let its first due day come; gives the key of the action that presents."""
    await books.apply(board(loan_id))
    clock.to(date(2026, 3, 10))
    await books.apply(roll(loan_id, date(2026, 3, 10)))
    view = await queries.view(installment(loan_id, 1))
    assert view is not None
    assert view.next_action is not None
    assert view.next_action.kind is ActionKind.PRESENT, view
    return view.next_action.key
