"""Lists narrowed to the portfolios of a caller: implements `ports.apiqueries.ApiQueries`."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.access.portfolios import loans_in
from adapters.sql.read.cursors import write_cursor
from adapters.sql.read.looking import look
from adapters.sql.read.reader import Key, cut, page_of
from adapters.sql.readrows import read_payment, read_view
from adapters.sql.schema.tables import loans, payments, portions, subjects, transitions
from domain.access.person import EVERYWHERE
from domain.kernel.view import View
from domain.payment.payment import Payment
from ports.apiqueries import Happened, LoanRow
from ports.paging import Page

_LOANS: Key = ((loans.c.id, str),)
_SUBJECTS: Key = ((subjects.c.key, str),)
_PAYMENTS: Key = ((payments.c.id, str),)
_MOVES: Key = ((transitions.c.seq, int),)


class SqlApiQueries:
    """Each list is one snapshot; what belongs to no loan is seen by `*` alone."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def loan_rows(self, portfolios: frozenset[str], after: str, limit: int) -> Page[LoanRow]:
        """See the port."""
        async with look(self._engine) as conn:
            mine = await loans_in(conn, portfolios, loans.c.id)
            listed = select(loans.c.id, loans.c.product_ref, loans.c.version).where(mine)
            rows, cursor = await _page(conn, "loans", listed, _LOANS, after, limit)
        return Page(tuple(LoanRow(row.id, row.product_ref, row.version) for row in rows), cursor)

    async def views(
        self, kind: str, portfolios: frozenset[str], states: tuple[str, ...], after: str, limit: int
    ) -> Page[View[Any]]:
        """See the port."""
        in_state = subjects.c.state.in_(states) if states else true()
        async with look(self._engine) as conn:
            mine = await _of_loan(conn, portfolios, subjects.c.loan_id)
            listed = select(subjects.c.kind, subjects.c.view).where(
                subjects.c.kind == kind, mine, in_state
            )
            rows, cursor = await _page(conn, kind, listed, _SUBJECTS, after, limit)
        return Page(tuple(read_view(row.kind, row.view) for row in rows), cursor)

    async def payment(self, payment_id: str) -> Payment | None:
        """See the port."""
        asked = select(payments.c.body).where(payments.c.id == payment_id)
        async with look(self._engine) as conn:
            body = (await conn.execute(asked)).scalar_one_or_none()
        return None if body is None else read_payment(body)

    async def payments(
        self, portfolios: frozenset[str], loan_id: str, after: str, limit: int
    ) -> Page[Payment]:
        """See the port."""
        of_loan = select(portions.c.id).where(portions.c.loan_id == loan_id)
        named = payments.c.id.in_(of_loan) if loan_id else true()
        async with look(self._engine) as conn:
            mine = await _wholly(conn, portfolios)
            listed = select(payments.c.body).where(named, mine)
            rows, cursor = await _page(conn, "payments", listed, _PAYMENTS, after, limit)
        return Page(tuple(read_payment(row.body) for row in rows), cursor)

    async def happened(
        self, portfolios: frozenset[str], after: str, limit: int
    ) -> tuple[Page[Happened], str]:
        """See the port."""
        async with look(self._engine) as conn:
            mine = await _of_loan(conn, portfolios, transitions.c.loan_id)
            listed = select(transitions).where(mine)
            rows, cursor = await _page(conn, "events", listed, _MOVES, after, limit)
        last = write_cursor("events", (rows[-1].seq,)) if rows else after
        return Page(tuple(map(_happened, rows)), cursor), last


async def _page(
    conn: AsyncConnection, name: str, listed: Select[Any], key: Key, after: str, limit: int
) -> tuple[Any, str]:
    found = (await conn.execute(page_of(name, listed, key, after, limit))).fetchall()
    return cut(name, found, len(key), limit)


async def _of_loan(
    conn: AsyncConnection, portfolios: frozenset[str], loan_id: ColumnElement[str]
) -> ColumnElement[bool]:
    """Rows of loans of these portfolios; those of no loan only for who sees all."""
    return true() if EVERYWHERE in portfolios else await loans_in(conn, portfolios, loan_id)


async def _wholly(conn: AsyncConnection, portfolios: frozenset[str]) -> ColumnElement[bool]:
    """Payments of which a portion stands in a loan of these portfolios, and none in another."""
    if EVERYWHERE in portfolios:
        return true()
    mine = await loans_in(conn, portfolios, portions.c.loan_id)
    seen, hidden = select(portions.c.id).where(mine), select(portions.c.id).where(~mine)
    return payments.c.id.in_(seen) & payments.c.id.not_in(hidden)


def _happened(row: Any) -> Happened:  # noqa: ANN401  (a row of the moves)
    return Happened(
        row.seq,
        row.at,
        row.subject_kind,
        row.subject_key,
        row.loan_id,
        row.event,
        row.source,
        row.target,
        row.order_no or "",
    )
