"""Compares a statement with the others of its account: repeated, restated, incomplete, or next.

Days decide which statement comes before another, since many banks give no numbers and some begin
them anew each year. Numbers are compared where both statements have one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.reconciliation.statement import Fault, FaultRule, Statement
from domain.reconciliation.totals import follows, judge_pages


@dataclass(frozen=True, slots=True)
class Read:
    """A statement, or one page of it, that has been read: head, number and sum of its lines.

    `later_minor` is the part of the sum that is booked after the day of the closing balance.
    """

    head: Statement
    lines: int
    sum_minor: int
    later_minor: int = 0


def among(read: Read, others: Sequence[Read]) -> tuple[Fault, ...]:
    """What is wrong between a statement and those that were read before it, on one account.

    The same statement again is wrong only where it says something else. Pages of one statement
    share its number; the whole is judged when its last page is in.
    """
    head = read.head
    again = next((other for other in others if _key(other.head) == _key(head)), None)
    if again is not None:
        return _restated(again, read)
    pages = [other for other in others if _whole_key(other.head) == _whole_key(head)]
    strangers = _wholes([other.head for other in others if other not in pages])
    judged = _judged([*pages, read]) if head.is_paged else ()
    if head.page > 1:
        return (*judged, *_interim([page.head for page in pages], head))
    return (*judged, *_chain(head, strangers))


def _key(head: Statement) -> tuple[object, ...]:
    return (head.id, head.period)


def _whole_key(head: Statement) -> tuple[object, ...]:
    return (head.whole_id, head.period)


def _restated(before: Read, now: Read) -> tuple[Fault, ...]:
    """The first figure in which a statement differs from what it said before."""

    def figures(read: Read) -> tuple[int | None, ...]:
        head = read.head
        return (head.closing_minor, head.opening_minor, read.sum_minor, read.lines)

    for known, said in zip(figures(before), figures(now), strict=True):
        if known != said:
            return (Fault(FaultRule.RESTATED, now.head.id, said, known),)
    return ()


def _judged(pages: Sequence[Read]) -> tuple[Fault, ...]:
    """The whole of a paged statement; before its last page is in, pages may still come."""
    if not any(page.head.is_last_page for page in pages):
        return ()
    return judge_pages([(page.head, page.sum_minor, page.later_minor) for page in pages])


def _interim(pages: Sequence[Statement], head: Statement) -> tuple[Fault, ...]:
    """A page opens as the page before it closed, or repeats the balances of the whole."""
    for page in pages:
        is_before = page.page == head.page - 1
        if is_before and page.opening_minor != head.opening_minor:
            return follows(replace(page, sequence=None), head)
    return ()


def _wholes(heads: Sequence[Statement]) -> list[Statement]:
    """Pages of one statement joined; one whose last page is not known says that more follow."""
    found: dict[tuple[object, ...], Statement] = {}
    for head in sorted(heads, key=lambda item: item.page):
        first = found.get(_whole_key(head))
        opening = head.opening_minor if first is None else first.opening_minor
        found[_whole_key(head)] = replace(head, opening_minor=opening)
    return list(found.values())


def _span(head: Statement) -> tuple[date, date] | None:
    if head.period is not None:
        return head.period
    return None if head.booked_on is None else (head.booked_on, head.booked_on)


def _chain(head: Statement, others: Sequence[Statement]) -> tuple[Fault, ...]:
    """Compare with the statement directly before, if there is one and nothing lies between."""
    if any(_repeats(head, other) for other in others):
        return (Fault(FaultRule.SEQUENCE_REPEATED, head.id, head.sequence),)
    earlier = [other for other in others if _is_before(other, head)]
    if not earlier:
        return ()
    previous = max(earlier, key=_order)
    if _is_covered(previous, head, others):
        return ()
    if not previous.is_last_page:
        return (Fault(FaultRule.PAGE_MISSING, previous.id, previous.page + 1, previous.page),)
    faults = follows(_numbered_as(previous, earlier, head), head)
    closes_so = any(
        other.closing_minor == head.opening_minor and _last(other) >= _day_before(earlier, head)
        for other in earlier
    )
    return tuple(
        fault for fault in faults if fault.rule is not FaultRule.CHAIN_BROKEN or not closes_so
    )


def _repeats(head: Statement, other: Statement) -> bool:
    """One number twice for days that touch: one of the two is not what it says."""
    if head.sequence is None or head.sequence != other.sequence:
        return False
    mine, theirs = _span(head), _span(other)
    if mine is None or theirs is None:
        return True
    return mine[0] <= theirs[1] and theirs[0] <= mine[1]


def _is_before(other: Statement, head: Statement) -> bool:
    """By days; by numbers on one and the same day, or where a day is not known."""
    mine, theirs = _span(head), _span(other)
    numbers = (other.sequence, head.sequence)
    by_number = None not in numbers and (other.sequence or 0) < (head.sequence or 0)
    if mine is None or theirs is None:
        return by_number
    if theirs[1] == mine[0]:
        # Some banks begin a period with the day of the opening balance, which is the day before.
        return by_number or mine[0] < mine[1]
    return theirs[1] < mine[0]


def _order(head: Statement) -> tuple[date, int]:
    return (_last(head), head.sequence or 0)


def _last(head: Statement) -> date:
    span = _span(head)
    return date.min if span is None else span[1]


def _day_before(earlier: Sequence[Statement], head: Statement) -> date:
    """The last day before the statement's first that another one closes on."""
    span = _span(head)
    days = [_last(other) for other in earlier if span is None or _last(other) < span[0]]
    return max(days, default=date.min)


def _is_covered(previous: Statement, head: Statement, others: Sequence[Statement]) -> bool:
    """Whether another statement, such as a month's, tells of days between the two."""
    spans = [span for other in others if (span := _span(other)) is not None]
    mine = _span(head)
    if mine is None:
        return False
    return any(first < mine[0] and last > _last(previous) for first, last in spans)


def _numbered_as(previous: Statement, earlier: Sequence[Statement], head: Statement) -> Statement:
    """The previous statement, its number left out where it says nothing about this one's.

    Numbers run on (the one before is known), belong to another series (a month's statements
    between a day's), or have begun anew.
    """
    if head.sequence is None or previous.sequence is None:
        return previous
    runs_on = any(other.sequence == head.sequence - 1 for other in earlier)
    return (
        replace(previous, sequence=None)
        if runs_on or head.sequence < previous.sequence
        else previous
    )
