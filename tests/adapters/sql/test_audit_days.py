"""Daily audits on both databases: kept once, signed once, and every audit by its own digest."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.auditing import Auditors, audit_of
from adapters.railreports import FolderReports
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.read.threeway import SqlThreeWay
from adapters.sql.write.auditdays import SqlAuditDays
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.audit.signoff import SignOrder
from domain.errors import InvalidInput
from ports.auditdays import AuditDays
from tests.support.booksbench import StillClock
from tests.support.forging import a_signer
from tests.support.memory import RULES
from tests.support.tampered import AS_OF, DUE, fill
from tests.support.unlocked import unlock

DAY = date(2026, 3, 10)
ORDER = SignOrder("finance", "fin-3", "seen and agreed")


@pytest.fixture
def days(engine: AsyncEngine, clock: StillClock) -> AuditDays:
    """Give the kept audits of empty books."""
    return SqlAuditDays(engine, clock)


async def record(days: AuditDays, day: date = DAY, unexplained: int = 0, **body: Any) -> int:
    done = await days.record(day, body, findings=0, unexplained=unexplained)
    return done.run


async def test_the_same_result_is_kept_once(days: AuditDays) -> None:
    """Another one is another audit of the day; the last counts."""
    assert [await record(days, found=1), await record(days, found=1)] == [1, 1]
    assert await record(days, found=2, unexplained=3) == 2
    kept = await days.of(DAY)
    assert kept is not None
    assert (kept.audited.run, kept.audited.clean, kept.audited.unexplained) == (2, False, 3)
    assert await days.of(date(2026, 3, 9)) is None


async def test_a_sign_off_is_of_one_result(days: AuditDays) -> None:
    """The same order again is the same; another person's is refused; a new result lacks one."""
    with pytest.raises(InvalidInput, match="one that was audited"):
        await days.sign(DAY, ORDER)
    await record(days, found=1)
    signed = await days.sign(DAY, ORDER)
    assert await days.sign(DAY, ORDER) == signed
    with pytest.raises(InvalidInput, match="nobody else has signed off"):
        await days.sign(DAY, SignOrder("audit", "aud-1", "me too"))
    await record(days, found=2)
    kept = await days.of(DAY)
    assert kept is not None
    assert kept.signoff is None


async def test_the_latest_days_come_first(days: AuditDays) -> None:
    """Each with its last audit alone."""
    for number in (9, 10, 11):
        await record(days, date(2026, 3, number), found=1)
    await record(days, date(2026, 3, 9), found=2)
    await days.sign(date(2026, 3, 10), ORDER)
    found = await days.latest(2)
    assert [(one.audited.day.day, one.signoff is not None) for one in found] == [
        (11, False),
        (10, True),
    ]


async def test_results_and_sign_offs_are_never_changed(
    engine: AsyncEngine, days: AuditDays
) -> None:
    """The database itself refuses."""
    await record(days, found=1)
    await days.sign(DAY, ORDER)
    for statement in ("UPDATE audit_days SET clean = true", "DELETE FROM signoffs"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as conn:
                await conn.execute(text(statement))


async def auditors(engine: AsyncEngine, **more: Any) -> Auditors:
    clock = StillClock(AS_OF)
    return Auditors(
        SqlSelfAudit(engine, clock, RULES),
        SqlThreeWay(engine, clock),
        FolderReports(more.get("reports")),
        SqlAuditDays(engine, clock),
        SqlCheckpoints(engine, clock, a_signer()),
        clock,
    )


async def test_a_day_is_audited_whole(engine: AsyncEngine, tmp_path: Any) -> None:
    """Chain, books and three sides; a report that says another thing makes it unclean."""
    await fill(engine)
    done = await audit_of(await auditors(engine), DUE)
    assert (done.clean, done.findings, done.unexplained) == (True, 0, 0)
    (tmp_path / f"{DUE}.csv").write_text(
        f"rail,order_no,currency,amount,value_on\nsimbank,X,CNY,1.00,{DUE}\n"
    )
    other = await audit_of(await auditors(engine, reports=tmp_path), DUE)
    assert (other.clean, other.unexplained > 0, other.run) == (False, True, 2)
    assert await audit_of(await auditors(engine, reports=tmp_path), DUE) == other


async def test_a_faulty_journal_is_a_finding_of_the_day(engine: AsyncEngine) -> None:
    """Nothing is signed then, and the audit goes on."""
    await fill(engine)
    await unlock(engine)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE commands SET reason = 'x' WHERE seq = 1"))
    done = await audit_of(await auditors(engine))
    assert (done.day, done.clean) == (date(2026, 3, 17), False)
    assert done.findings == 2  # the chain, and the checkpoint that was not signed
