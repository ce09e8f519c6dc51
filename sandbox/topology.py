"""The production topology on this machine, without containers: `make topology`.

The parts of docker-compose.yml as processes, started by the same scripts of deploy/ with the same
variables: PostgreSQL, a Temporal cluster on it, the books under a restricted role, one process for
each kind of worker, the web door and the simulated bank. What dies is started again, as the
`restart` rules say. For trials and tests: PostgreSQL trusts this machine, and all state is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from domain.errors import Unavailable
from sandbox.clusterbinary import find_cluster
from sandbox.postgres import LocalPostgres, find_binaries
from sandbox.serverbinary import find_server
from sandbox.topologyparts import Ports, Secrets, Site, parts_of
from sandbox.topologyready import until_ready
from workers.processes import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from sandbox.topologyparts import Part

ROOT = Path(__file__).resolve().parents[1]
POSTGRES = "postgres"
_LOOK_S = 0.25
_ONE_SHOT_S = 120
_READY_S = 90.0


@dataclass(slots=True)
class Running:
    """A part and its process, which is started again when it dies."""

    part: Part
    child: Child
    restarts: int = 0


@dataclass(slots=True)
class Topology:
    """Everything of one installation, in a folder of its own.

    Attributes:
        home: state, logs and secrets.
        environ: of this process.
        say: receives what is being started.
        shards: of Temporal's history; 512 in production.
        seed: of the simulated bank.
        more: further variables of our own parts.
    """

    home: Path
    environ: Mapping[str, str]
    say: Callable[[str], None] = lambda _line: None
    shards: int = 16
    seed: int = 1
    more: Mapping[str, str] = field(default_factory=dict)
    ports: Ports = field(default_factory=Ports)
    secrets: Secrets = field(default_factory=Secrets)
    _postgres: LocalPostgres | None = None
    _running: dict[str, Running] = field(default_factory=dict)
    _postgres_restarts: int = 0
    _keeper: asyncio.Task[None] | None = None
    _gate: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def names(self) -> tuple[str, ...]:
        """Every part that runs, PostgreSQL first."""
        return (POSTGRES, *self._running)

    def restarts(self, name: str) -> int:
        """How often a part had to be started again."""
        return self._postgres_restarts if name == POSTGRES else self._running[name].restarts

    def environment(self, name: str = "worker-workflows") -> Mapping[str, str]:
        """Variables of one part, for a client that is to act like it."""
        return self._running[name].part.env

    async def __aenter__(self) -> Self:
        """Start all parts; on a failure what was started is stopped."""
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all parts in the opposite order."""
        await self._stop()

    async def kill(self, name: str) -> None:
        """Kill one part as a power cut would, and wait until it was started again."""
        before = self.restarts(name)
        if name == POSTGRES:
            await self._server().kill()
        else:
            await self._running[name].child.kill()
        async with asyncio.timeout(_READY_S):
            while self.restarts(name) == before:  # noqa: ASYNC110  (the keeper counts)
                await asyncio.sleep(_LOOK_S)

    async def restart(self, name: str) -> int:
        """Stop one part with SIGTERM, wait for its end, start it again; its exit code."""
        async with self._gate:
            running = self._running[name]
            code = await running.child.stop(grace_s=running.part.grace_s)
            running.child = await self._spawn(running.part)
        return code

    def _server(self) -> LocalPostgres:
        if self._postgres is None:
            raise Unavailable("PostgreSQL has not been started")
        return self._postgres

    # --- starting -----------------------------------------------------------------------------

    async def _start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        tools = await self._tools()
        self.say("PostgreSQL")
        self._postgres = LocalPostgres(self.environ, durable=False)
        await self._postgres.__aenter__()
        self.ports.take_postgres(self._postgres.url())
        folder = self.secrets.write(self.home / "secrets", self.ports)
        site = Site(
            root=ROOT, home=self.home, tools=tools, secrets_dir=folder, environ=self.environ
        )
        parts = parts_of(site, self.ports, shards=self.shards, seed=self.seed, more=self.more)
        for part in parts:
            self.say(part.name)
            if part.once:
                await self._run_once(part)
            else:
                self._running[part.name] = Running(part, await self._spawn(part))
        await self._until_ready()
        self._keeper = asyncio.create_task(self._keep_alive(), name="keep-alive")

    async def _tools(self) -> Path:
        """A folder with the programs that the scripts call by the names they have in the images."""
        cluster = await find_cluster(self.environ, self.say)
        programs = {
            "temporal-server": cluster.server,
            "temporal-sql-tool": cluster.sql_tool,
            "temporal": await find_server(self.environ, self.say),
            "psql": find_binaries(self.environ) / "psql",
        }
        folder = self.home / "bin"
        folder.mkdir(exist_ok=True)
        for name, path in programs.items():
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(path)
        return folder

    async def _run_once(self, part: Part) -> None:
        child = await self._spawn(part)
        waited = 0
        while await child.wait(1.0) is None and waited < _ONE_SHOT_S and not self._dead():
            waited += 1
        if child.returncode != 0:
            await child.kill()
            for name, tail in ((part.name, child.tail()), *self._dead().items()):
                self.say(f"{name}:\n{tail}")
            raise Unavailable(f"{part.name} did not end well; see {child.log.parent}")

    def _dead(self) -> dict[str, str]:
        """Parts that should run and do not, with the last lines of their logs."""
        found = self._running.items()
        return {name: it.child.tail(5) for name, it in found if it.child.returncode is not None}

    async def _spawn(self, part: Part) -> Child:
        log = self.home / "logs" / f"{part.name}.log"
        return await Child.start(part.argv, log=log, env=part.env, cwd=ROOT)

    async def _until_ready(self) -> None:
        """Wait until every worker says that it can work."""
        children = {name: running.child for name, running in self._running.items()}
        await until_ready(self.ports, children, _READY_S)

    # --- keeping ------------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        while True:  # ends by being cancelled in `_stop`
            await asyncio.sleep(_LOOK_S)
            async with self._gate:
                postgres = self._postgres
                if postgres is not None and not postgres.running:
                    await postgres.start()
                    self._postgres_restarts += 1
                for running in self._running.values():
                    if running.child.returncode is not None:
                        await asyncio.sleep(min(0.2 * running.restarts, 3.0))
                        running.child = await self._spawn(running.part)
                        running.restarts += 1

    async def _stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for running in reversed(self._running.values()):
            await running.child.stop(grace_s=running.part.grace_s)
        if self._postgres is not None:
            await self._postgres.stop()


async def _main() -> int:
    home = Path(tempfile.mkdtemp(prefix="acquit-topology-"))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def say(line: str) -> None:
        sys.stderr.write(f"acquit: {line}\n")

    try:
        async with Topology(home, os.environ, say) as topology:
            say(f"{len(topology.names)} parts run; logs and secrets in {home}; Ctrl-C ends them")
            for line in topology.ports.lines():
                say(line)
            await stop.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main()))
