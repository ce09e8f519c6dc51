"""Reads one subject or one loan: implements `ports.driverqueries.DriverQueries`."""

from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.looking import look, read_loan_now
from adapters.sql.read.reader import SqlReader
from adapters.sql.read.statements import OPEN_CASES
from adapters.sql.readrows import read_case, read_payout
from adapters.sql.schema.tables import cases, loans, payout_items, payouts, subjects
from adapters.sql.write.cache import LoanCache
from adapters.sql.write.deciding import ViewOf
from domain.case.agenda import view_of as case_view_of
from domain.case.case import CASE
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.loan import agenda
from domain.loan.aggregate import Loan, Rulebook
from domain.loan.closing import PASSED
from domain.loan.closing import view_of as closure_view_of
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT, installment_of
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.payout.agenda import view_of as payout_view_of
from domain.payout.items import PayoutItem
from domain.payout.payout import PAYOUT, Payout
from ports.clock import Clock


class SqlDriverQueries(SqlReader):
    """Gives views computed anew from the aggregate and the rules of this build."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        rules: Rulebook,
        *,
        view_of: ViewOf = agenda.view_of,
    ) -> None:
        super().__init__(engine, clock, rules)
        self._view_of = view_of
        self._cache = LoanCache()

    async def view(self, subject: Subject) -> View[Any] | None:
        """The current view of one subject."""
        if subject.kind == CASE:
            case = await self.case(subject.key)
            now = self._clock.now()
            return None if case is None else case_view_of(case, self._rules.case_policy, now)
        if subject.kind == PAYOUT:
            payout = await self.payout(subject.key)
            now = self._clock.now()
            return None if payout is None else payout_view_of(payout, self._rules.payouts, now)
        if subject.kind == LOAN_CLOSURE:
            return await self._closure(subject.key)
        loan_id, number = installment_of(subject)
        async with look(self._engine) as conn:
            loan = await read_loan_now(conn, loan_id, self._cache)
            if loan is None or not 1 <= number <= len(loan.installments):
                return None
            rows = await conn.execute(OPEN_CASES.where(cases.c.loan_id == loan_id))
            found = [read_case(row.body) for row in rows]
        by_key = {case.key: case for case in found}
        return self._view_of(loan, number, self._rules, self._clock.now(), by_key)

    async def _closure(self, loan_id: str) -> View[Any] | None:
        """The current view of the closure of a loan."""
        async with look(self._engine) as conn:
            loan = await read_loan_now(conn, loan_id, self._cache)
            if loan is None:
                return None
            rows = await conn.execute(OPEN_CASES.where(cases.c.loan_id == loan_id))
            found = [read_case(row.body) for row in rows]
        return closure_view_of(loan, {case.key: case for case in found}, self._clock.now())

    async def payout(self, key: str) -> Payout | None:
        """A payout as the books hold it."""
        rows = await self._rows(select(payouts.c.body).where(payouts.c.key == key))
        return read_payout(rows[0].body) if rows else None

    async def payout_items(
        self, key: str, after: tuple[str, str, int, str], limit: int
    ) -> tuple[PayoutItem, ...]:
        """Items of a payout in the order of their keys, after one of them."""
        of = payout_items.c
        names = (of.loan_id, of.payment, of.number, of.component)
        found = select(*names, of.minor).where(of.payout == key, tuple_(*names) > tuple_(*after))
        rows = await self._rows(found.order_by(*names).limit(limit))
        return tuple(PayoutItem._make(row) for row in rows)

    async def unsettled_under(self, mandate: str, besides: str) -> int:
        """Installments that are not settled yet of loans under a mandate, one loan left out."""
        of = subjects.c
        under = select(loans.c.id).where(loans.c.mandate_ref == mandate, loans.c.id != besides)
        settled = [state.value for state in (*PASSED, State.CANCELLED)]
        found = select(func.count()).where(
            of.kind == INSTALLMENT, of.loan_id.in_(under), of.state.not_in(settled)
        )
        return int((await self._rows(found))[0][0])

    async def loan(self, loan_id: str) -> Loan | None:
        """The whole aggregate."""
        async with look(self._engine) as conn:
            return await read_loan_now(conn, loan_id, self._cache)
