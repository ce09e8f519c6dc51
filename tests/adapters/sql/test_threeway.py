"""The three-way match of real books, on both databases."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.threeway import SqlThreeWay
from adapters.sql.schema.tables import attempts
from domain.audit.threeway import Cause, Reported, ThreeWay, Totals
from ports.threeway import ThreeWayMatch
from tests.support.booksbench import StillClock
from tests.support.tampered import AFTER, AS_OF, DUE, FULL, fill


async def orders(engine: AsyncEngine) -> dict[str, str]:
    """The last order of each loan."""
    async with engine.connect() as conn:
        rows = await conn.execute(select(attempts).order_by(attempts.c.attempt))
        return {row.loan_id: row.order_no for row in rows}


async def match(
    engine: AsyncEngine, day: date, said: Reported, *, later: timedelta = timedelta()
) -> ThreeWay:
    reader: ThreeWayMatch = SqlThreeWay(engine, StillClock(AS_OF + later))
    return await reader.match(day, said, frozenset({"simbank"}))


async def test_sides_that_agree_and_what_cases_explain(engine: AsyncEngine) -> None:
    """The surplus of L2 has no line and a case, the stranger's line has a case."""
    await fill(engine)
    named = await orders(engine)
    said = {("simbank", named["L1"], "CNY"): FULL, ("simbank", named["L2"], "CNY"): FULL}
    found = await match(engine, DUE, said)
    assert found.totals["simbank", "CNY"] == Totals(2, 2 * FULL, 3, 3 * FULL, 2, 2 * FULL)
    assert found.totals["transfer", "CNY"] == Totals(0, 0, 1, 15_000, 1, 15_000)
    causes = [(one.cause, one.explained.partition(" ")[0]) for one in found.differences]
    assert causes == [(Cause.AWAITS_LINE, "case"), (Cause.LINE_UNEXPLAINED, "case")]
    assert found.unexplained == 0


async def test_what_one_side_does_not_have_is_found(engine: AsyncEngine) -> None:
    """An order more, an order less, another amount; each alone."""
    await fill(engine)
    named = await orders(engine)
    said = {("simbank", named["L2"], "CNY"): FULL + 1, ("simbank", "X", "CNY"): 5}
    found = await match(engine, DUE, said)
    unexplained = {(one.cause, one.item) for one in found.differences if not one.explained}
    assert unexplained == {(Cause.NOT_REPORTED, named["L1"]), (Cause.NOT_IN_LEDGER, "X")}
    assert found.counts[Cause.AMOUNT_DIFFERS] == 2  # L2, which has a case of its own


async def test_a_line_that_never_comes_is_unexplained_in_the_end(engine: AsyncEngine) -> None:
    """L3 was debited on the day after; no case is about it."""
    await fill(engine)
    named = await orders(engine)
    said = {("simbank", named["L3"], "CNY"): FULL}
    found = await match(engine, AFTER, said)
    assert [one.explained for one in found.differences] == ["within the time of settlement"]
    late = await match(engine, AFTER, said, later=timedelta(days=30))
    assert late.unexplained == 1


async def test_a_day_without_payments_is_empty(engine: AsyncEngine) -> None:
    """And what rails report of other days does not count."""
    await fill(engine)
    found = await match(engine, date(2026, 3, 1), {})
    assert (found.totals, found.differences) == ({}, [])
