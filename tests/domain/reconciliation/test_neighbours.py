"""What is wrong between a statement and those read before it."""

from dataclasses import replace
from datetime import date

from domain.reconciliation.neighbours import Read, among
from domain.reconciliation.statement import Fault, FaultRule, Statement


def day(
    number: int,
    opening: int | None,
    closing: int | None,
    sequence: int | None = None,
    **more: object,
) -> Read:
    """The statement of one day of January 2026."""
    on = date(2026, 1, number)
    head = Statement(f"D{number}", "A", "CNY", sequence, on, opening, closing, period=(on, on))
    sums = (closing or 0) - (opening or 0)
    return Read(replace(head, **more), 1, sums)  # type: ignore[arg-type]


def month(opening: int, closing: int, sequence: int | None = None) -> Read:
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    head = Statement("M1", "A", "CNY", sequence, last, opening, closing, period=(first, last))
    return Read(head, 9, closing - opening)


def rules(read: Read, *others: Read) -> list[FaultRule]:
    return [fault.rule for fault in among(read, others)]


def test_without_numbers_a_statement_opens_as_the_one_before_closed() -> None:
    """Days decide what comes before; a lost statement shows in the balances."""
    assert rules(day(2, 50, 80), day(1, 0, 50)) == []
    assert rules(day(3, 60, 80), day(1, 0, 50)) == [FaultRule.CHAIN_BROKEN]
    assert rules(day(3, 80, 90), day(1, 0, 50), day(2, 50, 80)) == []
    assert rules(day(1, 0, 50), day(2, 60, 80)) == []
    assert rules(day(1, 0, 50)) == []


def test_a_missing_closing_balance_does_not_accuse_the_next_statement() -> None:
    """What a bank did not say is not zero."""
    assert rules(day(2, 50, 80), day(1, 0, None)) == []
    assert rules(day(2, None, 80), day(1, 0, 50)) == []


def test_a_month_and_its_days_overlap_without_fault() -> None:
    """The month opens as December closed and January's last day closes as the month does."""
    december = replace(day(1, 0, 10).head, period=(date(2025, 12, 31),) * 2)
    before = Read(december, 1, 10)
    days = [day(1, 10, 50), day(31, 50, 90)]
    assert rules(month(10, 90), before, *days) == []
    assert rules(day(31, 50, 90), before, month(10, 90)) == []
    february = Statement(
        "F", "A", "CNY", None, date(2026, 2, 1), 90, 95, period=(date(2026, 2, 1),) * 2
    )
    assert rules(Read(february, 1, 5), month(10, 90), *days) == []


def test_a_period_may_begin_on_the_day_of_the_opening_balance() -> None:
    """Some banks date the opening balance on the day before: the chain holds all the same."""
    on = (date(2026, 1, 1), date(2026, 1, 2))
    assert rules(day(2, 50, 80, period=on), day(1, 0, 50)) == []
    assert rules(day(2, 51, 80, period=on), day(1, 0, 50)) == [FaultRule.CHAIN_BROKEN]


def test_numbers_tell_gaps_and_repeats() -> None:
    """One number missing, one number twice for one day, and a number that goes on."""
    assert rules(day(2, 50, 80, 8), day(1, 0, 50, 7)) == []
    assert rules(day(3, 50, 80, 9), day(1, 0, 50, 7)) == [FaultRule.SEQUENCE_GAP]
    again = day(1, 0, 50, 7, id="again")
    assert among(again, [day(1, 0, 50, 7)]) == (Fault(FaultRule.SEQUENCE_REPEATED, "again", 7),)
    assert rules(day(2, 50, 80, 7), day(1, 0, 50, 7)) == [FaultRule.SEQUENCE_REPEATED]


def test_numbers_and_ids_may_begin_anew_each_year() -> None:
    """001 of 2027 follows 365 of 2026, and is not the 001 of 2026."""
    new_year = date(2027, 1, 1)
    first = Statement("001", "A", "CNY", 1, new_year, 50, 60, period=(new_year, new_year))
    old_first = day(1, 0, 20, 1, id="001")
    old_last = day(31, 20, 50, 365)
    assert rules(Read(first, 1, 10), old_first, old_last) == []
    assert rules(Read(replace(first, opening_minor=49), 1, 10), old_first, old_last) == [
        FaultRule.CHAIN_BROKEN
    ]


def test_two_statements_of_one_day_are_put_in_order_by_their_numbers() -> None:
    """Without numbers nothing can be said of them."""
    morning, evening = day(1, 0, 50, 7), day(1, 50, 80, 8, id="evening")
    assert rules(evening, morning) == []
    assert rules(replace(evening, head=replace(evening.head, opening_minor=1)), morning) == [
        FaultRule.CHAIN_BROKEN
    ]
    assert rules(day(1, 9, 9, id="other"), day(1, 0, 50)) == []


def test_where_no_day_is_known_numbers_decide() -> None:
    """A bank that states no day at all is still chained by its numbers."""

    def undated(name: str, sequence: int | None, opening: int, closing: int) -> Read:
        head = Statement(name, "A", "CNY", sequence, None, opening, closing)
        return Read(head, 1, closing - opening)

    assert rules(undated("b", 2, 50, 60), undated("a", 1, 0, 50)) == []
    assert rules(undated("b", 2, 51, 60), undated("a", 1, 0, 50)) == [FaultRule.CHAIN_BROKEN]
    assert rules(undated("b", 1, 51, 60), undated("a", 1, 0, 50)) == [FaultRule.SEQUENCE_REPEATED]
    assert rules(undated("b", None, 51, 60), undated("a", None, 0, 50)) == []
    dated_only = day(1, 0, 50, period=None)
    assert rules(day(2, 51, 60), dated_only) == [FaultRule.CHAIN_BROKEN]


def test_the_same_statement_again_is_wrong_only_where_it_says_something_else() -> None:
    """A copy is silent; a corrected statement under its old id is told with both figures."""
    first = day(1, 0, 50)
    assert rules(first, first) == []
    other = replace(first, head=replace(first.head, closing_minor=60))
    assert among(other, [first]) == (Fault(FaultRule.RESTATED, "D1", 60, 50),)


def page(number: int, opening: int, closing: int, *, last: bool = False) -> Read:
    name = "D2" if number == 1 else f"D2/p{number}"
    return day(2, opening, closing, 8, id=name, page=number, is_last_page=last)


def test_pages_share_a_number_and_are_judged_when_the_last_is_in() -> None:
    """Two pages with one electronic number are no repeat; nothing is asked of the first alone."""
    before, one, two = day(1, 0, 50, 7), page(1, 50, 60), page(2, 60, 80, last=True)
    assert rules(one, before) == []
    assert rules(two, before, one) == []
    assert rules(two, before) == [FaultRule.PAGE_MISSING]
    assert rules(one, before, two) == []
    assert rules(page(2, 61, 80, last=True), before, one) == [
        FaultRule.BALANCE_DIFFERS,
        FaultRule.CHAIN_BROKEN,
    ]
    assert rules(day(3, 80, 90, 9), before, one, two) == []


def test_pages_may_repeat_the_balances_of_the_whole() -> None:
    """Opening and closing of the statement on each page: the sum of all pages is between them."""
    one = Read(page(1, 50, 80).head, 1, 10)
    two = Read(page(2, 50, 80, last=True).head, 1, 20)
    assert rules(two, one) == []


def test_a_statement_whose_last_page_never_came_is_told_by_the_next() -> None:
    """The bank said that more follow, and the next statement is here without it."""
    assert among(day(3, 80, 90, 9), [page(1, 50, 60)]) == (
        Fault(FaultRule.PAGE_MISSING, "D2", 2, 1),
    )
