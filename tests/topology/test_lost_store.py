"""Temporal's database is lost in the middle of repayment: the books bring every driver back."""

import asyncio
import json
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from adapters.products.files import read_products
from adapters.temporal.client import connect
from domain.kernel.subject import Subject
from sandbox.auditing import audit_stack
from sandbox.demoloans import made_loans
from sandbox.homefiles import TEMPORAL_DB
from sandbox.local import LocalOptions, LocalStack
from sandbox.rehearsal import board
from sandbox.simulated import SimulatorControl
from sandbox.virtualtime import Sandbox
from tests.support.base import base, base_day
from workers.compose import open_stack
from workers.processes import output_of
from workers.settings import Settings, temporal_config

LOANS, MONTHS = 3, 2
MIDDLE, END = timedelta(days=17), timedelta(days=110)


async def lose_temporal(local: LocalStack, home: Path) -> None:
    """Delete the database and kill the server, which is then started again, empty."""
    for path in home.glob(f"{TEMPORAL_DB}*"):
        path.unlink()
    assert local.server is not None
    await local.server.kill()
    async with asyncio.timeout(60):
        while not (local.restarts["temporal"] and await _answers(local)):
            await asyncio.sleep(0.2)


async def _answers(local: LocalStack) -> bool:
    with suppress(RPCError, RuntimeError):
        assert local.server is not None
        client = await local.server.connect()
        return (await client.count_workflows()).count == 0
    return False


async def running(client: Client) -> int:
    query = "WorkflowType='Installment' AND ExecutionStatus='Running'"
    return (await client.count_workflows(query)).count


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_lost_temporal_store_is_rebuilt_from_the_books(
    temporal_binary: Path, tmp_path: Path
) -> None:
    """Start empty, `acquit heal`, go on: the run ends clean and no debit is made twice."""
    settings = Settings(home=tmp_path)
    loans = made_loans(LOANS, MONTHS, 5, base_day(), read_products(settings.products))
    options = LocalOptions(seed=5, start=base())
    async with (
        LocalStack(settings, options, lambda _part: None) as local,
        open_stack(settings) as stack,
    ):
        assert stack.record is not None
        assert stack.record.simulator_url is not None
        client = await connect(temporal_config(stack.record))
        async with SimulatorControl(stack.record.simulator_url) as control:
            sandbox = Sandbox(stack, client, control, tenant=loans[0].tenant)
            first = sandbox.now
            await board(stack, client, loans)
            await sandbox.advance(first + MIDDLE)
            assert (await stack.queries.counts())["attempts"]
            before = len(await stack.queries.unfinished(Subject("", ""), 100))
            assert before
            await lose_temporal(local, tmp_path)
            argv = [sys.executable, "-m", "cli", "--home", str(tmp_path), "heal", "--json"]
            healed = json.loads(await output_of(*argv, timeout_s=120) or "{}")
            assert healed["started"] == before, healed
            assert healed["faults"] == []
            await sandbox.advance(first + END)
            books = (stack.auditor, stack.queries, stack.clock)
            report = await audit_stack(*books, stack.registry)
    assert report.clean, report.findings
    assert report.installments == {"CLOSED": LOANS * MONTHS}
