"""The production topology, natively: real servers on PostgreSQL, real time, and no mercy."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from sandbox.auditing import audit_stack
from sandbox.clusterbinary import installed_cluster
from sandbox.topology import ROOT, Topology
from sandbox.topologyparts import WORKERS
from sandbox.truthlogs import addresses_of, fetch_logs
from tests.topology.scene import (
    AT_NIGHT,
    Upstream,
    bank_is_open,
    loans,
    product_files,
    settings_of,
)
from workers.compose import Stack, open_stack
from workers.processes import Child

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS, ROLLS, AT_FIRST = 7, 1, 2


@dataclass
class Place:
    topology: Topology
    stack: Stack
    upstream: Upstream


@pytest_asyncio.fixture(scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """One installation for all tests of this file, used in their order."""
    if not await installed_cluster(os.environ) and shutil.which("go") is None:
        pytest.skip("no Temporal cluster programs in the cache and no Go to build them")
    if not bank_is_open():
        pytest.skip(AT_NIGHT)
    folder = tmp_path_factory.mktemp("topology")
    products = product_files(folder / "products")
    more = {"ACQUIT_PRODUCTS": str(products)}
    async with AsyncExitStack() as closing:
        topology = await closing.enter_async_context(
            Topology(folder / "home", os.environ, more=more)
        )
        settings = settings_of(topology)
        stack = await closing.enter_async_context(open_stack(settings))
        waiting = loans(products, AT_FIRST + ROLLS + KILLS)
        upstream = await Upstream.of(topology, stack, waiting)
        yield Place(topology, stack, upstream)


async def test_loans_are_debited_in_real_time_by_separate_processes(place: Place) -> None:
    """Two loans due today, boarded by upstream: each debited once, by the rail's own worker."""
    for _ in range(AT_FIRST):
        await place.upstream.board()
    await place.upstream.until_paid(120)
    assert (await place.stack.queries.counts())["attempts"] == {"CONFIRMED": AT_FIRST}


async def test_doctor_finds_an_installation_that_is_well(place: Place) -> None:
    """Asked as it is deployed, with a worker's variables: nothing fails, no secret is reported."""
    home = place.topology.home
    argv = ["sh", "deploy/entrypoint.sh", sys.executable, "-m", "cli", "doctor", "--json"]
    env, log = place.topology.environment(), home / "logs" / "doctor.log"
    doctor = await Child.start([*argv, "--within", "20"], log=log, env=env, cwd=ROOT)
    code, reported = await doctor.wait(90), json.loads(log.read_text())
    assert code == 0, reported
    found = {check["check"]: check["result"] for check in reported["checks"]}
    assert {"fail", "skip"} & set(found.values()) == set()
    assert (found["database role"], found["schedules"]) == ("ok", "ok")


async def test_application_role_cannot_rewrite_the_journal(place: Place) -> None:
    """What the workers connect as may add and never change or remove."""
    for statement in ("UPDATE entries SET seq = seq", "DELETE FROM postings", "DROP TABLE loans"):
        async with place.stack.engine.connect() as conn:
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                await conn.execute(text(statement))


async def test_rolling_restart_loses_nothing(place: Place) -> None:
    """Each worker in turn ends with code 0 on SIGTERM while work is under way."""
    await place.upstream.board()
    for name in WORKERS:
        assert await place.topology.restart(name) == 0, name
    await place.upstream.until_paid(180)


async def test_kill_of_each_process_in_turn_loses_nothing(place: Place) -> None:
    """A loan is boarded, a process is killed in the middle, and so on through all of them."""
    for name in place.topology.names:
        await place.upstream.board()
        await asyncio.sleep(0.7)
        await place.topology.kill(name)
    assert all(place.topology.restarts(name) >= 1 for name in place.topology.names)
    await place.upstream.until_paid(420)


async def test_audit_finds_nothing_after_all_that(place: Place) -> None:
    """One execution for each order at the bank, books that balance, a chain that holds."""
    stack = place.stack
    report = await audit_stack(stack.auditor, stack.queries, stack.clock, stack.registry)
    assert report.clean, report.findings
    orders = (await fetch_logs(addresses_of(place.stack.registry)))["orders"]
    assert len(orders) == len(place.upstream.boarded) == AT_FIRST + ROLLS + KILLS
    assert {len(order["executions"]) for order in orders} == {1}


def test_logs_of_the_workers_hold_no_secret(place: Place) -> None:
    """Passwords and keys are read from files and written nowhere."""
    secrets = [value for value in place.topology.secrets.values.values() if value]
    for log in (place.topology.home / "logs").glob("*.log"):
        content = log.read_text(errors="replace")
        assert [1 for value in secrets if value in content] == [], log.name
