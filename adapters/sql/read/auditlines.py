"""Statements that answer the audit's questions about bank lines: those that wait have a case."""

from sqlalchemy import and_, exists, literal, or_, select

from adapters.sql.schema.tables import case_items, cases, line_refs, lines
from domain.loan.accounts import OUTSIDE

_WAITS = or_(lines.c.open_minor != 0, exists().where(line_refs.c.line_id == lines.c.id))
_OPEN_ITEM = and_(case_items.c.line == lines.c.id, case_items.c.cleared_at.is_(None))
LINE_WAITS = select(lines.c.id.label("line"), lines.c.open_minor.label("minor")).where(
    _WAITS,
    ~exists().where(cases.c.line == lines.c.id, cases.c.closed_at.is_(None)),
    ~exists().where(_OPEN_ITEM),
)
ACCOUNTS_WITHOUT_CASE = (
    select(lines.c.account)
    .where(~exists().where(cases.c.key == literal(OUTSIDE).concat(lines.c.account)))
    .distinct()
    .order_by(lines.c.account)
)
"""Bank accounts with booked lines about which there has never been a case."""
