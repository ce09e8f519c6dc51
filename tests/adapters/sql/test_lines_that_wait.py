"""Lines that wait beside others: found by every reference, matched by hand, no gate forgotten."""

from dataclasses import replace
from datetime import date

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.calendar import ONE_DAY
from domain.debit.mandate import Mandate
from domain.kernel.change import Applied
from domain.loan.view import installment
from domain.statement.statement import LineItem
from tests.support.booksbench import StillClock, apply_all, line, roll
from tests.support.doors import BookLine, MatchLine, RecordPayment
from tests.support.memory import PRODUCT, TESTER, board

DUE = date(2026, 3, 10)


def of_items(name: str, *items: LineItem) -> BookLine:
    """A line that is the sum of its items."""
    booked = line("-", sum(item.amount_minor for item in items), day=DUE, name=name)
    return replace(booked, line=replace(booked.line, items=items))


def pay(loan_id: str, reference: str, minor: int = 10100) -> RecordPayment:
    """A transfer for the first installment of a loan."""
    return RecordPayment(
        id=f"pay/{loan_id}/{reference}",
        actor=TESTER,
        reason="reported by the borrower",
        loan_id=loan_id,
        number=1,
        reference=reference,
        amount_minor=minor,
        currency="CNY",
        value_on=DUE,
    )


def match(booked: BookLine, reference: str) -> MatchLine:
    """A person says that 101.00 of a line are this payment of the first loan."""
    return MatchLine(
        id=f"match/{booked.line.id}",
        actor=TESTER,
        reason="the payer called",
        loan_id="L1",
        number=1,
        line=booked.line.id,
        reference=reference,
        amount_minor=10100,
    )


async def two_loans(books: SqlBooks, clock: StillClock) -> None:
    """Two loans on one mandate, whose first installments have fallen due."""
    mandate = Mandate("M-1", "simbank", "merchant-1", "acct-1", date(2026, 1, 1))
    closure = replace(PRODUCT.closure, return_window_banking_days=0)
    product = replace(PRODUCT, closure=closure)
    await apply_all(books, [board(name, product, mandate=mandate) for name in ("L1", "L2")])
    clock.to(DUE)
    await apply_all(books, [roll(name, DUE) for name in ("L1", "L2")])


async def test_an_item_is_found_though_what_waits_nets_to_zero(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Of three items one is matched and two cancel out: the payment of one is recorded later."""
    await two_loans(books, clock)
    items = [LineItem("A", None, None, 10100), LineItem("B", None, None, 5000)]
    booked = of_items("1", *items, LineItem(None, None, None, -5000))
    for command in (pay("L1", "A"), booked, pay("L2", "B", 5000)):
        await apply_all(books, [command])  # one by one: a group knows its own lines without looking
    assert [item.minor for item in (await queries.balances("clearing/transfer")).items] == [0]


async def test_a_line_is_matched_by_hand_beside_another_of_its_reference(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Payers use one reference again and again: that another line waits under it is no race."""
    await two_loans(books, clock)
    first, second = (line("RENT", 10100, day=DUE, name=name) for name in ("1", "2"))
    await apply_all(books, [first, second])
    assert isinstance(await books.apply(match(first, "RENT")), Applied)
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.labels.amount_minor == 0


async def test_lines_of_one_reference_are_taken_by_booking_date_and_then_by_id(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Each database finds them in an order of its own: three parts of 50.00 for 101.00."""
    await two_loans(books, clock)
    for name, day in (("2", DUE), ("1", DUE), ("3", DUE - ONE_DAY)):
        await apply_all(books, [line("RENT", 5000, day=day, name=name)])
    await apply_all(books, [pay("L1", "RENT")])
    left = {case.line: case.amount_minor for case in (await queries.cases()).items if case.line}
    assert left == {"ACCT-FUNDER-1-CNY/S1/2": 4900}


async def test_the_end_of_a_case_is_seen_by_every_loan_that_it_names(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A return under a shared mandate keeps both loans open; matched to one, it frees the other."""
    await two_loans(books, clock)
    back = of_items("back", LineItem(None, "M-1", None, -10100, 0, "AM04"))
    proofs = [line(ref, 10100, day=DUE, name=ref) for ref in ("T-1", "T-2")]
    await apply_all(books, [back, pay("L1", "T-1"), pay("L2", "T-2"), *proofs])
    held = await queries.view(installment("L2", 1))
    assert held is not None
    assert held.missing == ("case",)
    await apply_all(books, [match(back, "T-1")])
    view = await queries.view(installment("L2", 1))
    assert view is not None
    assert view.state == "CLOSED"
