"""Statements of an audit whose rows are judged by rules: streams, each in a fixed order."""

from sqlalchemy import and_, bindparam, case, exists, func, select

from adapters.sql.read.auditsums import ITEMS, P, S, of
from adapters.sql.schema.tables import (
    attempts,
    cases,
    commands,
    entries,
    lines,
    loans,
    portions,
    postings,
    statements,
    subjects,
)
from adapters.sql.schema.types import Instant
from domain.audit.unclosed import NOT_AWAITED
from domain.case.case import CASE
from domain.debit.attempt import LIVE

_A, _I, _R, _S = attempts.c, ITEMS.c, portions.c, statements.c

ORDERS_GIVEN = (
    select(commands.c.answer)
    .where(commands.c.kind.in_(["intend_debit", "renew_send"]), commands.c.rule.is_(None))
    .order_by(commands.c.seq)
)
"""Answers to the commands that give out an order to be sent."""

_currency = (
    select(func.max(P.currency))
    .where(P.payment == _R.id, P.loan == _R.loan_id)
    .scalar_subquery()
    .label("currency")
)
SURPLUS = (
    select(_R.loan_id, _R.id, _R.waiting_minor, _currency)
    .where(
        _R.waiting_minor > 0,
        _R.order_no.is_not(None),
        ~exists().where(
            _A.loan_id == _R.loan_id,
            _A.number == _R.number,
            _A.state.in_([state.value for state in sorted(LIVE)]),
        ),
    )
    .order_by(_R.loan_id, _R.position)
)
"""Money of debits that waits while no order of its installment is live."""

OPEN_CASES = (
    select(cases.c.loan_id, S.body)
    .select_from(cases)
    .join(subjects, and_(S.kind == CASE, S.key == cases.c.key))
    .where(cases.c.closed_at.is_(None))
)
"""Cases that wait, with the loan that each names."""

OFTEN_DEBITED = select(_A.loan_id).where(_A.attempt > 1).group_by(_A.loan_id).order_by(_A.loan_id)
"""Loans with an installment that was debited more than once: no limit is below one."""

STATED_ACCOUNTS = select(_S.account).distinct().order_by(_S.account)
BANK_DAYS = (
    select(lines.c.booked_on.label("day"), P.currency, func.sum(P.minor).label("minor"))
    .select_from(lines)
    .join(postings, P.line == lines.c.id)
    .where(lines.c.account == bindparam("account"), of("bank"))
    .group_by(lines.c.booked_on, P.currency)
    .order_by(lines.c.booked_on, P.currency)
)
"""What the lines of an account come to, by the day on which they are booked."""
STATEMENTS = (
    select(_S.booked_on, _S.body)
    .where(_S.account == bindparam("account"), _S.booked_on.is_not(None))
    .order_by(_S.booked_on, func.coalesce(_S.sequence, 0), _S.statement_id, _S.period)
)

_paid_at = func.max(case((P.payment.is_not(None), entries.c.at)), type_=Instant())
UNCLOSED = (
    select(
        _I.loan_id,
        _I.number,
        _I.state,
        loans.c.product_ref,
        _paid_at.label("paid_at"),
        exists()
        .where(
            cases.c.loan_id == _I.loan_id, cases.c.number == _I.number, cases.c.closed_at.is_(None)
        )
        .label("has_case"),
    )
    .select_from(ITEMS)
    .join(loans, loans.c.id == _I.loan_id)
    .join(postings, and_(P.loan == _I.loan_id, P.number == _I.number))
    .join(entries, entries.c.seq == P.seq)
    .where(_I.state.not_in([state.value for state in sorted(NOT_AWAITED)]), of("owed"))
    .group_by(_I.loan_id, _I.number, _I.state, loans.c.product_ref)
    .having(and_(func.sum(P.minor) == 0, func.count(P.payment) > 0))
    .order_by(_I.loan_id, _I.number)
)
"""Installments that owe nothing by the journal, were paid, and may still have to close."""
