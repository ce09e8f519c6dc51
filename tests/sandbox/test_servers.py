"""Servers for development: they answer, come back after a crash and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import pytest
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from sandbox.devserver import RETENTION, DevServer, DevServerOptions
from sandbox.postgres import LocalPostgres, packaged_binaries
from tests.support.nap import Nap
from workflows.names import SEARCH_ATTRIBUTES


async def test_namespace_has_our_search_attributes_and_long_retention(
    temporal_server: DevServer, temporal_client: Client
) -> None:
    """Typed search attributes exist, and closed histories stay for 30 days instead of one."""
    listed = await temporal_client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=temporal_server.namespace)
    )
    assert set(SEARCH_ATTRIBUTES) <= set(listed.custom_attributes)
    described = await temporal_client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=temporal_server.namespace)
    )
    retention = described.config.workflow_execution_retention_ttl
    assert retention.ToTimedelta() == RETENTION


async def test_shared_server_skips_time(temporal_client: Client) -> None:
    """The shared server is a sandbox: a nap of 90 days under the virtual clock ends at once."""
    skipper = TimeSkipper(temporal_client)
    async with Worker(temporal_client, task_queue="servers", workflows=[Nap]):
        nap = await skipper.client.start_workflow(Nap.run, 90, id="nap", task_queue="servers")
        assert await asyncio.wait_for(nap.result(), 30) == "rested"


async def test_file_backed_server_keeps_its_workflows_over_a_kill(
    temporal_binary: Path, tmp_path: Path
) -> None:
    """What the server acknowledged before SIGKILL is there when it returns on the same port."""
    options = DevServerOptions(db_file=tmp_path / "temporal.db")
    async with DevServer(temporal_binary, options) as server:
        client = await server.connect()
        await client.start_workflow("Waits", id="kept", task_queue="nobody")
        await server.restart(hard=True)
        again = await server.connect()
        assert (await again.get_workflow_handle("kept").describe()).id == "kept"
        pid = server.pid
    assert pid is not None
    assert not _alive(pid)


async def test_server_dies_with_its_owner_even_if_the_owner_is_killed(
    temporal_binary: Path, tmp_path: Path
) -> None:
    """A killed run leaves no dev server behind on Linux."""
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells a child that its parent has died")
    program = tmp_path / "owner.py"
    program.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from sandbox.devserver import DevServer, DevServerOptions\n"
        "async def main():\n"
        "    options = DevServerOptions(log_file=Path(sys.argv[2]))\n"
        "    async with DevServer(Path(sys.argv[1]), options) as server:\n"
        "        print(server.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        str(temporal_binary),
        str(tmp_path / "server.log"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert owner.stdout is not None
    pid = int(await asyncio.wait_for(owner.stdout.readline(), 60))
    assert _alive(pid)
    owner.send_signal(signal.SIGKILL)
    await owner.wait()
    async with asyncio.timeout(20):
        while _alive(pid):  # bounded by the time-out around it
            await asyncio.sleep(0.1)


async def test_postgres_gives_empty_databases_and_survives_a_kill(
    postgres_server: LocalPostgres, postgres_url: str
) -> None:
    """Every test has a database of its own, and it comes back after the server was killed."""
    async with LocalPostgres(os.environ) as server:
        plain = (await server.create_database()).replace("+asyncpg", "")
        connection = await asyncpg.connect(plain)
        await connection.execute("CREATE TABLE kept (id int)")
        await connection.close()
        await server.kill()
        await server.start()
        connection = await asyncpg.connect(plain)
        assert await connection.fetchval("SELECT count(*) FROM kept") == 0
        await connection.close()
    assert postgres_server.version
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    found = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert found == 0


async def test_packaged_postgres_runs_where_no_system_server_is_installed() -> None:
    """The server that comes with the requirements runs for every user, root included."""
    binaries = packaged_binaries()
    assert binaries is not None
    async with LocalPostgres(os.environ, binaries=binaries) as server:
        assert int(server.version.split(".")[0]) >= 16
        assert await server.create_database() != await server.create_database()


def _alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie that nobody has collected does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
