"""Streams what auditors ask for: implements `ports.auditing.Auditing`."""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import among, listed
from adapters.sql.read.looking import look
from adapters.sql.read.statements import CASES
from adapters.sql.readrows import read_case
from adapters.sql.schema.tables import attempts, cases, loans, portions
from domain.audit.sample import Risk
from domain.case.case import Case
from domain.debit.attempt import AttemptState
from ports.auditing import LoanRisk

PAGE = 500
_FAILED = (AttemptState.DECLINED.value, AttemptState.NOT_EXECUTED.value)


def _counts(column: Any, *conditions: Any) -> Select[Any]:  # noqa: ANN401  (columns)
    """How many rows each loan has."""
    counted: Select[Any] = select(column.label("loan"), func.count().label("n"))
    return counted.where(*conditions).group_by(column)


_COUNTS = {
    "cases": (cases.c.loan_id, _counts(cases.c.loan_id)),
    "open_cases": (cases.c.loan_id, _counts(cases.c.loan_id, cases.c.closed_at.is_(None))),
    "returns": (portions.c.loan_id, _counts(portions.c.loan_id, portions.c.returned_minor > 0)),
    "failed_debits": (
        attempts.c.loan_id,
        _counts(attempts.c.loan_id, attempts.c.state.in_(_FAILED)),
    ),
}


class SqlAuditing:
    """A page of loans, or of cases, is in memory at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def risks(self) -> AsyncGenerator[LoanRisk]:
        """Every loan with its risk; see the port."""
        after, ids = "", loans.c.id
        async with look(self._engine, unhurried=True) as conn:
            while True:
                page = select(ids).where(ids > after).order_by(ids).limit(PAGE)
                names = list((await conn.execute(page)).scalars())
                if not names:
                    return
                after, found = names[-1], await _risks(conn, names)
                for name in names:
                    yield LoanRisk(name, Risk(**found[name]))

    async def cases_between(self, begin: datetime, end: datetime) -> AsyncGenerator[Case]:
        """Cases of a period; see the port."""
        within = (
            and_(column >= begin, column < end) for column in (cases.c.opened_at, cases.c.closed_at)
        )
        found = CASES.where(or_(*within)).order_by(cases.c.opened_at, cases.c.key)
        options = {"max_row_buffer": PAGE}
        async with (
            look(self._engine, unhurried=True) as conn,
            conn.stream(found, execution_options=options) as rows,
        ):
            async for row in rows:
                yield read_case(row.body)


async def _risks(conn: AsyncConnection, names: Sequence[str]) -> dict[str, dict[str, int]]:
    postgres = conn.dialect.name == "postgresql"
    terms = {"values": listed(names, postgres=postgres)}
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for name, (column, statement) in _COUNTS.items():
        mine = statement.where(among(column, "values", postgres=postgres))
        for row in await conn.execute(mine, terms):
            found[row.loan][name] = int(row.n)
    return found
