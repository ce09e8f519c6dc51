"""Several processes of one role: what ends is started again, what hangs is killed, all drain."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.sql.schema.migrate import upgrade
from domain.errors import InvalidInput
from sandbox.devserver import DevServer
from tests.support.asked import Process, Said, ask, started, until
from workers import supervisor
from workers.health import Health
from workers.processes import free_port
from workers.reporting import Exit
from workers.settings import Settings
from workers.supervisor import Pace, Slot, Supervisor, cores, slots_of

HASTY = Pace(first_pause_s=0.01, last_pause_s=0.04, look_s=0.05, silent_looks=3, grace_s=0.5)
DEAF = (
    "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "pathlib.Path({ready!r}).touch(); time.sleep(60)"
)


async def supervised(
    program: str, restarts: int, *, address: str | None = None, ready: Path | None = None
) -> tuple[Supervisor, Slot]:
    """Supervise one small program until it was started again so often, and is `ready`."""
    slot = Slot(1, [sys.executable, "-c", program], os.environ.copy(), address)
    it, stop = Supervisor([slot], Health("workflows"), HASTY), asyncio.Event()
    running = asyncio.create_task(it.run(stop))
    async with asyncio.timeout(30):
        while not running.done() and slot.restarts < restarts:
            await asyncio.sleep(0.01)
        while not (ready is None or ready.exists()):
            await asyncio.sleep(0.01)
        stop.set()
        await running
    return it, slot


async def test_what_ends_is_started_again_ever_later(caplog: pytest.LogCaptureFixture) -> None:
    """The pause doubles up to its limit, so that a broken release does not spin."""
    with caplog.at_level(logging.WARNING, "acquit.supervisor"):
        await supervised("raise SystemExit(3)", 4)
    ends = [record.__dict__ for record in caplog.records if "ended" in record.message]
    assert [it["again_in_s"] for it in ends][:4] == [0.01, 0.02, 0.04, 0.04]
    assert {it["code"] for it in ends} == {3}


async def test_mistake_of_the_settings_ends_the_parent_with_the_same_code() -> None:
    """Starting again would say the same again; whoever supervises the parent decides."""
    it, slot = await supervised(f"raise SystemExit({int(Exit.MISTAKE)})", 5)
    assert (it.code, slot.restarts) == (Exit.MISTAKE, 0)


async def test_process_that_does_not_drain_is_killed_and_reported(tmp_path: Path) -> None:
    """The end is bounded, and the exit code says that something was cut short."""
    ready = tmp_path / "ready"
    it, slot = await supervised(DEAF.format(ready=str(ready)), 0, ready=ready)
    assert slot.process is not None
    assert slot.process.returncode == -signal.SIGKILL
    assert it.code is Exit.FAULT


async def test_process_that_says_nothing_is_killed_and_started_again() -> None:
    """An event loop that hangs answers nobody: outside one parent, a probe would find it."""
    address = f"http://127.0.0.1:{free_port()}"
    _, slot = await supervised("import time; time.sleep(60)", 1, address=address)
    assert slot.restarts == 1


def test_web_door_has_one_process_and_health_has_a_port_for_each() -> None:
    """Two processes cannot listen at one port; the n-th answers on the n-th after the parent's."""
    for role in ("api", "all"):
        with pytest.raises(InvalidInput, match="one web door"):
            slots_of(role, Settings(), 2)
    with pytest.raises(InvalidInput, match="at most 65533"):
        slots_of("books", Settings(health_port=65_534), 2)
    slots = slots_of("books", Settings(health_host="0.0.0.0", health_port=8090), 2)
    assert [slot.address for slot in slots] == ["http://127.0.0.1:8091", "http://127.0.0.1:8092"]
    assert [slot.env["ACQUIT_HEALTH_PORT"] for slot in slots] == ["8091", "8092"]
    assert {slot.env["ACQUIT_PROCESSES"] for slot in slots} == {"1"}


@pytest.mark.parametrize(
    ("quota", "most"), [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("", None)]
)
def test_cores_are_those_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, most: int | None
) -> None:
    """One for each whole core that the container may use, and always one."""
    path = tmp_path / "cpu.max"
    path.write_text(quota)
    monkeypatch.setattr(supervisor, "_CPU_MAX", path)
    assert cores() == (most or len(os.sched_getaffinity(0)))


# --- real workers ---------------------------------------------------------------------------------


async def workers(temporal: DevServer, url: str, log: Path) -> Process:
    await upgrade(url)
    return await started(
        log,
        *("cli", "worker", "books", "--processes", "2"),
        TEMPORAL_ADDRESS=temporal.address,
        TEMPORAL_NAMESPACE=temporal.namespace,
        ACQUIT_DATABASE_URL=url,
        ACQUIT_RAIL_API_SECRET="x" * 24,
        ACQUIT_WEBHOOK_SECRET="x" * 24,
    )


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def details(said: Said) -> dict[str, str]:
    checks = said.body["checks"].items()
    return {name: it["detail"] for name, it in checks if name.startswith("process ")}


async def test_parent_keeps_two_workers_and_drains_them(
    temporal_server: DevServer, sqlite_url: str, tmp_path: Path
) -> None:
    """One is killed: the parent lives, and is ready again with a new one. All end well."""
    it = await workers(temporal_server, sqlite_url, tmp_path / "worker.log")
    try:
        ready = await until(it.port, "/readyz", 200)
        assert details(ready) == {
            "process 1": "ready, started again 0 times",
            "process 2": "ready, started again 0 times",
        }
        assert (await ask(it.port + 2, "/readyz")) is not None
        first, second = children_of(it.child.pid)
        os.kill(first, signal.SIGKILL)
        assert set((await until(it.port, "/readyz", 503)).failing) == {"process 1"}
        assert (await until(it.port, "/healthz", 200)).body["role"] == "books"
        ready = await until(it.port, "/readyz", 200)
        assert details(ready)["process 1"] == "ready, started again 1 times"
        assert second in children_of(it.child.pid)
        left = children_of(it.child.pid)
    finally:
        code = await it.child.stop(grace_s=60)
    assert code == 0, it.child.tail()
    assert [pid for pid in left if lives(pid)] == []


async def test_workers_end_with_a_parent_that_is_killed(
    temporal_server: DevServer, sqlite_url: str, tmp_path: Path
) -> None:
    """Nobody would supervise them any more; they drain as on SIGTERM."""
    it = await workers(temporal_server, sqlite_url, tmp_path / "worker.log")
    try:
        await until(it.port, "/readyz", 200)
        left = children_of(it.child.pid)
        os.kill(it.child.pid, signal.SIGKILL)
        async with asyncio.timeout(40):
            while any(lives(pid) for pid in left):
                await asyncio.sleep(0.1)
    finally:
        await it.child.kill()
    assert len(left) == 2
