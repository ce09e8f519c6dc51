"""The workflow of daily audits on a real server: one activity, over real books."""

import asyncio
import uuid

import pytest
from temporalio.client import Client, WorkflowFailureError

from activities.auditing import AuditActivities, AuditOrder, Auditors
from adapters.railreports import FolderReports
from adapters.sql.engine import books_engine
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.read.threeway import SqlThreeWay
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.auditdays import SqlAuditDays
from adapters.temporal.schedules import audit_schedule, schedule_ids
from adapters.temporal.worker import Role, books_role, build_worker
from tests.support.booksbench import StillClock
from tests.support.memory import RULES
from tests.support.tampered import AS_OF, DUE, fill
from workflows.audit_day import AuditDayWorkflow


async def test_a_day_is_audited_and_kept(temporal_client: Client, sqlite_url: str) -> None:
    """The answer is the row that waits for its sign-off; a day that is none is refused."""
    await upgrade(sqlite_url)
    engine, queue = books_engine(sqlite_url), f"audit-{uuid.uuid4().hex[:10]}"
    await fill(engine)
    clock = StillClock(AS_OF)
    days = SqlAuditDays(engine, clock)
    books, sides = SqlSelfAudit(engine, clock, RULES), SqlThreeWay(engine, clock)
    ask = Auditors(books, sides, FolderReports(None), days, None, clock)
    async with (
        build_worker(temporal_client, Role(queue, runs_workflows=True, pollers_most=3)),
        build_worker(temporal_client, books_role(), [AuditActivities(ask).audit_day]),
    ):
        start = temporal_client.start_workflow
        handle = await start(
            AuditDayWorkflow.run, AuditOrder(DUE.isoformat()), id=queue, task_queue=queue
        )
        done = await asyncio.wait_for(handle.result(), 60)
        kept = await days.of(DUE)
        assert kept is not None
        assert (done.day, done.run, done.digest) == (DUE.isoformat(), 1, kept.audited.digest)
        assert (done.clean, kept.signoff) == (True, None)
        wrong = await start(
            AuditDayWorkflow.run, AuditOrder("march"), id=f"{queue}-2", task_queue=queue
        )
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(wrong.result(), 60)
    await engine.dispose()


def test_its_schedule_is_daily_and_known_to_the_doctor() -> None:
    """At one time of the day, and among the schedules that are looked for."""
    (calendar,) = audit_schedule("t1").spec.calendars
    assert [one.start for one in calendar.hour] == [7]
    assert "audit_day/t1" in schedule_ids("t1", [])
