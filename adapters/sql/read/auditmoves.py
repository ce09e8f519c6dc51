"""Statements of the audit about moves: every kind of them, and those that begin elsewhere."""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import bindparam, func, select

from adapters.sql.schema.tables import transitions
from domain.audit.moves import NOTICE_STATES

_T = transitions.c


def values(states: Iterable[StrEnum]) -> list[str]:
    """Words as they stand in columns, always in one order."""
    return sorted(state.value for state in states)


_OF_ORDER = _T.order_no.is_not(None)
_WHICH = (_T.subject_kind, _T.source, _T.target, _T.event)
MOVES = select(*_WHICH, _OF_ORDER.label("of_order"), func.count().label("moves")).group_by(
    *_WHICH, _OF_ORDER
)
"""Every kind of move that the journal holds."""
MOVES_OF_KIND = (
    select(_T.seq, _T.subject_key, _T.order_no)
    .where(
        *(column == bindparam(column.name) for column in _WHICH),
        bindparam("of_order") == _OF_ORDER,
    )
    .order_by(_T.seq)
)
_moved = (
    select(
        _T.subject_key.label("subject"),
        _T.order_no,
        _T.seq,
        _T.source,
        func.lag(_T.target)
        .over(partition_by=(_T.subject_kind, _T.subject_key, _T.order_no), order_by=_T.seq)
        .label("stood"),
    )
    .where(_T.target.not_in(values(NOTICE_STATES)))
    .subquery("moved")
)
BROKEN_MOVE = select(_moved).where(_moved.c.source != func.coalesce(_moved.c.stood, ""))
"""Moves that do not begin where the one before them of the same subject ended."""
