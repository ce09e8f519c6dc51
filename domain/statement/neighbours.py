"""Compares a statement with the others of its account: repeated, restated, incomplete, or next.

Days decide which statement comes before another, since many banks give no numbers and some begin
them anew each year. Numbers are compared where both statements have one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain.statement.statement import Fault, FaultRule, Statement
from domain.statement.totals import follows, judge_pages


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


def as_known(read: Read, others: Sequence[Read]) -> tuple[Fault, ...]:
    """What is wrong between a statement and all others known, whatever came first.

    Said of one statement only: a number that two share of the later one, the sum of all pages of
    the last of them. What a statement says otherwise than before is not among it.
    """
    head = read.head
    others = [other for other in others if _key(other.head) != _key(head)]
    pages = [other for other in others if _whole_key(other.head) == _whole_key(head)]
    strangers = [
        other
        for other in _wholes([other.head for other in others if other not in pages])
        if not (_repeats(head, other) and place_of(other) > place_of(head))
    ]
    is_last = all(page.head.page < head.page for page in pages)
    judged = _judged([*pages, read]) if head.is_paged and is_last else ()
    if head.page > 1:
        return (*judged, *_interim([page.head for page in pages], head))
    return (*judged, *_chain(head, strangers))


def beside(
    head: Statement, others: Sequence[Statement]
) -> tuple[Statement | None, Statement | None]:
    """The statements directly before and after one that has no pages; None where none is known."""
    earlier = [other for other in others if _is_before(other, head)]
    later = [other for other in others if _is_before(head, other)]
    after = min(later, key=place_of, default=None)
    if after is not None and None not in (head.sequence, after.sequence):
        after = after if after.sequence == (head.sequence or 0) + 1 else None
    return max(earlier, key=place_of, default=None), after


def place_of(head: Statement) -> tuple[date, int, str]:
    """Where a statement stands among those of its account: by day, number and id."""
    return (*_order(head), head.id)


def apart(head: Statement, others: Sequence[Statement]) -> frozenset[str]:
    """Ids of the statements that certainly tell of other bookings than `head` does.

    They are the other pages of one whole, and the statements that one after the other go on where
    the one before ends: several of one day, or the next day's with a booking of the day before.
    """
    pages = {other.id for other in others if _whole_key(other) == _whole_key(head)}
    return frozenset(pages - {head.id}) | _in_line(head, others, _goes_on)


def perhaps_apart(head: Statement, others: Sequence[Statement]) -> frozenset[str]:
    """Ids of the statements that by their balances may go on from, or to, `head`, or repeat it."""
    joined = _in_line(head, others, _joins) | {
        other.id for other in others if _joins(other, head, others) or _joins(head, other, others)
    }
    return joined - apart(head, others) - {head.id}


_Follows = Callable[[Statement, Statement, Sequence[Statement]], bool]


def _in_line(head: Statement, others: Sequence[Statement], follows_: _Follows) -> frozenset[str]:
    """Those before `head` and those after it, step by step among the statements of its days.

    Steps may lead in a circle, back to what `head` is perhaps a copy of: that is not among them.
    """
    found: set[str] = set()
    for turned in (False, True):
        reached, ends = set[str](), [head]
        while ends:
            end = ends.pop()
            for other in others:
                pair = (other, end) if turned else (end, other)
                near = end is head or _touch(other, head)
                if near and other.id not in reached and follows_(*pair, others):
                    reached.add(other.id)
                    ends.append(other)
        found |= reached
    copies = {other.id for other in others if _balances(other) == _balances(head)}
    return frozenset(found - copies - {head.id})


def _balances(head: Statement) -> tuple[int | None, int | None]:
    return (head.opening_minor, head.closing_minor)


def _joins(before: Statement, after: Statement, _others: Sequence[Statement]) -> bool:
    """Whether one opens at the balance and not before the day with which the other closes.

    Of statements that share a day only such as are equally long: so neither holds the other.
    """
    first, second = _span(before), _span(after)
    return (
        not (before.is_paged or after.is_paged)
        and before.currency == after.currency
        and before.closing_minor is not None
        and before.closing_minor == after.opening_minor
        and first is not None
        and second is not None
        and (
            first[1] < second[0]
            or (first[1] == second[0] and first[1] - first[0] == second[1] - second[0])
        )
    )


def _goes_on(before: Statement, after: Statement, others: Sequence[Statement]) -> bool:
    """Whether `after` certainly begins where `before` ends.

    Where money comes and goes back to one balance, the same is stated by a copy (0 to 0), and by a
    statement of the whole day or month beside its parts (0 to 70; 0 to 50, 50 to 0): nothing is
    certain.
    """
    ends = (before.opening_minor, after.closing_minor)
    if not _joins(before, after, others) or None in ends or after.opening_minor in ends:
        return False
    numbers = (before.sequence, after.sequence)
    if None not in numbers and numbers[1] != (numbers[0] or 0) + 1:
        return False
    return not any(_is_whole_of(before, other) or _is_whole_of(after, other) for other in others)


def _is_whole_of(whole: Statement, part: Statement) -> bool:
    """Whether a statement may hold another: of two that touch, one side is equal and one is not."""
    sides = (whole.opening_minor == part.opening_minor, whole.closing_minor == part.closing_minor)
    return sides.count(True) == 1 and _touch(whole, part)


def _touch(one: Statement, other: Statement) -> bool:
    mine, theirs = _span(one), _span(other)
    if mine is None or theirs is None:
        return True
    return mine[0] <= theirs[1] and theirs[0] <= mine[1]


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
    """One number twice for days that touch: one of the two is not what it says.

    The same days and the same balances are one statement in two formats, which name it differently.
    """
    if head.sequence is None or head.sequence != other.sequence or _is_copy(head, other):
        return False
    return _touch(head, other)


def _is_copy(head: Statement, other: Statement) -> bool:
    """Whether both state the same days, currency, opening and closing balance."""
    balances = (*_balances(head), *_balances(other))
    is_like = head.currency == other.currency and _balances(head) == _balances(other)
    span = _span(head)
    return is_like and None not in balances and span is not None and span == _span(other)


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
