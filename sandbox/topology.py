"""The production topology on this machine, without containers: `make topology`.

The parts of docker-compose.yml as processes, started by the same scripts of deploy/ with the same
variables: PostgreSQL, a Temporal cluster on it, the books under a restricted role, one process for
each kind of worker, the web door and the simulated bank. What dies is started again, as the
`restart` rules say, until that cannot help. For trials and tests: PostgreSQL trusts this machine,
and all state is removed.
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
from typing import TYPE_CHECKING, Self, TypeVar

from domain.errors import Unavailable
from sandbox.clusterbinary import find_cluster
from sandbox.keeping import Keeper, Part, PartRefused
from sandbox.postgres import LocalPostgres, find_binaries
from sandbox.serverbinary import find_server
from sandbox.topologyparts import Ports, Secrets, Site, parts_of, write_rails
from sandbox.topologyready import until_ready
from workers.processes import Child, Service, tail_of
from workers.reporting import complain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from sandbox.topologyparts import Process

ROOT = Path(__file__).resolve().parents[1]
POSTGRES = "postgres"
T = TypeVar("T")
_ONE_SHOT_S = 120
_READY_S = 90.0


@dataclass(slots=True)
class Topology(Service):
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
    _env: dict[str, Mapping[str, str]] = field(default_factory=dict)
    keeper: Keeper = field(init=False)
    _mine: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.home, self.say)

    @property
    def names(self) -> tuple[str, ...]:
        """Every part that runs, PostgreSQL first."""
        return tuple(self.keeper.parts)

    def restarts(self, name: str) -> int:
        """How often a part had to be started again."""
        return self.keeper.parts[name].restarts

    def environment(self, name: str = "worker-workflows") -> Mapping[str, str]:
        """Variables of one part, for a client that is to act like it."""
        return self._env[name]

    async def kill(self, name: str) -> None:
        """Kill one part as a power cut would, and wait until it was started again."""
        part = self.keeper.parts[name]
        if part.running is not None:
            await self._again(name, part.running.kill())

    async def restart(self, name: str) -> int:
        """Stop one part with SIGTERM, wait for its end and its next start; its exit code."""
        part = self.keeper.parts[name]
        if not isinstance(part.running, Child):
            raise Unavailable(f"{name} does not run")
        return await self._again(name, part.running.stop(grace_s=part.grace_s))

    async def _again(self, name: str, ending: Awaitable[T]) -> T:
        async with asyncio.timeout(_READY_S):
            return await self.keeper.ended(name, ending)

    # --- starting -----------------------------------------------------------------------------

    async def start(self) -> Self:
        """Start all parts in order, and look after them once all are ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        tools = await self._tools()
        self.say("PostgreSQL")
        postgres = await self._mine.enter_async_context(LocalPostgres(self.environ))
        await self.keeper.add(Part(POSTGRES, postgres.log, postgres.start, ours=False))
        self.ports.take_postgres(postgres.url())
        folder = self.secrets.write(self.home / "secrets", self.ports)
        write_rails(ROOT / "deploy", self.home, folder, self.ports)
        site = Site(
            root=ROOT, home=self.home, tools=tools, secrets_dir=folder, environ=self.environ
        )
        parts = parts_of(site, self.ports, shards=self.shards, seed=self.seed, more=self.more)
        for part in parts:
            self.say(part.name)
            if part.once:
                await self._run_once(part)
                continue
            self._env[part.name] = part.env
            await self.keeper.run(
                part.name, part.argv, part.env, cwd=ROOT, ours=part.ours, grace_s=part.grace_s
            )
        await until_ready(self.ports, self.keeper.parts, _READY_S)
        self.keeper.begin()
        return self

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

    async def _run_once(self, part: Process) -> None:
        log = self.home / "logs" / f"{part.name}.log"
        child = await Child.start(part.argv, log=log, env=part.env, cwd=ROOT)
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
        found = self.keeper.parts.items()
        return {name: tail_of(part.log, 5) for name, part in found if part.is_down}

    async def stop(self) -> None:
        """Stop all parts in the opposite order."""
        await self.keeper.stop()
        await self._mine.aclose()


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
            await topology.keeper.alive_while(stop.wait())
    except (PartRefused, Unavailable) as error:
        return complain(error)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main()))
