"""The sums inside a statement and between two of them."""

from dataclasses import replace
from datetime import date

from domain.statement.statement import (
    Fault,
    FaultRule,
    LineItem,
    Stated,
    Statement,
    StatementLine,
    Summary,
)
from domain.statement.totals import FAULTS_KEPT, Tally, Totals, follows, judge_pages
from tests.support.totals import control_totals

DAY = date(2026, 1, 5)


def line(number: int, minor: int, *items: LineItem, currency: str = "CNY") -> StatementLine:
    return StatementLine(
        f"A/S/{number}", "A", DAY, DAY, minor, currency, servicer_ref=None, items=items
    )


def statement(opening: int | None, closing: int | None, *lines: StatementLine) -> Statement:
    return Statement("S", "A", "CNY", 7, DAY, opening, closing, lines)


def test_opening_plus_lines_is_closing() -> None:
    """A statement whose lines explain its balances has no fault."""
    assert control_totals(statement(1000, 700, line(1, 200), line(2, -500))) == ()


def test_a_balance_that_differs_is_reported_with_both_figures() -> None:
    """One minor unit too much is a fault that names what was stated and what was counted."""
    faults = control_totals(statement(1000, 1201, line(1, 200)))
    assert faults == (Fault(FaultRule.BALANCE_DIFFERS, "S", 1201, 1200),)


def test_a_missing_balance_is_a_fault_and_not_a_zero() -> None:
    """No balance is not a balance of nothing."""
    opening = Fault(FaultRule.OPENING_MISSING, "S")
    closing = Fault(FaultRule.CLOSING_MISSING, "S")
    assert control_totals(statement(None, None, line(1, 5))) == (opening, closing)
    assert control_totals(statement(None, 5, line(1, 5))) == (opening,)
    assert control_totals(statement(5, None, line(1, 5))) == (closing,)


def test_a_returned_debit_holds_its_fee_inside() -> None:
    """50.00 returned with a fee of 3.00 is booked as 53.00 and adds up."""
    item = LineItem(None, "M1", None, -5000, 300, "MS03")
    assert item.booked_minor == -5300
    assert control_totals(statement(6000, 700, line(1, -5300, item))) == ()


def test_a_fee_is_taken_from_a_credit() -> None:
    """50.00 collected with a fee of 0.30 arrives as 49.70."""
    item = LineItem("E1", None, None, 5000, 30)
    assert control_totals(statement(0, 4970, line(1, 4970, item))) == ()


def test_charges_of_a_whole_batch_belong_to_no_item() -> None:
    """Two debits of 10.00 less one fee of 0.50 for the batch are booked as 19.50."""
    items = (LineItem("E1", None, None, 1000), LineItem("E2", None, None, 1000))
    batch = replace(line(1, 1950, *items), charges_minor=50, batch_count=2)
    assert control_totals(statement(0, 1950, batch)) == ()


def test_items_that_do_not_sum_to_their_line_are_a_fault() -> None:
    """A batch of 20.00 with items of 19.00 leaves 1.00 without an owner: it is said."""
    batch = line(1, 2000, LineItem("E1", None, None, 1000), LineItem("E2", None, None, 900))
    faults = control_totals(statement(0, 2000, batch))
    assert faults == (Fault(FaultRule.ITEMS_DIFFER, "A/S/1", 2000, 1900),)


def test_a_batch_count_that_differs_from_its_items_is_a_fault() -> None:
    """Three announced and two listed means that one is missing even if the sum is right."""
    items = (LineItem("E1", None, None, 1000), LineItem("E2", None, None, 1000))
    faults = control_totals(statement(0, 2000, replace(line(1, 2000, *items), batch_count=3)))
    assert faults == (Fault(FaultRule.BATCH_COUNT_DIFFERS, "A/S/1", 3, 2),)


def test_another_currency_is_never_added_in() -> None:
    """A line in euro does not move a balance in yuan, and is a fault."""
    faults = control_totals(statement(100, 100, line(1, 5, currency="EUR")))
    assert faults == (Fault(FaultRule.OTHER_CURRENCY, "A/S/1"),)


def test_page_by_page_counts_the_same_as_all_at_once() -> None:
    """Totals over pages and over the whole agree, so bounded memory changes no result."""
    lines = tuple(line(number, number) for number in range(1, 8))
    whole = statement(0, 29, *lines)
    totals = Totals().plus(whole, lines[:3]).plus(whole, lines[3:])
    assert (totals.lines, totals.sum_minor) == (7, 28)
    assert totals.closed(whole) == control_totals(whole)


def test_faults_of_lines_are_bounded() -> None:
    """A file that is wrong on every line is reported and does not fill the memory."""
    lines = tuple(line(number, 1, currency="EUR") for number in range(FAULTS_KEPT + 5))
    assert len(Totals().plus(statement(0, 0), lines).faults) == FAULTS_KEPT


def test_a_gap_a_repeat_and_a_broken_chain_between_statements_are_reported() -> None:
    """Number 9 after 7 misses one, 7 after 7 repeats, and 701 does not open where 700 closed."""
    before = statement(0, 700)
    assert follows(before, replace(statement(700, 700), sequence=8)) == ()
    gap = follows(before, replace(statement(700, 700), sequence=9))
    assert gap == (Fault(FaultRule.SEQUENCE_GAP, "S", 9, 8),)
    again = follows(before, replace(statement(701, 701), sequence=7))
    assert again == (
        Fault(FaultRule.SEQUENCE_REPEATED, "S", 7, 8),
        Fault(FaultRule.CHAIN_BROKEN, "S", 701, 700),
    )


def test_banks_without_numbers_are_chained_by_their_balances_alone() -> None:
    """Where a bank gives no number, no gap is invented."""
    assert follows(statement(0, 700), replace(statement(700, 900), sequence=None)) == ()


def test_balances_in_other_currencies_are_reported() -> None:
    """A balance in a currency that is not the statement's is a fault by itself."""
    head = Statement("S1", "A1", "EUR", 1, None, 0, 0, other_currencies=("SEK",))
    assert control_totals(head) == (Fault(FaultRule.OTHER_CURRENCY, "S1 balance SEK"),)


def test_an_entry_counts_by_its_booking_date_never_by_its_value_date() -> None:
    """Valued tomorrow and booked today is in today's balance; booked tomorrow is not."""
    tomorrow = date(2026, 1, 6)
    valued = replace(line(1, 500), value_on=tomorrow)
    assert control_totals(statement(0, 500, valued)) == ()
    ahead = replace(line(2, 70), booked_on=tomorrow)
    assert control_totals(statement(0, 500, valued, ahead)) == ()
    assert control_totals(statement(0, 570, valued, ahead)) == ()
    fault = Fault(FaultRule.BALANCE_DIFFERS, "S", 499, 500)
    assert control_totals(statement(0, 499, valued, ahead)) == (fault,)


def summed(summary: Summary, *minors: int) -> list[FaultRule]:
    head = replace(statement(0, sum(minors), *(line(n, m) for n, m in enumerate(minors))))
    return [fault.rule for fault in control_totals(replace(head, summary=summary))]


def test_the_banks_own_totals_are_compared() -> None:
    """Number, sum, net, credits and debits: each may be stated, and each is held to."""
    right = Summary(Stated(3, 170), 30, Stated(2, 100), Stated(1, 70))
    assert summed(right, 60, 40, -70) == []
    assert summed(Summary(), 60) == []
    assert summed(replace(right, entries=Stated(4, 170)), 60, 40, -70) == [
        FaultRule.SUMMARY_COUNT_DIFFERS
    ]
    for wrong in (
        replace(right, net=31),
        replace(right, entries=Stated(None, 171)),
        replace(right, credits=Stated(2, 101)),
        replace(right, debits=Stated(1, 71)),
    ):
        assert summed(wrong, 60, 40, -70) == [FaultRule.SUMMARY_SUM_DIFFERS]


def test_a_summary_may_count_entries_that_are_not_booked() -> None:
    """Some banks count pending entries in their totals; both ways of counting are right."""
    head = replace(statement(0, 60, line(1, 60)), summary=Summary(Stated(2, 100)))
    totals = Totals().plus(head, head.lines)
    assert totals.closed(head, Tally().plus(40)) == ()
    assert [f.rule for f in totals.closed(head)] == [
        FaultRule.SUMMARY_COUNT_DIFFERS,
        FaultRule.SUMMARY_SUM_DIFFERS,
    ]


def page(number: int, opening: int, closing: int, *, last: bool = False) -> Statement:
    name = "S" if number == 1 else f"S/p{number}"
    return replace(
        statement(opening, closing), id=name, page=number, is_last_page=last, booked_on=DAY
    )


def test_pages_are_judged_as_one_statement() -> None:
    """No page has to add up alone; the whole has to, in whatever order the pages come."""
    first, second = page(1, 0, 50), page(2, 50, 90, last=True)
    assert first.whole_id == second.whole_id == "S"
    assert control_totals(page(1, 0, 99)) == ()
    assert judge_pages([(second, 40, 0), (first, 50, 0)]) == ()
    wrong = judge_pages([(first, 50, 0), (second, 41, 0)])
    assert wrong == (Fault(FaultRule.BALANCE_DIFFERS, "S/p2", 90, 91),)


def test_a_missing_page_is_reported() -> None:
    """The last page says how many there are; without it one more is awaited."""
    first, third = page(1, 0, 50), page(3, 70, 90, last=True)
    assert judge_pages([(first, 50, 0), (third, 20, 0)]) == (
        Fault(FaultRule.PAGE_MISSING, "S/p3", 3, 2),
    )
    assert judge_pages([(first, 50, 0)]) == (Fault(FaultRule.PAGE_MISSING, "S", 2, 1),)


def test_the_first_page_opens_and_the_last_page_closes() -> None:
    """Pages between need no balances; these two are asked for theirs at once."""
    rules = [
        [
            fault.rule
            for fault in control_totals(replace(one, opening_minor=None, closing_minor=None))
        ]
        for one in (page(1, 0, 0), page(2, 0, 0), page(3, 0, 0, last=True))
    ]
    assert rules == [[FaultRule.OPENING_MISSING], [], [FaultRule.CLOSING_MISSING]]
