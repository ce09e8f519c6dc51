"""What is wrong between a statement and those read before it."""

from dataclasses import replace
from datetime import date

from domain.statement.neighbours import Read, among, apart, perhaps_apart
from domain.statement.statement import Fault, FaultRule, Statement


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
    again = day(1, 0, 60, 7, id="again")
    assert among(again, [day(1, 0, 50, 7)]) == (Fault(FaultRule.SEQUENCE_REPEATED, "again", 7),)
    assert rules(day(2, 50, 80, 7), day(1, 0, 50, 7)) == [FaultRule.SEQUENCE_REPEATED]


def test_a_number_twice_for_one_statement_in_two_formats_is_no_repeat() -> None:
    """Same days, currency and balances: each format names it in its own way. Else it is one."""
    known = day(1, 0, 50, 7)
    assert rules(day(1, 0, 50, 7, id="2026-7"), known) == []
    assert rules(day(1, 10, 50, 7, id="2026-7"), known) == [FaultRule.SEQUENCE_REPEATED]
    other = day(1, 0, 50, 7, id="2026-7")
    euros = replace(other, head=replace(other.head, currency="EUR"))
    assert rules(euros, known) == [FaultRule.SEQUENCE_REPEATED]
    bare = replace(other, head=replace(other.head, closing_minor=None))
    like = replace(known, head=replace(known.head, closing_minor=None))
    assert rules(bare, like) == [FaultRule.SEQUENCE_REPEATED]
    longer = (date(2026, 1, 1), date(2026, 1, 2))
    assert FaultRule.SEQUENCE_REPEATED in rules(day(1, 0, 50, 7, id="x", period=longer), known)


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
    """A copy is silent; a corrected statement under its old id is reported with both figures."""
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


def test_a_statement_whose_last_page_never_came_is_reported_by_the_next() -> None:
    """The bank said that more follow, and the next statement is here without it."""
    assert among(day(3, 80, 90, 9), [page(1, 50, 60)]) == (
        Fault(FaultRule.PAGE_MISSING, "D2", 2, 1),
    )


def heads(*reads: Read) -> list[Statement]:
    return [read.head for read in reads]


def test_statements_apart_go_on_where_the_other_ends() -> None:
    """By balance and day, and by number where both have one; either of the two may be asked."""
    first, second = day(5, 0, 50, 1), day(5, 50, 90, 2, id="later")
    assert apart(second.head, heads(first, second)) == {"D5"}
    assert apart(first.head, heads(first, second)) == {"later"}
    assert apart(day(6, 50, 90).head, heads(day(5, 0, 50))) == {"D5"}
    gap = day(5, 50, 90, 3, id="later")
    assert apart(gap.head, heads(first)) == frozenset()
    assert perhaps_apart(gap.head, heads(first)) == {"D5"}


def test_pages_of_one_whole_are_apart() -> None:
    """They share id and period, and nothing else is asked of them."""
    pages = [day(5, 0, 50, id=name, page=number) for number, name in ((1, "S"), (2, "S/p2"))]
    assert apart(pages[1].head, heads(*pages)) == {"S"}
    assert perhaps_apart(pages[1].head, heads(*pages)) == frozenset()


def test_what_cannot_be_distinguished_from_a_copy_is_only_perhaps_apart() -> None:
    """Back at one balance, or beside a statement of the whole day, nothing is certain."""
    same = day(5, 0, 0, id="again")
    assert apart(same.head, heads(day(5, 0, 0))) == frozenset()
    assert perhaps_apart(same.head, heads(day(5, 0, 0))) == {"D5"}
    parts = heads(day(5, 0, 50, id="a"), day(5, 50, 0, id="b"))
    whole = day(5, 0, 70, id="whole")
    assert apart(whole.head, parts) == frozenset()
    assert perhaps_apart(whole.head, parts) == {"a", "b"}
    assert apart(day(5, 50, 0, id="b").head, parts) == {"a"}
    assert apart(day(5, 50, 0, id="b").head, [*parts, whole.head]) == frozenset()


def test_what_lies_between_two_statements_keeps_them_apart() -> None:
    """Step by step along one day, without going round to a copy of the statement itself."""
    rounds = [day(5, 0, 50, id="a"), day(5, 50, 90, id="b"), day(5, 90, 0, id="c")]
    assert apart(rounds[2].head, heads(*rounds)) == {"a", "b"}
    again = day(5, 90, 0, id="c again")
    assert apart(again.head, heads(*rounds)) == {"a", "b"}
    assert perhaps_apart(again.head, heads(*rounds)) == frozenset()


def test_a_statement_that_does_not_join_is_neither() -> None:
    """A copy under another id, a month over its day, another currency, no balance, no day."""
    first = day(5, 0, 50)
    others = [
        day(5, 0, 50, id="copy"),
        month(50, 90),
        day(5, 50, 90, id="other", currency="EUR"),
        day(5, None, 90, id="bare"),
        day(5, 50, 90, id="undated", period=None, booked_on=None),
        day(4, 50, 90),
    ]
    for other in others:
        assert apart(other.head, heads(first)) == frozenset(), other
        assert perhaps_apart(other.head, heads(first)) == frozenset(), other
    assert apart(day(5, 50, None, id="open").head, heads(first)) == frozenset()
    assert apart(day(6, 50, 60).head, heads(first, others[4])) == frozenset()
