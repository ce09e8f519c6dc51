"""Whether a process lives and whether it can work, asked of applications and of real processes."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGTERM

import httpx
import pytest

from adapters.sql.schema.migrate import upgrade
from adapters.temporal.codec import new_key
from domain.errors import InvalidInput, InvariantBroken
from sandbox.devserver import DevServer, DevServerOptions
from sandbox.postgres import LocalPostgres
from tests.support.asked import Process, ask, started, until
from tests.support.railsfile import rails_file
from workers.health import Health, NotReady, Phase, health_app, health_door
from workers.processes import free_port
from workers.reporting import Exit
from workers.settings import Settings

SECRET = "canary-of-a-password"


class Dependency:
    """Answers, or does not, as the test has it."""

    def __init__(self) -> None:
        self.asked = 0
        self.fault: Exception | None = None

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.fault is not None:
            raise self.fault
        return "answers"


@pytest.fixture
def books() -> Dependency:
    return Dependency()


@pytest.fixture
def health(books: Dependency, monkeypatch: pytest.MonkeyPatch) -> Health:
    """A process with one part and one dependency, at work."""
    monkeypatch.setattr("workers.health.FRESH_S", 0.0)
    it = Health("workflows")
    it.part("writer", lambda: True)
    it.dependency("books", books)
    it.phase = Phase.WORKING
    return it


async def asked(health: Health, *paths: str) -> list[httpx.Response]:
    transport = httpx.ASGITransport(health_app(health))
    async with httpx.AsyncClient(transport=transport, base_url="http://it") as client:
        return list(await asyncio.gather(*(client.get(path) for path in paths)))


async def test_each_check_is_named(health: Health) -> None:
    """A person reads from the answer what was looked at and what it said."""
    live, ready = await asked(health, "/healthz", "/readyz")
    assert (live.status_code, ready.status_code) == (200, 200)
    assert list(live.json()["checks"]) == ["event_loop", "writer"]
    assert list(ready.json()["checks"]) == ["phase", "event_loop", "writer", "books"]
    assert ready.json()["role"] == "workflows"
    assert ready.headers["cache-control"] == "no-store"


async def test_dependency_that_is_away_makes_not_ready_and_never_dead(
    health: Health, books: Dependency
) -> None:
    """Starting the process again would not bring the books back; it works on when they are."""
    books.fault = ConnectionError(SECRET)
    live, ready = await asked(health, "/healthz", "/readyz")
    assert (live.status_code, ready.status_code) == (200, 503)
    assert ready.json()["checks"]["books"]["detail"] == "ConnectionError"
    assert SECRET not in ready.text
    books.fault = None
    assert [it.status_code for it in await asked(health, "/readyz")] == [200]


async def test_dependency_that_decides_nothing_is_reported(health: Health) -> None:
    """What the role can do without is shown, and the process stays in service."""
    away = Dependency()
    away.fault = NotReady("unavailable")
    health.dependency("temporal", away, needed=False)
    [ready] = await asked(health, "/readyz")
    assert ready.status_code == 200
    assert ready.json()["checks"]["temporal"] == {
        "ok": False,
        "needed": False,
        "detail": "unavailable",
    }


async def test_silent_dependency_is_abandoned(
    health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check is bounded: whoever asks gets an answer while something else hangs."""
    monkeypatch.setattr("workers.health.WITHIN_S", 0.05)

    async def silent() -> str:
        await asyncio.sleep(3600)
        return ""

    health.dependency("temporal", silent)
    [ready] = await asked(health, "/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["temporal"]["detail"] == "no answer within 0.05 s"


async def test_many_askers_are_one_look(
    health: Health, books: Dependency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can reach the port cannot load the database through it."""
    monkeypatch.setattr("workers.health.FRESH_S", 60.0)
    answers = await asked(health, *["/readyz"] * 50)
    assert {it.status_code for it in answers} == {200}
    assert books.asked == 1


async def test_dead_part_ends_the_process_and_is_reported(health: Health) -> None:
    """Nobody starts an unhealthy container again under Compose, but everybody one that ended."""
    health.part("outbox", lambda: False)
    live, ready = await asked(health, "/healthz", "/readyz")
    assert (live.status_code, ready.status_code) == (503, 503)
    assert live.json()["checks"]["outbox"] == {"ok": False, "needed": True, "detail": "has died"}
    with pytest.raises(InvariantBroken, match="outbox of workflows died"):
        await health.watch(asyncio.Event())


async def test_phases_are_seen(health: Health) -> None:
    """Not ready before work begins and from the instant at which it is asked to stop, alive always.

    Parts end one by one while the process drains: that is no death.
    """
    health.phase = Phase.STARTING
    assert [it.status_code for it in await asked(health, "/healthz", "/readyz")] == [200, 503]
    stop = asyncio.Event()
    watching = asyncio.create_task(health.watch(stop))
    await asyncio.sleep(0)
    assert [it.status_code for it in await asked(health, "/readyz")] == [200]
    stop.set()
    await watching
    health.part("outbox", lambda: False)
    live, ready = await asked(health, "/healthz", "/readyz")
    assert (live.status_code, ready.status_code) == (200, 503)
    assert ready.json()["checks"]["phase"]["detail"] == "draining"


async def test_without_a_port_nothing_listens_and_a_taken_one_is_named(health: Health) -> None:
    """Off by default; a port that is taken is a mistake of the settings, reported in one line."""
    async with health_door(health, Settings()):
        pass
    given = Settings(health_port=free_port())
    async with health_door(health, given):
        assert given.health_port is not None
        assert await ask(given.health_port, "/healthz")
        with pytest.raises(InvalidInput, match=f"health.*{given.health_port}"):
            async with health_door(health, given):
                pass


# --- real processes -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def postgres() -> AsyncIterator[LocalPostgres]:
    """A PostgreSQL that may be killed."""
    async with LocalPostgres(os.environ) as server:
        yield server


@pytest.fixture(scope="module")
async def temporal(temporal_binary: Path) -> AsyncIterator[DevServer]:
    """A Temporal server that may be killed."""
    async with DevServer(temporal_binary) as server:
        yield server


def variables(temporal: DevServer, url: str, **more: str) -> dict[str, str]:
    return {
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": temporal.namespace,
        "ACQUIT_DATABASE_URL": url,
        "ACQUIT_RAIL_API_SECRET": SECRET,
        "ACQUIT_WEBHOOK_SECRET": SECRET,
        **more,
    }


@pytest.mark.timeout(180)
async def test_worker_is_ready_while_its_books_and_temporal_are_there(
    postgres: LocalPostgres, temporal_binary: Path, tmp_path: Path
) -> None:
    """Each is killed and comes back: alive and not ready meanwhile, then ready by itself."""
    url = await postgres.create_database()
    await upgrade(url)
    options = DevServerOptions(db_file=tmp_path / "temporal.db")
    async with DevServer(temporal_binary, options) as temporal:
        it = await started(
            tmp_path / "worker.log", "cli", "worker", "workflows", **variables(temporal, url)
        )
        try:
            ready = await until(it.port, "/readyz", 200)
            assert {"writer", "outbox", "poller workflows", "books", "temporal"} <= set(
                ready.body["checks"]
            )
            assert SECRET not in str(ready.body)
            await temporal.kill()
            assert set((await until(it.port, "/readyz", 503)).failing) == {"temporal"}
            await lives(it)
            await temporal.start()
            await until(it.port, "/readyz", 200)
            await postgres.kill()
            assert set((await until(it.port, "/readyz", 503)).failing) == {"books"}
            await lives(it)
            await postgres.start()
            await until(it.port, "/readyz", 200)
        finally:
            code = await it.child.stop(grace_s=40)
        assert code == 0, it.child.tail()


async def lives(it: Process) -> None:
    said = await ask(it.port, "/healthz")
    assert said is not None
    assert said.status == 200


async def test_worker_on_books_of_an_older_revision_is_not_ready(
    temporal: DevServer, sqlite_url: str, tmp_path: Path
) -> None:
    """It says which revision it found and which it needs, and is ready once they are migrated."""
    await upgrade(sqlite_url, "0001")
    it = await started(
        tmp_path / "worker.log", "cli", "worker", "books", **variables(temporal, sqlite_url)
    )
    try:
        said = await until(it.port, "/readyz", 503)
        while "phase" in said.failing:
            said = await until(it.port, "/readyz", 503)
        assert "revision 0001, this build brings" in said.failing["books"]
        await upgrade(sqlite_url)
        await until(it.port, "/readyz", 200)
    finally:
        code = await it.child.stop(grace_s=40)
    assert code == 0, it.child.tail()


async def test_door_that_is_asked_to_stop_answers_what_it_has_begun(
    temporal: DevServer, sqlite_url: str, tmp_path: Path
) -> None:
    """A report half received at SIGTERM: not ready at once, alive, answered, then the end."""
    await upgrade(sqlite_url)
    api = free_port()
    given = variables(temporal, sqlite_url, ACQUIT_API_PORT=str(api))
    given["ACQUIT_RAILS"] = str(rails_file(tmp_path, "http://127.0.0.1:9"))
    it = await started(tmp_path / "worker.log", "cli", "worker", "api", **given)
    try:
        await until(it.port, "/readyz", 200)
        reader, writer = await asyncio.open_connection("127.0.0.1", api)
        head = b"POST /webhooks/simbank HTTP/1.1\r\nHost: it\r\nContent-Length: 2\r\n\r\n"
        writer.write(head + b"{")
        await writer.drain()
        await asyncio.sleep(0.2)
        it.child.send(SIGTERM)
        assert (await until(it.port, "/readyz", 503)).failing == {"phase": "draining"}
        await lives(it)
        writer.write(b"}")
        assert b"401" in await reader.readline()
        writer.close()
        assert await it.child.wait(30) == 0
    finally:
        await it.child.kill()


async def test_door_stays_in_service_while_temporal_is_away(
    temporal: DevServer, sqlite_url: str, tmp_path: Path
) -> None:
    """What rails report is kept and delivered later, so the door is ready; it says what is away."""
    await upgrade(sqlite_url)
    given = variables(temporal, sqlite_url, ACQUIT_API_PORT=str(free_port()))
    it = await started(tmp_path / "worker.log", "cli", "worker", "api", **given)
    try:
        said = await until(it.port, "/readyz", 200)
        await temporal.kill()
        async with asyncio.timeout(20):
            while said.body["checks"]["temporal"]["ok"]:
                said = await until(it.port, "/readyz", 200)
        assert said.failing == {}
    finally:
        await temporal.start()
        code = await it.child.stop(grace_s=40)
    assert code == 0, it.child.tail()


async def test_worker_that_finds_no_temporal_says_where_it_looked(
    sqlite_url: str, tmp_path: Path
) -> None:
    """One line and the exit code for it, so that whoever reads the log knows what to start."""
    await upgrade(sqlite_url)
    env = {"TEMPORAL_ADDRESS": "127.0.0.1:9", "ACQUIT_RAIL_API_SECRET": SECRET}
    env["ACQUIT_DATABASE_URL"] = sqlite_url
    it = await started(tmp_path / "worker.log", "cli", "worker", "books", **env)
    assert await it.child.wait(60) == Exit.UNAVAILABLE
    assert it.child.tail(1) == "acquit: Temporal at 127.0.0.1:9 does not answer: ConnectionRefused"


async def test_codec_server_tells_its_health(tmp_path: Path) -> None:
    """It depends on nothing but its keys, so it is ready while it serves."""
    given = {
        "ACQUIT_CODEC_PORT": str(free_port()),
        "ACQUIT_PAYLOAD_KEYS": new_key("k1"),
        "ACQUIT_CODEC_TOKENS": f"ann:{'t' * 40}",
    }
    it = await started(tmp_path / "codec.log", "workers.codecserver", **given)
    try:
        said = await until(it.port, "/readyz", 200)
        assert list(said.body["checks"]) == ["phase", "event_loop", "door"]
    finally:
        code = await it.child.stop()
    assert code == 0
