"""What narrows a list of cases, as conditions on their rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, true

from adapters.sql.schema.tables import case_links, case_words, cases, subjects
from domain.case.search import ASKED_MOST, asked
from domain.errors import InvalidInput
from ports.casefilter import CaseFilter

_C = cases.c
_AFTER_ALL = "\U0010ffff"
"""The last character: no word begins with another one and this."""


def of_cases(wanted: CaseFilter, now: datetime) -> Iterator[ColumnElement[bool]]:
    """Yield what narrows a list of cases.

    Late is what an open case is whose next action by itself is overdue: nobody has taken it, or it
    should have been resolved.

    Raises:
        InvalidInput: the text to look for has no word, or too many.
    """
    yield _resolved(wanted)
    equal = {
        _C.kind: wanted.kind,
        _C.cause: wanted.cause,
        _C.code: wanted.code,
        _C.resolution: wanted.resolution,
        _C.owner: wanted.team,
        _C.assignee: wanted.assignee,
        _C.line: wanted.line,
    }
    yield from (column == value for column, value in equal.items() if value)
    if wanted.loan_id:
        is_none = wanted.loan_id == "-"
        yield _C.loan_id.is_(None) if is_none else _C.loan_id == wanted.loan_id
    if wanted.owner:
        yield or_(subjects.c.owner == wanted.owner, _C.owner == wanted.owner)
    if wanted.late:
        yield _C.late_from <= now
    for link in wanted.links:
        named = case_links.c.name == link.name, case_links.c.kind == link.to.value
        yield _C.key.in_(select(case_links.c.case_key).where(*named))
    yield from _days(_C.opened_at, wanted.opened_from, wanted.opened_to)
    yield from _days(_C.closed_at, wanted.resolved_from, wanted.resolved_to)
    if wanted.text:
        yield from _with_words(wanted.text)


def _resolved(wanted: CaseFilter) -> ColumnElement[bool]:
    if wanted.resolved is None:
        return true()
    return _C.closed_at.is_not(None) if wanted.resolved else _C.closed_at.is_(None)


def _days(column: Any, first: date | None, last: date | None) -> Iterator[ColumnElement[bool]]:  # noqa: ANN401  (a column)
    """Yield that an instant lies on a day or after it, and on a day or before it."""
    if first is not None:
        yield column >= datetime.combine(first, time(), UTC)
    if last is not None:
        yield column < datetime.combine(last, time(), UTC) + timedelta(days=1)


def _with_words(text: str) -> Iterator[ColumnElement[bool]]:
    """Yield for each word that a case has one that begins with it; found by the index of words."""
    words = asked(text)
    if not 1 <= len(words) <= ASKED_MOST:
        raise InvalidInput("text", "(not shown)", f"1 to {ASKED_MOST} words")
    word = case_words.c.word
    for begins in words:
        within = word >= begins, word < begins + _AFTER_ALL
        yield _C.key.in_(select(case_words.c.case_key).where(*within))
