"""Loans in progress on real databases: what they bring is kept, posted and verified."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import audit_on
from adapters.sql.write.books import SqlBooks
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.errors import Conflict
from domain.kernel.change import Applied, Refused
from domain.loan.accrual import owed_on
from domain.loan.change import Change
from domain.loan.decide.driving import order_number
from domain.loan.handover import handed_over
from domain.loan.opening import Opening, OpeningItem
from domain.pricing.amounts import Amounts
from domain.statement.statement import LineItem, StatementLine
from tests.support.booksbench import StillClock, order_of
from tests.support.doors import BookLine, IntendDebit, Past, RecordReturn, RollDay
from tests.support.memory import RULES, TESTER, MemoryBooks, board
from tests.support.openings import APRIL, AS_OF, WHOLE, held, opening, ordered, paid
from tests.support.scene import ACCOUNT

TAKEN = ordered(
    2, "OLD-9", state=AttemptState.CONFIRMED, outcome_class=None, code="00", mandate_ref="M-L9"
)
OPENINGS: dict[str, Opening] = {
    "L1": opening(payments=(paid((1, WHOLE), (2, WHOLE)),)),
    "L2": opening(payments=(paid((1, WHOLE), on=date(2026, 3, 10)), paid((2, Amounts(5000))))),
    "L3": opening(payments=(paid((1, WHOLE), (2, WHOLE), (3, WHOLE)),)),
    "L4": opening(
        payments=(paid((1, WHOLE)),),
        items=(
            OpeningItem(number=2, charged=Amounts(0, 0, 25, 40, 5), waived=Amounts(0, 100, 0, 10)),
        ),
    ),
    "L5": opening(
        payments=(paid((1, WHOLE)),), items=(OpeningItem(number=2, written_off_on=AS_OF),)
    ),
    "L6": opening(
        payments=(paid((1, WHOLE), (2, WHOLE)),), advance_minor=10100, advance_ref="OLD-X"
    ),
    "L7": opening(payments=(paid((1, WHOLE)),), attempts=(ordered(2, "OLD-7"),)),
    "L8": opening(
        payments=(paid((1, WHOLE)),),
        attempts=(ordered(2, "OLD-8", state=AttemptState.UNKNOWN, outcome_class=None, code=""),),
    ),
    "L9": opening(
        payments=(paid((1, WHOLE)), paid((2, WHOLE), order_no="OLD-9", on=date(2026, 4, 10))),
        attempts=(TAKEN,),
    ),
    "L10": opening(
        payments=(
            paid((1, WHOLE), order_no="OLD-10", on=date(2026, 3, 10), unplaced_minor=300),
            paid((2, Amounts(8000)), order_no="OLD-11", on=date(2026, 4, 10), returned_minor=2100),
        ),
        attempts=(
            replace(
                TAKEN, number=1, order_no="OLD-10", amount_minor=10400, value_on=date(2026, 3, 10)
            ),
            replace(
                TAKEN,
                order_no="OLD-11",
                state=AttemptState.RETURNED,
                outcome_class=OutcomeClass.NSF,
                code="AM04",
            ),
        ),
        holds=(held(3),),
    ),
    "L11": opening(
        payments=(paid((1, WHOLE), on=date(2026, 4, 10)), paid((2, WHOLE))),
        items=(OpeningItem(number=1, written_off_on=date(2026, 4, 1)),),
    ),
}


async def whole(engine: AsyncEngine, queries: SqlQueries, clock: StillClock) -> None:
    """Journal and kept rows say the same, and the audit finds nothing."""
    assert (await queries.verify()).faults == ()
    async with engine.connect() as conn:
        assert (await audit_on(conn, RULES, clock.at)).findings == ()


async def test_every_kind_of_opening_is_kept_as_it_was_posted(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Chain, rows and audit agree at once, a return later, and when its line has come."""
    clock.at = APRIL
    commands = [
        replace(board(name), opening=said, past=Past.OWED if name == "L7" else Past.REFUSE)
        for name, said in OPENINGS.items()
    ]
    answers = await books.apply_many(commands)
    assert all(isinstance(answer, Applied) for answer in answers), answers
    await whole(engine, queries, clock)

    back = RecordReturn(
        id="webhook/r1",
        actor=TESTER,
        rail="simbank",
        order_no="OLD-9",
        bank_ref="X-9",
        amount_minor=10100,
        outcome_class=OutcomeClass.NSF,
        code="AM04",
        returned_on=date(2026, 4, 20),
    )
    assert isinstance(await books.apply(back), Applied)
    await whole(engine, queries, clock)
    for ref, minor in (("OLD-9", -10100), ("OLD-X", 10100)):
        line = StatementLine(
            id=f"line-{ref}",
            account=ACCOUNT,
            booked_on=date(2026, 4, 20),
            value_on=date(2026, 4, 20),
            amount_minor=minor,
            currency="CNY",
            servicer_ref=None,
            items=(LineItem(ref, None, None, minor),),
        )
        assert isinstance(
            await books.apply(
                BookLine(id=f"line/{ref}", actor=TESTER, statement_id="S-1", line=line)
            ),
            Applied,
        )
    await whole(engine, queries, clock)
    clock.at += timedelta(days=30)
    await whole(engine, queries, clock)


async def test_an_opening_with_an_order_that_is_known_is_refused(
    books: SqlBooks, clock: StillClock
) -> None:
    """The books find the loan that has it, whichever it is."""
    clock.at = APRIL
    said = opening(attempts=(ordered(1, "OLD-1"),))
    assert isinstance(await books.apply(replace(board("L1"), opening=said)), Applied)
    answer = await books.apply(replace(board("L2"), opening=said))
    assert isinstance(answer, Refused)
    assert answer.rule == "opening.order_no"


async def test_the_same_opening_is_the_same_loan_and_another_is_not(
    books: SqlBooks, clock: StillClock
) -> None:
    """Boarded twice by other ways it is there once; with other figures it is refused."""
    clock.at = APRIL
    first = replace(board("L1"), opening=OPENINGS["L1"])
    assert isinstance(await books.apply(first), Applied)
    again = await books.apply(replace(first, id="upstream/L1"))
    assert isinstance(again, Applied)
    assert again.replayed
    with pytest.raises(Conflict, match="another content"):
        await books.apply(replace(first, id="upstream/L1/2", opening=OPENINGS["L3"]))


async def test_loans_are_read_as_they_stand_and_taken_by_other_books(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """What is owed on the books that take them over is what is owed on those that gave them."""
    clock.at = APRIL
    for name, said in OPENINGS.items():
        await books.apply(replace(board(name), opening=said))
    other = MemoryBooks(at=APRIL, rules=RULES)
    taken = 0
    async for standing in queries.all_loans():
        loan = standing.loan
        command = handed_over(loan, standing.names, APRIL.date(), "us", "handover 1", TESTER)
        assert isinstance(other.apply(command), Change)
        for item, there in zip(loan.installments, other.loans[loan.id].installments, strict=True):
            owed = owed_on(loan, item, APRIL.date()) if item.owed.total else item.owed
            assert (there.owed, there.written_off) == (owed, item.written_off)
        taken += 1
    assert taken == len(OPENINGS)
    assert any("OLD-X" in p.reference for p in other.payments.values())


async def test_a_number_of_ours_that_an_opening_has_used_is_passed_over(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Another loan's debit gets the next number, in the same group or in a process of its own."""
    clock.at = APRIL
    taken = [order_number("t1", name, 3, 1) for name in ("L2", "L3")]
    said = opening(
        payments=(paid((1, WHOLE), (2, WHOLE)),),
        attempts=tuple(ordered(2, number, value_on=AS_OF, mandate_ref="M-OLD") for number in taken),
    )
    others = opening(payments=(paid((1, WHOLE), (2, WHOLE)),))
    await books.apply_many([replace(board(name), opening=others) for name in ("L2", "L3")])
    clock.to(date(2026, 5, 11))
    await books.apply_many(
        [
            RollDay(id=f"roll/{name}", actor=TESTER, loan_id=name, day=date(2026, 5, 11))
            for name in ("L2", "L3")
        ]
    )
    first = replace(board("L1"), opening=replace(said, as_of=date(2026, 5, 9)), past=Past.OWED)
    intents = [
        IntendDebit(id=f"i/{name}", actor=TESTER, loan_id=name, number=3, action="present/1")
        for name in ("L2", "L3")
    ]
    boarded, one = await books.apply_many([first, intents[0]])
    assert isinstance(boarded, Applied), boarded
    async with SqlBooks(engine, clock, RULES) as later:
        two = await later.apply(intents[1])
    assert isinstance(one, Applied), one
    numbers = [order_of(one), order_of(two)]
    assert numbers == [order_number("t1", name, 3, 2) for name in ("L2", "L3")]
    await whole(engine, queries, clock)
