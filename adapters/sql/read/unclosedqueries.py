"""Finds what is paid and not closed: implements `ports.unclosedqueries.UnclosedQueries`."""

from datetime import datetime

from sqlalchemy import and_, or_, select

from adapters.sql.read.reader import SqlReader
from adapters.sql.schema.tables import subjects
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.lifecycle import CLOSURE_FINAL, ClosureState
from ports.paging import Page
from ports.unclosedqueries import ClosedItem

PAID = (State.CLEARING, State.SETTLED, State.RELEASED)
"""States of an installment that is paid and not closed."""
_S = subjects.c
_PAID = and_(_S.kind == INSTALLMENT, _S.state.in_([state.value for state in PAID]))
_RUNNING = and_(
    _S.kind == LOAN_CLOSURE,
    _S.state.in_([state.value for state in ClosureState if state not in CLOSURE_FINAL]),
)


class SqlUnclosedQueries(SqlReader):
    """Reads the table of subjects alone, in pages."""

    async def unclosed_loans(self, after: str, limit: int) -> tuple[str, ...]:
        """See the port."""
        found = select(_S.loan_id).where(or_(_PAID, _RUNNING), _S.loan_id > after).distinct()
        rows = await self._rows(found.order_by(_S.loan_id).limit(limit))
        return tuple(row.loan_id for row in rows)

    async def closed_since(self, since: datetime, after: str, limit: int) -> Page[ClosedItem]:
        """See the port."""
        columns = (_S.key, _S.loan_id, _S.number, _S.generation, _S.state_since)
        closed = and_(_S.kind == INSTALLMENT, _S.state == State.CLOSED.value)
        found = select(*columns).where(closed, _S.state_since >= since, _S.key > after)
        rows = await self._rows(found.order_by(_S.key).limit(limit + 1))
        items = tuple(
            ClosedItem(row.loan_id, row.number, row.generation, row.state_since)
            for row in rows[:limit]
        )
        return Page(items, rows[limit - 1].key if len(rows) > limit else "")
