"""Judges paged statements whose pages are all in one file."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from domain.statement.statement import DocumentKind, Fault, FaultRule, Statement
from domain.statement.totals import Tally, judge_pages, summary_faults
from ports.statements import StatementSummary


def with_whole(summaries: Sequence[StatementSummary]) -> tuple[StatementSummary, ...]:
    """The same summaries; the last page of a whole paged statement has the faults of the whole.

    Where a page is missing, no fault is added here: it may be in another file.
    """
    paged: dict[tuple[object, ...], dict[int, int]] = {}
    for place, summary in enumerate(summaries):
        head = summary.head
        if head.is_paged and head.kind is DocumentKind.STATEMENT:
            key = (head.account, head.whole_id, head.period)
            paged.setdefault(key, {})[head.page] = place
    result = list(summaries)
    for places in paged.values():
        last = places[max(places)]
        faults = _faults([summaries[place] for place in places.values()])
        result[last] = replace(result[last], faults=(*faults, *result[last].faults))
    return tuple(result)


def _faults(pages: Sequence[StatementSummary]) -> tuple[Fault, ...]:
    found = judge_pages([(page.head, page.sum_minor, page.later_minor) for page in pages])
    if any(fault.rule is FaultRule.PAGE_MISSING for fault in found):
        return ()
    booked = reduce(Tally.joined, (page.tally for page in pages))
    left_out = reduce(Tally.joined, (page.left_out_tally for page in pages))
    return (*found, *(fault for page in pages for fault in _summary(page, booked, left_out)))


def _summary(page: StatementSummary, booked: Tally, left_out: Tally) -> tuple[Fault, ...]:
    """Banks summarise the page or the whole statement on each page: either may agree."""
    head: Statement = page.head
    own = tuple(summary_faults(head, page.tally, page.left_out_tally))
    return tuple(summary_faults(head, booked, left_out)) if own else ()
