"""News that come too early, too late, twice or in the wrong order change nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.statements import StatementOrder
from adapters.sql.readrows import read_message
from adapters.sql.schema.tables import outbox
from adapters.temporal.dispatchers import dispatchers
from domain.kernel.subject import Subject
from ports.outbox import Dispatcher, OutboxRow
from simulator.rail.webhooks import sign
from tests.journeys.whole import Whole, loans, soon, whole
from tests.support import stories
from tests.support.stage import sent
from workers.compose import notice_dispatcher
from workflows import names
from workflows.installment import InstallmentWorkflow
from workflows.statement import StatementWorkflow

STORM = 6
TENANT = "demo"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ended(
    tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path
) -> AsyncIterator[Whole]:
    """A stack whose loans have all ended; every message was brought twice once on the way."""
    assert temporal_binary.is_file()
    async with whole(tmp_path_factory.mktemp("twice") / "home") as run:
        boarded = loans(2)
        await run.board(boarded)
        await run.until("CLEARING")
        await everything_again(run)
        report = await run.to_the_end()
        assert report.clean, report.findings
        assert dict(report.installments) == {"CLOSED": 2}
        yield run


async def rows_of(run: Whole) -> list[OutboxRow]:
    """Everything that ever left through the outbox."""
    async with run.services.stack.engine.connect() as conn:
        found = (await conn.execute(select(outbox).order_by(outbox.c.id))).fetchall()
    return [
        OutboxRow(row.id, row.topic, row.stream, read_message(row.body), None, 0) for row in found
    ]


async def everything_again(run: Whole) -> int:
    """Deliver every message of the outbox twice more, the newest first."""
    rows = await rows_of(run)
    async with AsyncExitStack() as closing:
        notices = await notice_dispatcher(run.services.stack, closing)
        by_topic: dict[str, Dispatcher] = {**dispatchers(run.services.drivers), "notice": notices}
        for row in [*reversed(rows), *rows]:
            await by_topic[row.topic].deliver(row)
    await run.sandbox.settle()
    return len(rows)


async def unchanged(run: Whole, head: str) -> None:
    """The books are what they were, and still agree with the bank."""
    await run.sandbox.settle()
    assert await run.head() == head
    report = await run.audit()
    assert report.clean, report.findings
    assert dict(report.installments) == {"CLOSED": 2}


async def test_messages_delivered_twice_and_out_of_order_change_nothing(ended: Whole) -> None:
    """At least once is enough: drivers fold views, providers know messages by their id."""
    head = await ended.head()
    assert await everything_again(ended) >= 6
    await unchanged(ended, head)
    truth = await ended.truth()
    assert [order["posts"] for order in truth["orders"]] == [1, 1]
    assert len({notice["message_id"] for notice in truth["notices"]}) == len(truth["notices"]) == 2


async def test_a_statement_file_read_twice_books_nothing_twice(ended: Whole) -> None:
    """The same file is not read again; made to be read again, its lines count once."""
    head = await ended.head()
    records = await ended.services.stack.archive.statements()
    lines = [record for record in records if record.lines]
    assert lines
    for record in lines:
        assert await ended.services.starter.start_statement(TENANT, record.sha256) is False
        await ended.services.client.execute_workflow(
            StatementWorkflow.run,
            StatementOrder(TENANT, record.sha256),
            id=f"statement/{TENANT}/again-{record.sha256[:8]}",
            task_queue=names.WORKFLOWS,
        )
    await unchanged(ended, head)


async def test_a_storm_of_the_same_webhooks_changes_nothing(ended: Whole) -> None:
    """Each report is answered 200 every time and counts once."""
    head = await ended.head()
    home = ended.services.stack.settings.home
    with sqlite3.connect(home / "simulator.db") as bank:
        sent = bank.execute("SELECT webhook_id, body FROM webhooks").fetchall()
    assert len(sent) >= 4
    record = ended.local.record
    assert record is not None
    port = ended.services.stack.settings.api_port
    stamp = int(ended.sandbox.now.timestamp())
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    f"http://127.0.0.1:{port}/webhooks/simbank",
                    content=body,
                    headers={
                        "webhook-id": webhook_id,
                        "webhook-timestamp": str(stamp),
                        "webhook-signature": sign(
                            record.secrets["rails.simbank.webhook_secret"], webhook_id, stamp, body
                        ),
                    },
                )
                for webhook_id, body in sent * STORM
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    await unchanged(ended, head)


async def test_signals_after_the_last_task_are_refused_so_and_change_nothing(ended: Whole) -> None:
    """A driver that has ended takes no more orders; news for it count as delivered."""
    head = await ended.head()
    view = await ended.view("D007-00001")
    handle = ended.services.client.get_workflow_handle(names.driver_id(view))
    await soon(lambda: _has_ended(handle))
    late = sent("hold", "late-1", "too late")
    with pytest.raises(RPCError) as refused:
        await handle.signal("hold", late)
    assert refused.value.status is RPCStatusCode.NOT_FOUND
    await ended.services.drivers.wake(view)
    await ended.services.drivers.open(view)
    await unchanged(ended, head)


async def _has_ended(handle: object) -> bool:
    described = await handle.describe()  # type: ignore[attr-defined]
    return described.close_time is not None


async def test_signals_before_the_first_task_are_kept_and_obeyed(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """A hold and its end, sent while the driver still sleeps before its first task, both count.

    Old news sent at the same time change nothing, and the debit is made once.
    """
    assert temporal_binary.is_file()
    async with whole(tmp_path / "home") as run:
        (loan,) = loans(1)
        await run.board([loan])
        while not (await run.view(loan.loan_id)).version or not await _opened(run, loan.loan_id):
            stop = await run.sandbox.next_stop()
            assert stop is not None
            await run.sandbox.stand_at(stop)
        view = await run.view(loan.loan_id)
        handle = run.services.client.get_workflow_handle(names.driver_id(view))
        hold = sent("hold", "early-1", "a question")
        unhold = sent("unhold", "early-2", "answered")
        await handle.signal("hold", hold)
        await handle.signal(InstallmentWorkflow.wake, view)
        await handle.signal("unhold", unhold)
        await handle.signal("hold", hold)
        # Time stands still from the driver's first task on: between the hold and its end nothing is
        # due, and a clock moved there would send the reminder in the night.
        while "unheld" not in await _story(run, loan.loan_id):
            if await _is_awake(handle):
                await asyncio.sleep(0.05)
            elif (stop := await run.sandbox.next_stop()) is not None:
                await run.sandbox.stand_at(stop)
        report = await run.to_the_end(timedelta(days=120))
        assert report.clean, report.findings
        assert dict(report.installments) == {"CLOSED": 1}
        said = await _story(run, loan.loan_id)
        assert [what for what in said if what in {"held", "unheld"}] == ["held", "unheld"], said
        (order,) = (await run.truth())["orders"]
        assert order["posts"] == 1


async def _is_awake(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the driver has had its first task; a driver that still sleeps has signals only."""
    events = [event.event_type async for event in handle.fetch_history_events()]
    return EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED in events


async def _story(run: Whole, loan_id: str) -> list[str]:
    return stories.names(await stories.story(run.services.stack.queries, loan_id, 1))


async def _opened(run: Whole, loan_id: str) -> bool:
    unfinished = await run.services.stack.queries.unfinished(Subject("", ""), 10)
    return any(view.labels.loan_id == loan_id for view in unfinished)
