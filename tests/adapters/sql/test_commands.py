"""One command is applied once, whoever sends it again; other content under its id is refused."""

import re
from dataclasses import replace
from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.auditcounts import PAYMENTS
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import chain_head, commands, entries, portions
from adapters.sql.write.books import SqlBooks
from domain.debit.outcome import OutcomeClass
from domain.errors import Conflict, InvalidInput
from domain.kernel.change import Applied, Done, Refused, Superseded
from domain.loan.change import Ordered
from domain.loan.matching import Also
from domain.loan.view import installment
from domain.story.words import in_words
from tests.support.booksbench import (
    RAIL,
    StillClock,
    confirm,
    intend,
    line,
    order_of,
    present,
    roll,
)
from tests.support.doors import Hold, QueueReminder, RecordPayment, RecordReturn, WriteOff
from tests.support.memory import DRIVER, PRODUCT, RULES, TESTER, board

HOLD = Hold(id="h-1", actor=TESTER, reason="borrower called", loan_id="L1", number=1)


async def test_the_same_command_gives_the_stored_answer_and_the_current_view(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """The second answer is the first one; the view beside it is of now, and nothing is added."""
    await books.apply(board())
    first = await books.apply(HOLD)
    moved = await books.apply(replace(HOLD, id="h-2", number=2))
    items = (await queries.verify()).items
    again = await books.apply(HOLD)
    assert isinstance(first, Applied)
    assert isinstance(again, Applied)
    assert not first.replayed
    assert again.replayed
    assert again.answer == first.answer
    assert again.view is not None
    assert again.view.detail.hold == "all"
    assert (await queries.verify()).items == items
    assert isinstance(moved, Applied)


async def test_who_approved_an_order_is_kept_beside_who_gave_it(
    books: SqlBooks, engine: AsyncEngine
) -> None:
    """An order that nobody approved names nobody; a refused one keeps its names too."""
    await books.apply(board())
    await books.apply(HOLD)
    await books.apply(replace(HOLD, id="h-2", approver="ops-9"))
    refused = await books.apply(
        WriteOff(id="w-1", actor=TESTER, approver="ops-8", reason="gone", loan_id="L1", number=1)
    )
    assert isinstance(refused, Refused)
    async with engine.connect() as conn:
        rows = await conn.execute(select(commands.c.id, commands.c.approver))
        found = {row.id: row.approver for row in rows}
    assert [found[name] for name in ("h-1", "h-2", "w-1")] == [None, "ops-9", "ops-8"]


async def test_an_id_used_for_another_content_is_a_conflict(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Neither the first nor the second content is applied again."""
    await books.apply(board())
    await books.apply(HOLD)
    with pytest.raises(Conflict):
        await books.apply(replace(HOLD, number=2))
    view = await queries.view(installment("L1", 2))
    assert view is not None
    assert view.detail.hold == ""


async def test_an_intent_that_is_sent_again_has_one_order_number(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A worker that lost the answer gets the very order that was intended."""
    action = await present(books, queries, clock, "L1")
    first = await intend(books, "L1", 1, action)
    again = await intend(books, "L1", 1, action)
    assert isinstance(again, Applied)
    assert isinstance(again.answer, Ordered)
    assert again.replayed
    assert again.answer.order.order_no == order_of(first)
    assert (await queries.counts())["attempts"] == {"INTENDED": 1}


async def test_a_refusal_is_stored_and_answered_the_same_again(books: SqlBooks) -> None:
    """Rule and reason stay what they were, even when the rules would now allow it."""
    await books.apply(board())
    order = WriteOff(id="w-1", actor=TESTER, reason="gone", loan_id="L1", number=1)
    first = await books.apply(order)
    again = await books.apply(order)
    assert isinstance(first, Refused)
    assert isinstance(again, Refused)
    assert (again.rule, again.reason) == (first.rule, first.reason)
    assert again.replayed
    assert first.view is not None


async def test_an_order_for_an_unknown_loan_is_refused_and_not_a_fault(books: SqlBooks) -> None:
    """Nothing is locked and nothing fails: the refusal names its rule."""
    result = await books.apply(replace(HOLD, loan_id="nobody"))
    assert isinstance(result, Refused)
    assert result.view is None


async def test_one_fact_by_two_ways_counts_once(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """The same line in two files moves the bank account once; the second is answered as known."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await books.apply(confirm(order_no, 10100))
    await books.apply(confirm(order_no, 10100, by="webhook"))
    first = line(order_no, 10100, day=date(2026, 3, 10))
    await books.apply(first)
    again = await books.apply(replace(first, id="line/other-file", statement_id="S2"))
    assert isinstance(again, Applied)
    assert again.replayed
    assert isinstance(again.answer, Done)
    assert [b.minor for b in (await queries.balances("bank/")).items] == [10100]
    assert (await queries.counts())["payments"] == {"all": 1}
    known = await books.apply(replace(first, id="line/other-file", statement_id="S2"))
    assert isinstance(known, Applied)
    assert known.replayed


async def test_a_payment_of_two_loans_counts_once(
    books: SqlBooks, queries: SqlQueries, engine: AsyncEngine
) -> None:
    """The console and the audit count payments, and not their portions."""
    await books.apply(board("L1"))
    await books.apply(board("L2"))
    paid = RecordPayment(
        id="paid",
        actor=TESTER,
        reason="the payer called",
        loan_id="L1",
        number=1,
        reference="T-1",
        amount_minor=10000,
        currency="CNY",
        value_on=date(2026, 3, 2),
        also=(Also("L2", 4000),),
    )
    assert isinstance(await books.apply(paid), Applied)
    assert (await queries.counts())["payments"] == {"all": 1}
    async with engine.connect() as conn:
        assert await conn.scalar(select(func.count()).select_from(portions)) == 2
        assert await conn.scalar(PAYMENTS) == 1


async def test_a_loan_that_got_nothing_of_a_payment_tells_so_in_its_story(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Nothing was owed by it yet: one event, in words, that names the payment and who got it."""
    await books.apply(board("L1"))
    await books.apply(board("L2"))
    paid = RecordPayment(
        id="paid",
        actor=TESTER,
        reason="the payer called",
        loan_id="L1",
        number=1,
        reference="T-1",
        amount_minor=4000,
        currency="CNY",
        value_on=clock.at.date(),
        also=(Also("L2"),),
    )
    assert isinstance(await books.apply(paid), Applied)
    for number in (None, 1):
        story = (await queries.story("L2", number, "", 10)).items
        told = [event for event in in_words(story, UTC, "CNY") if event.command_id == "paid"]
        [line] = [effect for event in told for effect in event.effects]
        assert re.fullmatch(
            r"nothing was left for this loan of a payment for several "
            r"\(payment \S+ of 40.00 CNY went to L1\)",
            line,
        )
    assert (await queries.verify()).faults == ()


async def test_evidence_about_an_unknown_order_is_booked_with_a_case(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """What the tables do not place is kept and seen, never refused."""
    news = RecordReturn(
        id="r-1",
        actor=RAIL,
        rail="simbank",
        order_no="NOBODY",
        bank_ref=None,
        amount_minor=100,
        outcome_class=OutcomeClass.LATE_RETURN,
        code="R1",
        returned_on=date(2026, 3, 2),
    )
    assert isinstance(await books.apply(news), Applied)
    assert len((await queries.cases()).items) == 1


async def test_a_return_in_the_same_words_under_another_event_is_a_case_and_no_money(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """One event delivered again is known; another one may be a second return: a person sees it."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await books.apply(confirm(order_no, 10100))
    reported = RecordReturn(
        id="report/simbank/e-1",
        actor=RAIL,
        rail="simbank",
        order_no=order_no,
        bank_ref=f"B-{order_no}",
        amount_minor=3000,
        outcome_class=OutcomeClass.NSF,
        code="AM04",
        returned_on=date(2026, 3, 10),
    )
    for event, known, cases in (("e-1", False, 0), ("e-1", True, 0), ("e-2", False, 1)):
        answer = await books.apply(replace(reported, id=f"report/simbank/{event}"))
        assert isinstance(answer, Applied)
        assert answer.replayed is known, event
        listed = (await queries.cases()).items
        found = [case for case in listed if case.key == f"returned_twice/{order_no}"]
        assert len(found) == cases, event
    back = [b.minor for b in (await queries.balances("owed/L1/1")).items]
    assert sum(back) == 3000


async def test_a_loan_boarded_twice_is_known_and_with_other_content_a_conflict(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Upstream may send a loan again under any id; it may not send another loan under its name."""
    await books.apply(board())
    again = await books.apply(replace(board(), id="board/again", reason="tape sent twice"))
    assert isinstance(again, Applied)
    assert again.replayed
    with pytest.raises(Conflict):
        await books.apply(replace(board(), id="board/other", borrower="b-2"))
    assert (await queries.counts())["installments"] == {"SCHEDULED": 3}


async def test_a_product_version_means_one_thing(books: SqlBooks, queries: SqlQueries) -> None:
    """Rules that changed without a new version are refused before a loan is pinned to them."""
    await books.apply(board())
    with pytest.raises(Conflict):
        await books.apply(board("L2", replace(PRODUCT, grace_days=9)))
    newer = board("L3", replace(PRODUCT, grace_days=9, version=2))
    assert isinstance(await books.apply(newer), Applied)
    loan = await queries.loan("L3")
    assert loan is not None
    assert loan.product == newer.product


async def test_a_moot_action_is_answered_again_as_superseded(books: SqlBooks) -> None:
    """A driver behind the books learns what is to be done instead, every time it asks."""
    await books.apply(board())
    action = QueueReminder(id="q-1", actor=DRIVER, loan_id="L1", number=1, action="no-such-action")
    first, again = await books.apply(action), await books.apply(action)
    assert isinstance(first, Applied)
    assert isinstance(again, Applied)
    assert first.answer == again.answer == Superseded()
    assert again.view is not None


async def test_a_loan_comes_back_from_the_database_as_it_was(
    books: SqlBooks, engine: AsyncEngine, queries: SqlQueries, clock: StillClock
) -> None:
    """Everything of the aggregate survives the trip through its rows, byte for byte in meaning."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await books.apply(confirm(order_no, 10000))
    read = await queries.loan("L1")
    # A second writer without a cache decides on what it reads; the first one on what it holds.
    async with SqlBooks(engine, clock, RULES) as other:
        result = await other.apply(roll("L1", date(2026, 3, 10)))
    assert isinstance(result, Applied)
    assert read is not None
    assert read.installment(1).attempts[0].confirmed_minor == 10000
    assert isinstance(read.product.shares.rules[0].fraction, type(PRODUCT.shares.rules[0].fraction))
    assert read.product == PRODUCT
    assert read.portions[0].value_on == date(2026, 3, 10)


async def test_books_that_are_closed_take_nothing(books: SqlBooks) -> None:
    """A late caller is answered at once instead of waiting for ever."""
    await books.close()
    with pytest.raises(RuntimeError):
        await books.apply(HOLD)


async def test_a_payment_is_recorded_once_whichever_loan_it_is_reported_for(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """One transfer reported again for another loan is refused: it would pay twice."""
    await books.apply(board("L1"))
    await books.apply(board("L2"))
    paid = RecordPayment(
        id="p-1",
        actor=TESTER,
        reason="the borrower called",
        loan_id="L1",
        number=1,
        reference="TRANSFER-1",
        amount_minor=10100,
        currency="CNY",
        value_on=clock.now().date(),
    )
    assert isinstance(await books.apply(paid), Applied)
    again = await books.apply(replace(paid, id="p-2", loan_id="L2"))
    assert isinstance(again, Refused)
    assert again.rule == "payment.reference"
    both = [replace(paid, id=f"p-{name}", loan_id=name, reference="T-2") for name in ("L1", "L2")]
    answers = await books.apply_many(both)
    assert [type(answer) for answer in answers] == [Applied, Refused]
    loan = await queries.loan("L2")
    assert loan is not None
    assert loan.portions == ()


async def test_a_text_with_control_characters_reaches_no_table(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """An order with a line break is refused by field; the rest of its group is applied."""
    await books.apply(board("L1"))
    bad = replace(HOLD, id="h-9", reason="one\nline")
    answers = await books.apply_many([bad, HOLD])
    assert isinstance(answers[0], InvalidInput)
    assert answers[0].field == "reason"
    assert isinstance(answers[1], Applied)


async def test_an_entry_is_posted_on_the_day_of_the_ledgers_zone(
    engine: AsyncEngine, clock: StillClock
) -> None:
    """17:00 in London's winter is one o'clock of the next day in Shanghai."""
    clock.to(date(2026, 3, 9), hour=17)
    async with SqlBooks(engine, clock, RULES, zone=ZoneInfo("Asia/Shanghai")) as here:
        await here.apply(board("L1"))
        await here.apply(roll("L1", date(2026, 3, 10)))
    async with engine.connect() as conn:
        days = {row.posted_on for row in await conn.execute(select(entries.c.posted_on))}
    assert days == {date(2026, 3, 10)}


async def test_nothing_is_posted_on_an_earlier_day_than_what_it_follows(
    engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries
) -> None:
    """A process whose clock is a day behind posts on the day that another has begun."""
    clock.to(date(2026, 3, 10))
    await books.apply(board("L1"))
    await books.apply(roll("L1", date(2026, 3, 10)))
    clock.to(date(2026, 3, 9))
    await books.apply(board("L2"))
    async with engine.connect() as conn:
        rows = await conn.execute(select(commands.c.posted_on).order_by(commands.c.seq))
        days = [row.posted_on for row in rows]
        last = (await conn.execute(select(chain_head.c.posted_on))).scalar_one()
    assert days == [date(2026, 3, 10)] * 3
    assert last == date(2026, 3, 10)
    assert (await queries.verify()).faults == ()
