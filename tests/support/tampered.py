"""Books with something of everything in them, for somebody to change.

Everything stands on 2026-03-18: L1 was debited and closed. L2 was debited twice for one order: the
surplus waits with a case. L3 was refused once, then debited, and its line is still to come. L4 paid
ahead by transfer and closed. L5 has an order out. A stranger's line waits with its case.
"""

from datetime import UTC, date, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.debit.outcome import Outcome, OutcomeClass
from domain.loan.view import ActionKind, installment
from ports.archive import StatementRecord
from tests.support.booksbench import (
    RAIL,
    StillClock,
    apply_all,
    confirm,
    intend,
    line,
    order_of,
    roll,
)
from tests.support.doors import QueueReminder, RecordOutcome, RecordPayment
from tests.support.memory import DRIVER, RULES, TESTER, board

ACCOUNT = "ACCT-FUNDER-1-CNY"
LOANS = ("L1", "L2", "L3", "L4", "L5")
REMINDED, DUE, AFTER = date(2026, 3, 7), date(2026, 3, 10), date(2026, 3, 11)
AS_OF = datetime(2026, 3, 18, 4, tzinfo=UTC)
FULL = 10_100
BEFORE_US = 5_000
"""What lay on the account before these books began."""


async def fill(engine: AsyncEngine) -> None:
    """Write the books into an empty database."""
    clock = StillClock()
    queries = SqlQueries(engine, clock, RULES)
    async with SqlBooks(engine, clock, RULES) as books:
        await apply_all(books, [board(name) for name in LOANS])
        await _remind(books, queries, clock)
        clock.to(DUE)
        await apply_all(books, [roll(name, DUE) for name in LOANS])
        orders = {name: await _intend(books, queries, name) for name in LOANS if name != "L4"}
        await apply_all(
            books,
            [
                confirm(orders["L1"], FULL),
                confirm(orders["L2"], FULL),
                confirm(orders["L2"], FULL, by="webhook", bank_ref="B-again"),
                _declined(orders["L3"]),
                _transfer(),
                line(orders["L1"], FULL, day=DUE, name="1"),
                line(orders["L2"], FULL, day=DUE, name="2"),
                line("T-4", 15_000, day=DUE, name="3"),
                line("STRANGER", 700, day=DUE, name="4"),
            ],
        )
        for day in range(11, 18):
            clock.to(date(2026, 3, day))
            await apply_all(books, [roll(name, clock.at.date()) for name in LOANS])
            if await _presents(queries, "L3"):
                again = await _intend(books, queries, "L3")
                await apply_all(books, [confirm(again, FULL)])
    archive = SqlArchive(engine, clock)
    booked = 2 * FULL + 15_000 + 700
    after = BEFORE_US + booked
    await archive.record_statement(_statement("S1", DUE, BEFORE_US, after, 4), ends_file=False)
    await archive.record_statement(_statement("S2", AFTER, after, after, 0), ends_file=False)


def _statement(name: str, day: date, opening: int, closing: int, lines: int) -> StatementRecord:
    return StatementRecord(
        name,
        ACCOUNT,
        "CNY",
        int(name[1:]),
        day,
        opening,
        closing,
        lines,
        name * 32,
        (),
        closing - opening,
    )


async def _remind(books: SqlBooks, queries: SqlQueries, clock: StillClock) -> None:
    clock.to(REMINDED)
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.next_action is not None
    assert view.next_action.kind == ActionKind.REMIND
    command = QueueReminder(
        id="remind", actor=DRIVER, loan_id="L1", number=1, action=view.next_action.key
    )
    await apply_all(books, [command])


async def _presents(queries: SqlQueries, loan_id: str) -> bool:
    view = await queries.view(installment(loan_id, 1))
    action = None if view is None else view.next_action
    return (
        view is not None
        and action is not None
        and action.kind == ActionKind.PRESENT
        and view.as_of is not None
        and action.not_before <= view.as_of
    )


async def _intend(books: SqlBooks, queries: SqlQueries, loan_id: str) -> str:
    view = await queries.view(installment(loan_id, 1))
    assert view is not None
    assert view.next_action is not None
    return order_of(await intend(books, loan_id, 1, view.next_action.key))


def _declined(order_no: str) -> RecordOutcome:
    return RecordOutcome(
        id=f"outcome/{order_no}/declined",
        actor=RAIL,
        rail="simbank",
        order_no=order_no,
        outcome=Outcome(OutcomeClass.NSF, "51"),
        source="answer",
    )


def _transfer() -> RecordPayment:
    return RecordPayment(
        id="pay-4",
        actor=TESTER,
        reason="reported by the borrower",
        loan_id="L4",
        number=1,
        reference="T-4",
        amount_minor=15_000,
        currency="CNY",
        value_on=DUE,
    )
