"""A success that people stated and corrected, on real databases: the books stay whole."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import audit_on
from adapters.sql.write.books import SqlBooks
from domain.debit.attempt import AttemptState
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Applied, Refused
from tests.support.booksbench import StillClock
from tests.support.doors import BoardLoan, Past, RecordOutcome, StateOutcome
from tests.support.memory import RULES, TESTER, board
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid


def in_doubt() -> BoardLoan:
    """A loan whose second installment has an order in doubt."""
    out = ordered(2, state=AttemptState.UNKNOWN, outcome_class=None, code="")
    said = opening(payments=(paid((1, WHOLE)),), attempts=(out,))
    return replace(board("L7"), opening=said, past=Past.OWED)


def stated(name: str, outcome_class: OutcomeClass, minor: int = 0) -> StateOutcome:
    """Two people state what became of it."""
    return StateOutcome(
        id=f"cli/{name}",
        actor=TESTER,
        reason="asked by letter",
        approver="ops-8",
        loan_id="L7",
        number=2,
        order_no="OLD-1",
        outcome_class=outcome_class,
        proof=f"letter {name}",
        amount_minor=minor,
    )


async def whole(engine: AsyncEngine, queries: SqlQueries, clock: StillClock) -> bool:
    """Whether rows and journal agree, and the audit finds nothing."""
    assert (await queries.verify()).faults == ()
    async with engine.connect() as conn:
        assert (await audit_on(conn, RULES, clock.at)).findings == ()
    return True


async def test_a_stated_success_is_reversed_and_money_that_comes_later_is_booked(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Rows, postings and views agree after the statement, its correction, and news of the rail."""
    clock.at = APRIL
    assert isinstance(await books.apply(in_doubt()), Applied)
    taken = stated("1", OutcomeClass.SUCCESS, 10100)
    assert isinstance(await books.apply(taken), Applied)
    assert await whole(engine, queries, clock)
    again = await books.apply(replace(taken, id="cli/1b", approver=None))
    assert isinstance(again, Refused)
    assert isinstance(await books.apply(stated("2", OutcomeClass.NOT_FOUND)), Applied)
    loan = await queries.loan("L7")
    assert loan is not None
    assert loan.installment(2).attempts[0].state is AttemptState.NOT_EXECUTED
    assert loan.portions[-1].amount_minor == 0
    assert await whole(engine, queries, clock)
    news = RecordOutcome(
        id="webhook/1",
        actor=TESTER,
        rail="simbank",
        order_no="OLD-1",
        outcome=Outcome(OutcomeClass.SUCCESS, "00", 10100, bank_ref="A"),
        source="webhook",
    )
    assert isinstance(await books.apply(news), Applied)
    loan = await queries.loan("L7")
    assert loan is not None
    assert loan.portions[-1].amount_minor == 10100
    assert await whole(engine, queries, clock)
