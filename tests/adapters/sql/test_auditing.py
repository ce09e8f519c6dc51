"""What auditors read of real books, on both databases: risks of loans, cases of a period."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read import auditing
from adapters.sql.read.auditing import SqlAuditing
from adapters.sql.write.books import SqlBooks
from domain.audit.sample import Risk
from ports.auditing import Auditing
from tests.support.booksbench import apply_all
from tests.support.memory import board
from tests.support.tampered import AS_OF, DUE, LOANS, fill


async def test_the_risk_of_each_loan_is_counted(engine: AsyncEngine) -> None:
    """Cases, open ones, returns and failed debits; the surplus of L2 weighs most."""
    await fill(engine)
    reader: Auditing = SqlAuditing(engine)
    found = {one.loan_id: one.risk async for one in reader.risks()}
    assert list(found) == list(LOANS)
    assert found["L1"] == Risk(cases=1)
    assert found["L2"] == Risk(cases=3, open_cases=2)
    assert found["L3"] == Risk(cases=1, failed_debits=1)
    assert found["L4"] == Risk()


async def test_every_page_of_loans_is_read(engine: AsyncEngine, books: SqlBooks) -> None:
    """Each loan once, in order."""
    names = [f"L{number:04}" for number in range(auditing.PAGE + 3)]
    await apply_all(books, [board(name) for name in names])
    assert [one.loan_id async for one in SqlAuditing(engine).risks()] == names


async def test_cases_of_a_period_were_opened_or_ended_in_it(engine: AsyncEngine) -> None:
    """Those of other days are left out."""
    await fill(engine)
    reader = SqlAuditing(engine)
    day = datetime(DUE.year, DUE.month, DUE.day, tzinfo=AS_OF.tzinfo)

    async def keys(begin: datetime, end: datetime) -> set[str]:
        return {case.key async for case in reader.cases_between(begin, end)}

    every = await keys(day, day + timedelta(days=1))
    assert len(every) == 7
    assert await keys(day + timedelta(days=1), day + timedelta(days=2)) == {"no_reminder/L3/1"}
    assert await keys(day - timedelta(days=9), day) == set()
