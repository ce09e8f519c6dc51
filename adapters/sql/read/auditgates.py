"""Statements that answer the audit's questions about orders, gates and states.

Each statement gives one row for each breach, under the names that its question reports. What stood
when a gate was passed is what the journal held after the command that passed it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)

from adapters.sql.read.auditlines import LINE_WAITS
from adapters.sql.read.auditmandates import BARRED, HARD_REFUSED, MANDATE_ENDED
from adapters.sql.read.auditmoves import BROKEN_MOVE, values
from adapters.sql.read.auditsums import GIVEN, ITEMS, PAID, P, of
from adapters.sql.schema.tables import (
    attempts,
    cases,
    entries,
    lines,
    loans,
    notices,
    payments,
    postings,
    subjects,
    transitions,
)
from domain.audit.moves import REMINDER_QUEUED
from domain.audit.questions import Question
from domain.audit.unclosed import OWING
from domain.case.case import CASE
from domain.case.kinds import CASE_RULES
from domain.case.lifecycle import CASE_FINAL
from domain.debit.attempt import LIVE, AttemptState
from domain.ledger.accounts import REPORTED
from domain.loan.lifecycle import Event, State
from domain.loan.view import INSTALLMENT
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.lifecycle import ClosureState
from domain.payment.portion import BROUGHT_OVER, BROUGHT_SUM

NO_ACCOUNT = "no account"
"""Stands for the account of a bank line that is not kept."""

_A, _E, _I, _T = attempts.c, entries.c, ITEMS.c, transitions.c
INSTALLMENT_KEY = (_I.loan_id.label("loan"), _I.number, _I.state)
_OF_ITEM = and_(P.loan == _I.loan_id, P.number == _I.number)


_LIVE = values(LIVE)
_PASSED = [State.RELEASED.value, State.CLOSED.value]
_FINISHED = [State.CLOSED.value, State.CANCELLED.value]
_OPEN_CASE = cases.c.closed_at.is_(None)
_ALLOCATED = and_(of(*PAID), P.payment.is_not(None))


def _about(move: Any, of: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Whether a move is one of the installment that a row of another table names."""
    return and_(
        move.c.loan_id == of.c.loan_id,
        move.c.subject_kind == INSTALLMENT,
        move.c.subject_key == of.c.loan_id + "/" + cast(of.c.number, String),
    )


# --- orders --------------------------------------------------------------------------------------

_intent = transitions.alias("intent")
_mine, _earlier = attempts.alias("mine"), attempts.alias("earlier")
_INTENDED = and_(
    _intent.c.target == AttemptState.INTENDED.value,
    _intent.c.source == "",
    _intent.c.order_no != "",
)


def _stood(attempt: Any, seq: Any) -> Any:  # noqa: ANN401  (a scalar of one state)
    """The state of an attempt before an item of the journal."""
    move = transitions.alias("stood")
    of_it = move.c.order_no == attempt.c.order_no
    earlier = select(move.c.target).where(_about(move, attempt), of_it, move.c.seq < seq)
    return earlier.order_by(move.c.seq.desc()).limit(1).scalar_subquery()


def _is_live(state: Any) -> ColumnElement[int]:  # noqa: ANN401
    return case((state.in_(_LIVE), 1), else_=0)


_moves = (
    select(
        _T.loan_id,
        _T.order_no,
        _T.seq,
        and_(_T.source == "", _T.target == AttemptState.INTENDED.value).label("is_intent"),
        func.sum(_is_live(_T.target) - _is_live(_T.source))
        .over(partition_by=(_T.loan_id, _T.subject_key), order_by=_T.seq)
        .label("live"),
    )
    .where(_T.subject_kind == INSTALLMENT, _T.order_no != "", _T.target.in_(values(AttemptState)))
    .cte("order_moves")
)
"""Moves of orders, with how many of their installment are live after each: read once, in order."""
_EARLY = (
    select(
        _mine.c.loan_id.label("loan"),
        _mine.c.number,
        _mine.c.order_no,
        _earlier.c.order_no.label("earlier"),
        _mine.c.amount_minor.label("minor"),
    )
    .select_from(_moves)
    .join(_mine, and_(_mine.c.order_no == _moves.c.order_no, _mine.c.loan_id == _moves.c.loan_id))
    .join(
        _earlier,
        and_(
            _earlier.c.loan_id == _mine.c.loan_id,
            _earlier.c.number == _mine.c.number,
            _earlier.c.attempt < _mine.c.attempt,
        ),
    )
    .where(_moves.c.is_intent, _moves.c.live > 1)
    .where(func.coalesce(_stood(_earlier, _moves.c.seq), _LIVE[0]).in_(_LIVE))
)
_intents = (
    select(_intent.c.loan_id, _intent.c.subject_key, _intent.c.order_no)
    .where(_intent.c.subject_kind == INSTALLMENT, _INTENDED)
    .distinct()
    .cte("intents")
)
_UNINTENDED = (
    select(_A.loan_id.label("loan"), _A.number, _A.order_no, _A.amount_minor.label("minor"))
    .select_from(attempts)
    .outerjoin(
        _intents,
        and_(
            _intents.c.order_no == _A.order_no,
            _intents.c.loan_id == _A.loan_id,
            _intents.c.subject_key == _A.loan_id + "/" + cast(_A.number, String),
        ),
    )
    .where(_intents.c.order_no.is_(None))
)
_COUNT = func.count().label("orders")
_SEVERAL_LIVE = (
    select(_A.loan_id.label("loan"), _A.number, _COUNT, func.sum(_A.amount_minor).label("minor"))
    .where(_A.state.in_(_LIVE))
    .group_by(_A.loan_id, _A.number)
    .having(func.count() > 1)
)

# --- gates, as they were passed ------------------------------------------------------------------

gate = (
    select(_T.seq, _T.loan_id, _I.number, _T.event, _T.command_id)
    .select_from(transitions)
    .join(ITEMS, _I.key == _T.subject_key)
    .where(
        _T.subject_kind == INSTALLMENT,
        _T.event.in_([Event.RELEASE_PROVEN.value, Event.EVIDENCE_COMPLETE.value]),
    )
    .subquery("gate")
)
CLOSING = gate.c.event == Event.EVIDENCE_COMPLETE.value
GATE = (
    gate.c.loan_id.label("loan"),
    gate.c.number.label("number"),
    case((CLOSING, "closed"), else_="released").label("gate"),
)
GATE_KEY = (gate.c.seq, gate.c.loan_id, gate.c.number, gate.c.event, gate.c.command_id)


def _upto(seq: Any, command_id: Any, entry: Any = entries) -> ColumnElement[bool]:  # noqa: ANN401
    """Entries before an item of the journal, and all those of the item's own command."""
    return or_(entry.c.seq < seq, entry.c.command_id == command_id)


def _at_gate(where: Any, *by: Any) -> Select[Any]:  # noqa: ANN401
    """Postings of the installment of each gate, as it was passed, that do not sum to zero."""
    total = func.sum(P.minor)
    return (
        select(*GATE, *by, total.label("minor"), P.currency)
        .select_from(gate)
        .join(postings, and_(P.loan == gate.c.loan_id, P.number == gate.c.number))
        .join(entries, _E.seq == P.seq)
        .where(where, _upto(gate.c.seq, gate.c.command_id))
        .group_by(*GATE_KEY, *by, P.currency)
        .having(total != 0)
    )


def _unproven(paid: Any, gate: Any, upto: ColumnElement[bool] | None) -> Select[Any]:  # noqa: ANN401
    """Payments of `paid` (loan, number, payment) that are not nothing in clearing.

    Those that were brought over lie whole with their opening holder, which proves them.
    """
    of_it = payments.c
    brought = case((of_it.source.in_([BROUGHT_OVER, BROUGHT_SUM]), of_it.amount_minor), else_=0)
    total = func.sum(P.minor) - func.max(brought)
    found = (
        select(paid.c.loan, paid.c.number, gate, paid.c.payment, total.label("minor"), P.currency)
        .select_from(paid)
        .join(postings, and_(P.payment == paid.c.payment, P.loan == paid.c.loan))
        .join(entries, _E.seq == P.seq)
        .join(payments, of_it.id == paid.c.payment)
        .where(of(*REPORTED))
        .group_by(*paid.c, P.currency)
        .having(total != 0)
    )
    return found if upto is None else found.where(upto)


_paid_at_gate = (
    select(*GATE, P.payment.label("payment"), gate.c.seq, gate.c.command_id)
    .select_from(gate)
    .join(postings, and_(P.loan == gate.c.loan_id, P.number == gate.c.number))
    .join(entries, _E.seq == P.seq)
    .where(_ALLOCATED, _upto(gate.c.seq, gate.c.command_id))
    .group_by(*GATE_KEY, P.payment)
    .having(func.sum(P.minor) < 0)
    .subquery("paid")
)
_GATE_ORDER = (
    select(*GATE, _A.order_no, _A.amount_minor.label("minor"))
    .select_from(gate)
    .join(attempts, and_(_A.loan_id == gate.c.loan_id, _A.number == gate.c.number))
    .where(_stood(attempts, gate.c.seq).in_(_LIVE))
)
_RELEASE_KINDS = values(kind for kind, rule in CASE_RULES.items() if rule.blocks_release)
_CLOSING_KINDS = values(kind for kind, rule in CASE_RULES.items() if rule.blocks_closing)
_worked = transitions.alias("worked")
_case_stood = (
    select(_worked.c.target)
    .where(
        _worked.c.loan_id == gate.c.loan_id,
        _worked.c.subject_kind == CASE,
        _worked.c.subject_key == cases.c.key,
        _worked.c.seq < gate.c.seq,
    )
    .order_by(_worked.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_GATE_CASE = (
    select(*GATE, cases.c.key.label("case"))
    .select_from(gate)
    .join(cases, cases.c.loan_id == gate.c.loan_id)
    .where(
        or_(cases.c.number.is_(None), cases.c.number == gate.c.number),
        or_(cases.c.kind.in_(_RELEASE_KINDS), and_(CLOSING, cases.c.kind.in_(_CLOSING_KINDS))),
        _case_stood.not_in(values(CASE_FINAL)),
    )
)

# --- states, as they are now ---------------------------------------------------------------------


def _standing(states: Iterable[str], where: Any, *by: Any) -> Select[Any]:  # noqa: ANN401
    """Sums of the postings of installments in some states."""
    return (
        select(*INSTALLMENT_KEY, *by, func.sum(P.minor).label("minor"), P.currency)
        .select_from(ITEMS)
        .join(postings, _OF_ITEM)
        .where(_I.state.in_(list(states)), where)
        .group_by(_I.loan_id, _I.number, _I.state, *by, P.currency)
    )


def _paid_now(states: Iterable[str]) -> Any:  # noqa: ANN401
    """Payments that stand on installments in some states."""
    item = (_I.loan_id.label("loan"), _I.number, P.payment.label("payment"))
    return (
        select(*item)
        .select_from(ITEMS)
        .join(postings, _OF_ITEM)
        .where(_I.state.in_(list(states)), _ALLOCATED)
        .group_by(_I.loan_id, _I.number, P.payment)
        .having(func.sum(P.minor) < 0)
        .subquery("paid")
    )


_whole = subjects.alias("closure")
_ENDED = (ClosureState.UNSEALED.value, ClosureState.CLOSED.value)
_CLOSURE = (
    select(_I.loan_id.label("loan"), _I.number, _I.state, _whole.c.state.label("closure"))
    .select_from(_whole)
    .join(ITEMS, _I.loan_id == _whole.c.loan_id)
    .where(
        _whole.c.kind == LOAN_CLOSURE,
        or_(
            and_(_whole.c.state.in_(_ENDED), _I.state.not_in(_FINISHED)),
            and_(
                _whole.c.state == ClosureState.RUNNING.value,
                _I.state.not_in([*_PASSED, *_FINISHED]),
            ),
        ),
    )
)

_passed, _closed = _paid_now(_PASSED), _paid_now([State.CLOSED.value])
_account = func.coalesce(lines.c.account, NO_ACCOUNT)
_lying = (
    select(
        *_closed.c,
        loans.c.product_ref,
        _account.label("account"),
        func.sum(-P.minor).label("minor"),
        P.currency.label("currency"),
    )
    .select_from(_closed)
    .join(loans, loans.c.id == _closed.c.loan)
    .join(postings, and_(P.payment == _closed.c.payment, P.loan == _closed.c.loan))
    .outerjoin(lines, lines.c.id == P.line)
    .where(of(*REPORTED), P.line.is_not(None))
    .group_by(*_closed.c, loans.c.product_ref, _account, P.currency)
    # Less than nothing lies there where a return went out from another account than the payment
    # came to: no money of it lies there, and a case has said so before the installment was closed.
    .having(func.sum(-P.minor) > 0)
    .subquery("lying")
)
ACCOUNTS_USED = select(_lying.c.product_ref, _lying.c.account).distinct()
"""By product, the accounts on which money of closed installments lies."""
ELSEWHERE = select(_lying).where(
    _lying.c.product_ref == bindparam("product_ref"), _lying.c.account == bindparam("account")
)
NEVER_CHARGED = (
    select(_I.loan_id, _I.number)
    .where(_I.state == State.CLOSED.value, ~exists().where(_OF_ITEM, of("owed")))
    .order_by(_I.loan_id, _I.number)
)
"""Closed installments for which nothing was ever posted as owed."""

_queued = transitions.alias("queued")
_LATE_NOTICE = (
    select(notices.c.message_id.label("message"))
    .select_from(notices)
    .join(
        _queued,
        and_(
            _about(_queued, notices),
            _queued.c.event == REMINDER_QUEUED,
            _queued.c.detail == notices.c.channel + " " + notices.c.message_id,
        ),
    )
    .join(postings, and_(P.loan == notices.c.loan_id, P.number == notices.c.number))
    .where(of("owed"), P.seq < _queued.c.seq)
    .group_by(notices.c.message_id)
    .having(func.sum(P.minor) == 0)
)

STANDING: Mapping[Question, Select[Any]] = MappingProxyType(
    {
        Question.LIVE_ORDERS: _SEVERAL_LIVE,
        Question.EARLY_INTENT: _EARLY,
        Question.NO_INTENT: _UNINTENDED,
        Question.MANDATE_ENDED: MANDATE_ENDED,
        Question.HARD_REFUSED: HARD_REFUSED,
        Question.BARRED: BARRED,
        Question.GATE_OWED: _at_gate(of(*GIVEN), P.component),
        Question.GATE_UNPROVEN: _unproven(
            _paid_at_gate,
            _paid_at_gate.c.gate,
            _upto(_paid_at_gate.c.seq, _paid_at_gate.c.command_id),
        ),
        Question.GATE_ORDER: _GATE_ORDER,
        Question.GATE_CASE: _GATE_CASE,
        Question.CLOSED_OWED: _standing(_PASSED, of(*GIVEN)).having(func.sum(P.minor) != 0),
        Question.CLOSED_UNPROVEN: _unproven(_passed, _passed.c.payment.label("paid"), None),
        Question.CLOSURE: _CLOSURE,
        Question.STUCK: _standing(values(OWING), of("owed")).having(func.sum(P.minor) == 0),
        Question.LINE_WAITS: LINE_WAITS,
        Question.LATE_NOTICE: _LATE_NOTICE,
        Question.BROKEN_MOVE: BROKEN_MOVE,
    }
)
