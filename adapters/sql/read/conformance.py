"""Judges installments against their products, a page of loans at a time."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import among, listed
from adapters.sql.read.looking import look, readable_loans
from adapters.sql.schema.tables import loans, transitions
from adapters.sql.write.cache import LoanCache
from domain.audit.conformance import Step, deviations
from domain.errors import InvalidInput, InvariantBroken
from domain.kernel.subject import Subject
from domain.loan.aggregate import Rulebook
from domain.loan.view import INSTALLMENT, installment_of
from ports.clock import Clock
from ports.conformance import Conformed

PAGE = 50
_T = transitions.c
_Steps = defaultdict[tuple[str, int], list[Step]]


class SqlConformance:
    """Implements `ports.conformance.Conformance`; a page of loans is in memory at a time."""

    def __init__(self, engine: AsyncEngine, clock: Clock, rules: Rulebook) -> None:
        self._engine, self._clock, self._rules = engine, clock, rules

    async def judged(self, loan_id: str | None = None) -> AsyncGenerator[Conformed]:
        """Pages of loans; see the port."""
        products = LoanCache(limit=PAGE)
        async with look(self._engine, unhurried=True) as conn:
            after = ""
            while names := [loan_id] if loan_id is not None else await _names(conn, after):
                found = await self._page(conn, names, products)
                if loan_id is not None:
                    if not found.installments:
                        raise InvalidInput("loan", loan_id, "a loan of these books")
                    yield found
                    return
                after = names[-1]
                yield found

    async def _page(
        self, conn: AsyncConnection, names: list[str], products: LoanCache
    ) -> Conformed:
        held = await readable_loans(conn, names, products, _refuse)
        steps, now = await _steps(conn, names), self._clock.now()
        every = [
            deviation
            for loan in sorted((one.loan for one in held), key=lambda one: one.id)
            for item in loan.installments
            for deviation in deviations(
                loan, item.number, steps[loan.id, item.number], self._rules, now
            )
        ]
        return Conformed(sum(len(one.loan.installments) for one in held), tuple(every))


async def _names(conn: AsyncConnection, after: str) -> list[str]:
    page = select(loans.c.id).where(loans.c.id > after).order_by(loans.c.id).limit(PAGE)
    return list((await conn.execute(page)).scalars())


async def _steps(conn: AsyncConnection, names: Sequence[str]) -> _Steps:
    """The moves of the installments of some loans, those of their orders left out."""
    postgres = conn.dialect.name == "postgresql"
    moves = (
        select(_T.subject_key, _T.event, _T.at)
        .where(among(_T.loan_id, "values", postgres=postgres))
        .where(_T.subject_kind == INSTALLMENT, _T.order_no.is_(None))
        .order_by(_T.seq)
    )
    found: _Steps = defaultdict(list)
    for row in await conn.execute(moves, {"values": listed(names, postgres=postgres)}):
        key = installment_of(Subject(INSTALLMENT, row.subject_key))
        found[key].append(Step(row.event, row.at))
    return found


def _refuse(name: str, error: Exception) -> None:
    raise InvariantBroken(f"loan {name} cannot be read back: {type(error).__name__}")
