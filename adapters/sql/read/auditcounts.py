"""What an audit counts, so that its reader sees what it has looked at."""

from sqlalchemy import exists, func, or_, select

from adapters.sql.read.auditsums import ITEMS, P, of
from adapters.sql.schema.tables import attempts, cases, loans, payments, portions
from domain.debit.attempt import LIVE

_A, _R = attempts.c, portions.c

LOANS = select(func.count()).select_from(loans)
PAYMENTS = select(func.count()).select_from(payments)
INSTALLMENTS = select(ITEMS.c.state, func.count()).group_by(ITEMS.c.state).order_by(ITEMS.c.state)
ATTEMPTS = (
    select(_A.state, _A.outcome_class, func.count())
    .group_by(_A.state, _A.outcome_class)
    .order_by(_A.state, _A.outcome_class)
)
OPEN_ATTEMPTS = select(func.count()).where(_A.state.in_([state.value for state in sorted(LIVE)]))
_seen_at_bank = (
    exists()
    .where(P.payment == _R.id, P.loan == _R.loan_id, P.line.is_not(None))
    .correlate(portions)
)
RETURNS = select(func.count(_R.id.distinct())).where(
    _R.returned_minor != 0, or_(_R.order_no.is_not(None), _seen_at_bank)
)
"""Payments of which something went back; a transfer that no line ever showed was a mistake."""
OPEN_CASES = (
    select(cases.c.kind, func.count())
    .where(cases.c.closed_at.is_(None))
    .group_by(cases.c.kind)
    .order_by(cases.c.kind)
)
SUSPENSE = (
    select(P.currency, func.sum(-P.minor))
    .where(of("suspense"))
    .group_by(P.currency)
    .having(func.sum(P.minor) != 0)
    .order_by(P.currency)
)
"""What waits in all, by currency."""
