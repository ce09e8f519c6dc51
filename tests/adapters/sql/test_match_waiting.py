"""What waits on lines is matched by sets in real books: posted, proposed or said why not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.matching import LineMatching, Matched, orders_of
from adapters.sql.match.matching import SqlMatching
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.case.kinds import CaseKind
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Actor
from domain.loan.matching import Basis, MatchLine
from domain.loan.view import installment
from domain.matching.group import Group
from domain.matching.model import Tolerance
from domain.matching.reference import creditor_reference, virtual_account
from domain.matching.result import Cause, Status
from domain.statement.statement import Party
from ports.matching import MatchFilter
from tests.support.booksbench import (
    StillClock,
    apply_all,
    confirm,
    intend,
    line,
    order_of,
    present,
    roll,
)
from tests.support.doors import BookLine, RecordPayment, UndoMatch
from tests.support.memory import PRODUCT, RULES, TESTER, board

DUE = date(2026, 3, 10)
OWED = 10100
ANY = MatchFilter()


class Desk:
    """Books with what runs the passes over them."""

    def __init__(self, books: SqlBooks, queries: SqlQueries, matching: SqlMatching) -> None:
        self.books, self.queries, self.matching = books, queries, matching
        self.runs = LineMatching(matching, books)

    async def state(self, loan_id: str = "L1") -> str:
        """State of the first installment."""
        view = await self.queries.view(installment(loan_id, 1))
        assert view is not None
        return view.state

    async def groups(self, wanted: MatchFilter = ANY) -> list[Group]:
        """All groups of one run."""
        async with self.matching.run() as run:
            return list(await run.groups(wanted, "", 100))

    async def suggestions(self) -> list[str]:
        """What open cases of lines suggest."""
        found = (await self.queries.waiting()).items
        return [case.suggestion for case in found if case.kind is CaseKind.UNMATCHED_LINE]


@pytest_asyncio.fixture
async def desk(
    engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries
) -> AsyncIterator[Desk]:
    """Give a desk whose loan L1 has an installment due."""
    await apply_all(books, [board("L1")])
    clock.to(DUE)
    await apply_all(books, [roll("L1", DUE)])
    yield Desk(books, queries, SqlMatching(engine, clock, RULES))


def shown(ref: str | None, minor: int = OWED, *, name: str = "1", **changes: object) -> BookLine:
    """A line whose only item has these fields."""
    booked = line(ref or "none", minor, day=DUE, name=name)
    item = replace(booked.line.items[0], end_to_end_id=ref, **changes)  # type: ignore[arg-type]
    return replace(booked, line=replace(booked.line, items=(item,)))


@pytest.mark.parametrize("by", ["reference", "virtual account"])
async def test_money_with_the_reference_of_a_loan_pays_it(desk: Desk, by: str) -> None:
    """A transfer that nobody recorded is applied to the loan whose reference or account it has."""
    rf = creditor_reference("L1")
    named = {"remittance": (f"{rf[:4].lower()} {rf[4:]}",)}
    account = {"other_refs": (("virtual account", f"622800{virtual_account('L1')}"),)}
    await apply_all(desk.books, [shown(None, **(named if by == "reference" else account))])
    assert await desk.suggestions() == [""]
    assert await desk.runs.match() == Matched(ordered=1)
    assert await desk.state() == "SETTLED"
    assert await desk.suggestions() == []
    assert await desk.runs.match() == Matched()


async def test_two_transfers_with_one_reference_are_two_payments(desk: Desk) -> None:
    """The reference of a loan may come again and again: each line is money of its own."""
    rf = creditor_reference("L1")
    first = shown(None, 4000, remittance=(rf,))
    await apply_all(desk.books, [first, shown(None, OWED - 4000, name="2", remittance=(rf,))])
    assert (await desk.runs.match()).ordered == 2
    assert await desk.state() == "SETTLED"
    waiting = (await desk.queries.balances("suspense/line/")).items
    assert [it.minor for it in waiting] == [0, 0]


async def confirmed(desk: Desk, clock: StillClock, minor: int = OWED, ref: str = "BK-1") -> str:
    """Have the debit of the first installment confirmed; its order number."""
    action = await present(desk.books, desk.queries, clock, "L1")
    order_no = order_of(await intend(desk.books, "L1", 1, action))
    reported = confirm(order_no, minor)
    outcome = replace(reported.outcome, bank_ref=ref)
    await apply_all(desk.books, [replace(reported, outcome=outcome)])
    return order_no


async def test_the_banks_own_reference_finds_a_debit(desk: Desk, clock: StillClock) -> None:
    """A line without our order number is matched by the booking that the rail named."""
    await confirmed(desk, clock)
    await apply_all(desk.books, [shown(None, tx_id="BK-1")])
    assert (await desk.runs.match()).ordered == 1
    assert await desk.state() == "SETTLED"


async def test_mandate_day_and_amount_find_a_debit(desk: Desk, clock: StillClock) -> None:
    """A line that names only the mandate is matched on its day with its amount, and no other."""
    order_no = await confirmed(desk, clock)
    mandate = (await desk.queries.loan("L1")).mandate.ref  # type: ignore[union-attr]
    late = shown(None, mandate_ref=mandate)
    late = replace(late, line=replace(late.line, value_on=DUE + timedelta(days=1)))
    await apply_all(desk.books, [late, shown(None, OWED - 1, name="2", mandate_ref=mandate)])
    assert (await desk.runs.match()).ordered == 0
    await apply_all(desk.books, [shown(None, name="3", mandate_ref=mandate)])
    assert (await desk.runs.match()).ordered == 1, order_no
    assert await desk.state() == "SETTLED"


async def test_what_a_person_has_undone_is_not_matched_again(desk: Desk) -> None:
    """After an undone match the line waits without what it said: only a person matches it."""
    booked = shown(None, remittance=(creditor_reference("L1"),))
    await apply_all(desk.books, [booked])
    await desk.runs.match()
    undo = UndoMatch(
        id="undo",
        actor=TESTER,
        reason="it was for somebody else",
        loan_id="L1",
        number=1,
        line=booked.line.id,
        reference=creditor_reference("L1"),
    )
    await apply_all(desk.books, [undo])
    assert await desk.runs.match() == Matched()
    (group,) = await desk.groups()
    assert (group.result.status, group.result.cause) == (Status.UNIDENTIFIED, Cause.NAMES_NOTHING)


TOLERANT = replace(PRODUCT, version=9, matching=Tolerance(300, 3, 80))


async def tolerant(desk: Desk, clock: StillClock, *, posts: bool) -> None:
    """Board a loan whose product tolerates fees, days and names; a transfer of it is reported."""
    product = replace(TOLERANT, matching=replace(TOLERANT.matching, posts=posts))
    await apply_all(desk.books, [replace(board("L2"), product=product), roll("L2", DUE)])
    payment = RecordPayment(
        id="pay-2",
        actor=TESTER,
        reason="reported by the borrower",
        loan_id="L2",
        number=1,
        reference="Zhang Wei",
        amount_minor=OWED,
        currency="CNY",
        value_on=DUE,
    )
    await apply_all(desk.books, [payment])


SENDER = Party(name="ZHANG, Wei")


async def test_a_tolerated_difference_is_proposed_and_accepted(
    desk: Desk, clock: StillClock
) -> None:
    """Name, day and amount within the rule are a suggestion of the case.

    Once it is accepted, the difference is a fee, and nothing is lost.
    """
    await tolerant(desk, clock, posts=False)
    await apply_all(desk.books, [shown(None, OWED - 200, counterparty=SENDER)])
    assert await desk.runs.match() == Matched(suggested=1)
    (text,) = await desk.suggestions()
    assert text.startswith("accept: a match by likeness of names")
    assert await desk.runs.match() == Matched(suggested=1)  # the same suggestion, noted once
    (group,) = await desk.groups(MatchFilter(statuses=(Status.MATCHED,)))
    await apply_all(
        desk.books, list(orders_of(group, Basis.ACCEPTED, Actor("operator", "ops-7"), "it is hers"))
    )
    assert await desk.state("L2") == "SETTLED"
    fees = (await desk.queries.balances("rail_fees/")).items
    assert [(it.account, it.minor) for it in fees] == [("rail_fees/transfer", 200)]


async def test_a_product_that_posts_what_it_tolerates_needs_nobody(
    desk: Desk, clock: StillClock
) -> None:
    """Where the rule says so, the tolerated match is posted by itself."""
    await tolerant(desk, clock, posts=True)
    await apply_all(desk.books, [shown(None, OWED - 200, counterparty=SENDER)])
    assert await desk.runs.match() == Matched(ordered=1)
    assert await desk.state("L2") == "SETTLED"


async def test_money_that_no_line_shows_in_time_is_missing(desk: Desk, clock: StillClock) -> None:
    """A confirmed debit is expected until its settlement day has passed, and missing after it."""
    order_no = await confirmed(desk, clock)
    async with desk.matching.run() as run:
        assert await run.overdue("", 10) == []
    clock.to(DUE + timedelta(days=20))
    async with desk.matching.run() as run:
        (overdue,) = await run.overdue("", 10)
        assert await run.overdue(overdue.meant.id, 10) == []
    assert (overdue.meant.id, overdue.meant.minor) == (f"payment/R-{order_no}", OWED)
    assert overdue.meant.expected_by is not None
    assert overdue.meant.expected_by > DUE


async def test_groups_are_narrowed_by_account_day_and_line(desk: Desk) -> None:
    """A list of what waits can be narrowed, and goes on behind a group."""
    one, two = shown("X-1", 5), shown("X-2", 7, name="2")
    two = replace(two, line=replace(two.line, booked_on=DUE + timedelta(days=1)))
    await apply_all(desk.books, [one, two])
    account = one.line.account
    assert len(await desk.groups(MatchFilter(account=account))) == 2
    assert await desk.groups(MatchFilter(account="elsewhere")) == []
    (found,) = await desk.groups(MatchFilter(day=DUE))
    assert found.shown[0].line == one.line.id
    (found,) = await desk.groups(MatchFilter(line=two.line.id))
    assert found.result.cause is Cause.UNKNOWN_REFERENCE
    async with desk.matching.run() as run:
        (first,) = await run.groups(ANY, "", 1)
        (second,) = await run.groups(ANY, first.shown[0].id, 5)
        cases = await run.cases_of([one.line.id, two.line.id])
    assert {first.shown[0].line, second.shown[0].line} == {one.line.id, two.line.id}
    assert {(it.line, it.owner) for it in cases} == {
        (one.line.id, "reconciliation"),
        (two.line.id, "reconciliation"),
    }


async def test_a_forced_match_needs_an_approver(desk: Desk) -> None:
    """What is posted by hand is reasoned, and somebody else approves it."""
    booked = shown("X-1")
    await apply_all(desk.books, [booked])
    order = MatchLine(
        id="force",
        actor=TESTER,
        reason="the sender says so",
        loan_id="L1",
        number=1,
        line=booked.line.id,
        reference="X-1",
        amount_minor=OWED,
        basis=Basis.FORCED,
    )
    (answer,) = await desk.books.apply_many([order])
    assert isinstance(answer, Refused)
    assert answer.rule == "match.approver"
    (answer,) = await desk.books.apply_many([replace(order, id="force-2", approver="lead-1")])
    assert isinstance(answer, Applied)
    assert await desk.state() == "SETTLED"
