"""The statements of lists that people narrow."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from adapters.sql.read.reader import Key, page_of
from adapters.sql.schema.tables import NEEDED, subjects
from ports.subjectfilter import SubjectFilter

SUBJECTS = "subjects"
_OF = subjects.c
SUBJECT_KEY: Key = ((_OF.state_since, datetime), (_OF.key, str))
"""Those first that have been in their state longest."""


def subjects_statement(wanted: SubjectFilter, after: str, limit: int) -> Select[Any]:
    """A page of subjects of one kind that fit all of a filter."""
    columns = (_OF.kind, _OF.view, _OF.state_since, _OF.borrower, _OF.product)
    statement = select(*columns).where(_OF.kind == wanted.kind, *_narrowed(wanted))
    return page_of(SUBJECTS, statement, SUBJECT_KEY, after, limit)


def _narrowed(wanted: SubjectFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    equal = {
        _OF.loan_id: wanted.loan_id,
        _OF.borrower: wanted.borrower,
        _OF.currency: wanted.currency,
        _OF.next_action_kind: wanted.action,
        _OF.rail: wanted.rail,
        _OF.owner: wanted.owner,
    }
    found += [column == value for column, value in equal.items() if value]
    if wanted.product:
        every_version = _OF.product.startswith(f"{wanted.product}@", autoescape=True)
        found.append(or_(_OF.product == wanted.product, every_version))
    if wanted.states:
        found.append(_OF.state.in_(wanted.states))
    if wanted.owed_least is not None:
        found.append(_OF.amount_minor >= wanted.owed_least)
    if wanted.owed_most is not None:
        found.append(_OF.amount_minor <= wanted.owed_most)
    if wanted.action_by is not None:
        found.append(_OF.next_action_at <= wanted.action_by)
    if wanted.since_before is not None:
        found.append(_OF.state_since <= wanted.since_before)
    if wanted.needs_operator is not None:
        found.append(NEEDED if wanted.needs_operator else ~NEEDED)
    return found
