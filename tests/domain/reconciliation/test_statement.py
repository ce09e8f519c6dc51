"""The sums inside a statement and between two of them."""

from dataclasses import replace
from datetime import date

from domain.reconciliation.statement import (
    Fault,
    FaultRule,
    LineItem,
    Stated,
    Statement,
    StatementLine,
    Summary,
)
from domain.reconciliation.totals import (
    FAULTS_KEPT,
    Tally,
    Totals,
    control_totals,
    follows,
    whole,
)

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


def test_a_balance_that_differs_is_told_with_both_figures() -> None:
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
    """Totals over pages and over the whole agree, so bounded memory changes no verdict."""
    lines = tuple(line(number, number) for number in range(1, 8))
    whole = statement(0, 29, *lines)
    totals = Totals().plus(whole, lines[:3]).plus(whole, lines[3:])
    assert (totals.lines, totals.sum_minor) == (7, 28)
    assert totals.closed(whole) == control_totals(whole)


def test_faults_of_lines_are_bounded() -> None:
    """A file that is wrong on every line is reported and does not fill the memory."""
    lines = tuple(line(number, 1, currency="EUR") for number in range(FAULTS_KEPT + 5))
    assert len(Totals().plus(statement(0, 0), lines).faults) == FAULTS_KEPT


def test_a_gap_a_repeat_and_a_broken_chain_between_statements_are_told() -> None:
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


def test_balances_in_other_currencies_are_told() -> None:
    """A balance in a currency that is not the statement's is a fault by itself."""
    head = Statement("S1", "A1", "EUR", 1, None, 0, 0, other_currencies=("SEK",))
    assert control_totals(head) == (Fault(FaultRule.OTHER_CURRENCY, "S1 balance SEK"),)
