"""Statements that answer the audit's questions about mandates: ended, barred, refused for good."""

from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, or_, select

from adapters.sql.read.auditmoves import values
from adapters.sql.schema.tables import attempts, transitions
from domain.debit.attempt import AttemptState
from domain.debit.history import FAILED
from domain.debit.mandate import BARRING, MANDATE, MandateEvent
from domain.loan.view import INSTALLMENT

_A = attempts.c
_intended, _ended = transitions.alias("intended"), transitions.alias("mandate_end")
# The detail of an end begins with its day, as ISO 8601 has it: texts compare as days do.
_COVERED_NO_MORE = exists().where(
    _ended.c.loan_id == "",
    _ended.c.subject_kind == MANDATE,
    _ended.c.subject_key == _A.mandate_ref,
    _ended.c.event == MandateEvent.ENDED.value,
    _ended.c.seq < _intended.c.seq,
    func.substr(_ended.c.detail, 1, 10) <= cast(_A.value_on, String),
)
MANDATE_ENDED = (
    select(
        _A.loan_id.label("loan"),
        _A.number,
        _A.order_no,
        _A.mandate_ref.label("mandate"),
        cast(_A.value_on, String).label("value_on"),
        _A.amount_minor.label("minor"),
    )
    .join(_intended, and_(_intended.c.order_no == _A.order_no, _intended.c.source == ""))
    .where(_intended.c.loan_id == _A.loan_id, _COVERED_NO_MORE)
)

_cleared = transitions.alias("mandate_cleared")
_hard, _refused = transitions.alias("hard"), attempts.alias("refused")
_barred = transitions.alias("mandate_barred")


def _of_mandate(move: Any, event: MandateEvent, ref: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Whether a move is one of a mandate, and not of a loan that keeps its terms."""
    return and_(
        move.c.loan_id == "",
        move.c.subject_kind == MANDATE,
        move.c.subject_key == ref,
        move.c.event == event.value,
    )


_INTENDED_HERE = and_(
    _intended.c.target == AttemptState.INTENDED.value,
    _intended.c.source == "",
    ~_intended.c.detail.endswith("brought over"),
)


def _of_ours() -> tuple[ColumnElement[Any], ...]:
    c = _ours.c
    named = (c.number, c.order_no, c.mandate_ref.label("mandate"), c.amount_minor.label("minor"))
    return c.loan_id.label("loan"), *named


def _not_cleared_since(move: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Whether nobody has cleared the mandate between a move and the intent."""
    between = and_(_cleared.c.seq > move.c.seq, _cleared.c.seq < _ours.c.seq)
    cleared = _of_mandate(_cleared, MandateEvent.CLEARED, _ours.c.mandate_ref)
    return ~exists().where(cleared, between)


_ours = (
    select(
        _A.loan_id,
        _A.number,
        _A.order_no,
        _A.mandate_ref,
        _A.amount_minor,
        func.min(_intended.c.seq).label("seq"),
    )
    .join(_intended, and_(_intended.c.order_no == _A.order_no, _intended.c.loan_id == _A.loan_id))
    .where(_intended.c.subject_kind == INSTALLMENT, _INTENDED_HERE)
    .group_by(_A.loan_id, _A.number, _A.order_no, _A.mandate_ref, _A.amount_minor)
    .cte("our_orders")
)
"""Orders of ours and where each was intended. A former system's conduct is not judged."""
HARD_REFUSED = (
    select(*_of_ours(), func.min(_refused.c.order_no).label("refused"))
    .select_from(_hard)
    .join(
        _refused,
        and_(_refused.c.order_no == _hard.c.order_no, _refused.c.loan_id == _hard.c.loan_id),
    )
    .join(_ours, and_(_ours.c.mandate_ref == _refused.c.mandate_ref, _ours.c.seq > _hard.c.seq))
    .where(
        _hard.c.event == "attempt",
        _hard.c.target.in_(values(FAILED)),
        # The detail of an outcome begins with its class.
        or_(*(_hard.c.detail.startswith(f"{one.value} ") for one in sorted(BARRING))),
        _not_cleared_since(_hard),
    )
    .group_by(*_ours.c)
)
BARRED = (
    select(*_of_ours())
    .select_from(_ours)
    .join(_barred, _of_mandate(_barred, MandateEvent.BARRED, _ours.c.mandate_ref))
    .where(_ours.c.seq > _barred.c.seq, _not_cleared_since(_barred))
    .distinct()
)
