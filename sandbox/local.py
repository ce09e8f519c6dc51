"""A stack on this machine: Temporal dev server, simulated bank and workers, kept alive together.

Whatever dies is started again on the same files and ports, as a production supervisor would: all
guarantees must hold across that.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from sqlalchemy import select

from adapters.calendars import load_calendar
from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.schema.tables import loans
from domain.errors import InvalidInput, Unavailable
from sandbox.devserver import SANDBOX_FLAGS, DevServer, DevServerOptions
from sandbox.homefiles import (
    BOOKS_DB,
    DATABASES,
    HOLIDAYS_FILE,
    READY_FILE,
    SIMULATED_RAILS,
    SIMULATOR_DB,
    TEMPORAL_DB,
    clear_home,
    only_stack_in,
)
from sandbox.keeping import Keeper, Part, must_have_room, reported_if_full
from sandbox.serverbinary import find_server
from sandbox.simulatedrails import SMS_SECRET, SimulatedRails, must_have_no_rails
from workers.booksfile import must_have_books
from workers.clock import CLOCK_FILE, SandboxClock
from workers.processes import Service, free_port
from workers.settings import environment
from workers.stackfile import STACK_FILE, StackRecord, file_url, read_stack, write_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.settings import Settings

T = TypeVar("T")
_PYTHON = (sys.executable, "-P", "-m")
"""How children begin: in our own folder, for relative paths of the settings must mean the same to
them, and without taking modules from it."""
_READY_S = 30.0
_MISFIT = 2  # how the simulator refuses a database of another profile or seed


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions:
    """How to run the stack.

    Attributes:
        profile, seed: of the simulated bank; None takes those of the bank in the home, if any.
        keep_state: go on with what lies in the home.
        workers: worker processes; 0 leaves that to the caller.
        worker_module: run with `python -m`; it takes the words of our command line.
        rails: names of the simulated rails, beside those that the home has; the usual one unless
            there is any. All of them settle on the same bank.
        start: the instant at which a new sandbox begins, later than now; None: now.
    """

    profile: str | None = None
    seed: int | None = None
    ui: bool = False
    keep_state: bool = False
    workers: int = 1
    worker_module: str = "cli"
    rails: tuple[str, ...] = ()
    start: datetime | None = None


@dataclass(slots=True)
class LocalStack(Service):
    """Starts everything in order and stops it in the opposite one."""

    settings: Settings
    options: LocalOptions
    say: Callable[[str], None]
    server: DevServer | None = None
    record: StackRecord | None = None
    api_url: str = field(default="", init=False)
    keeper: Keeper = field(init=False)
    _mine: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.settings.home, self.say)

    @property
    def home(self) -> Path:
        """Folder of all state."""
        return self.settings.home

    @property
    def restarts(self) -> dict[str, int]:
        """How often each part had to be started again."""
        return {name: part.restarts for name, part in self.keeper.parts.items()}

    async def start(self) -> Self:
        """Start all parts.

        Raises:
            InvalidInput: another stack runs in this home, or others have files there.
            OSError: its disk is full.
        """
        self._mine.enter_context(only_stack_in(self.home, fresh=not self.options.keep_state))
        with reported_if_full(self.home):
            await self._start()
        return self

    async def _start(self) -> None:
        home = self.home
        must_have_no_rails(self.settings)
        earlier = read_stack(home) if self.options.keep_state else None
        rails = SimulatedRails.of(self.options.rails, earlier)
        if not self.options.keep_state:
            clear_home(home)
        else:
            must_be_whole(home, self.settings.books_url())
        must_have_room(home)
        must_be_free(self.settings.api_host, self.settings.api_port)
        offset = self._set_clock()
        self.say("books")
        await upgrade(self.settings.books_url())
        if not self.options.keep_state:
            await must_be_empty(self.settings.books_url())
        self.say("Temporal server")
        server = await self._start_server(home / "logs" / "temporal.log")
        api_port = self.settings.api_port or free_port()
        self.api_url = f"http://{self.settings.api_host}:{api_port}"
        self.say("simulated bank")
        simulator = await self._start_simulator(rails, api_port, offset)
        self.record = StackRecord(
            mode="sandbox",
            database_url=self.settings.books_url(),
            temporal_address=server.address,
            temporal_namespace=server.namespace,
            temporal_ui=server.ui_url,
            simulator_url=simulator["http"],
            smtp=simulator["smtp"].removeprefix("smtp://"),
            rails=rails.records(simulator["http"]),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            logs={name: str(home / "logs" / f"{name}.log") for name in ("temporal", "simulator")},
            secrets=dict(rails.secrets),
            home=str(home.resolve()),
        )
        write_stack(home, self.record)
        self.say("workers")
        for index in range(self.options.workers):
            await self._start_worker(index, api_port)
        self.keeper.begin()

    async def _start_server(self, log: Path) -> DevServer:
        binary = await find_server(environment(), self.say)
        options = DevServerOptions(
            db_file=self.home / TEMPORAL_DB,
            ui=self.options.ui,
            dynamic_config=SANDBOX_FLAGS,
            log_file=log,
        )
        self.server = server = DevServer(binary, options)
        await self.keeper.add(Part("temporal", log, server.start, ours=False))
        return server

    def _set_clock(self) -> timedelta:
        """Begin the clock of a new sandbox, or look at that of an earlier one; gives its offset.

        Raises:
            InvalidInput: the clock of an earlier sandbox is missing or damaged, or it was asked to
                start at another instant.
        """
        start = self.options.start
        if (self.home / STACK_FILE).is_file() or (self.home / CLOCK_FILE).is_file():
            clock = SandboxClock(self.home)
            if start is not None:
                rule = (
                    f"given for a new sandbox only: here it is {clock.now():%Y-%m-%d %H:%M} UTC;"
                    " go on with `acquit clock advance`, or begin anew with --fresh"
                )
                clock.close()
                raise InvalidInput("start", start.isoformat(), rule)
        else:
            clock = SandboxClock.begin(self.home, start)
        offset = clock.offset
        clock.close()
        return offset

    async def _start_simulator(
        self, rails: SimulatedRails, api_port: int, offset: timedelta
    ) -> dict[str, str]:
        calendar = load_calendar("CN")
        days = {
            "off": sorted(day.isoformat() for day in calendar.holidays),
            "work": sorted(day.isoformat() for day in calendar.extra_working_days),
        }
        holidays, ready = self.home / HOLIDAYS_FILE, self.home / READY_FILE
        holidays.write_text(json.dumps(days), encoding="utf-8")
        ready.unlink(missing_ok=True)
        argv = [*_PYTHON, "simulator", "--db", str(self.home / SIMULATOR_DB)]
        argv += ["--http-port", str(free_port()), "--smtp-port", str(free_port())]
        argv += [f"--{name}={value}" for name, value in self._bank_asked_for().items()]
        argv += [f"--offset-s={offset.total_seconds()}"]
        argv += ["--holidays-file", str(holidays), "--ready-file", str(ready)]
        doors = f"http://127.0.0.1:{api_port}/webhooks"
        argv += ["--rails", str(rails.write(self.home / SIMULATED_RAILS, doors))]
        argv += ["--sms-secret", rails.secrets[SMS_SECRET]]
        await self.keeper.run("simulator", argv, environment())
        return await self._ready(ready)

    async def _start_worker(self, index: int, api_port: int) -> None:
        argv = [
            *_PYTHON,
            self.options.worker_module,
            "--home",
            str(self.home),
            "worker",
            "all",
        ]
        env = {"ACQUIT_API_PORT": str(api_port)} if index == 0 else {}
        await self.keeper.run(f"worker-{index + 1}", argv, environment(**env))

    async def _ready(self, path: Path) -> dict[str, str]:
        part = self.keeper.parts["simulator"]
        child, log = part.running, part.log
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_S):
                while child is not None and child.returncode is None:
                    if text := _text_of(path):
                        return dict(json.loads(text))
                    await asyncio.sleep(0.05)
        if child is not None and child.returncode == _MISFIT:
            asked = " ".join(f"{name} {value}" for name, value in self._bank_asked_for().items())
            said = _text_of(log).rpartition("\n")[2].removeprefix("simulator: ")
            raise InvalidInput("bank", asked, f"{said}; --fresh begins with empty books")
        raise Unavailable(f"the simulated bank did not start; see {log}")

    def _bank_asked_for(self) -> dict[str, str | int]:
        asked = {"profile": self.options.profile, "seed": self.options.seed}
        return {name: value for name, value in asked.items() if value is not None}

    async def stop(self) -> None:
        """Stop all parts; nothing is left running."""
        await self.keeper.stop()
        if self.server is not None:
            await self.server.stop()
        self._mine.close()


async def must_be_empty(url: str) -> None:
    """Books outside the home are not ours to remove, and a fresh bank does not know their loans.

    Raises:
        InvalidInput: there are loans in them.
    """
    engine = books_engine(url)
    try:
        async with engine.connect() as conn:
            found = (await conn.execute(select(loans.c.id).limit(1))).first()
    finally:
        await engine.dispose()
    if found is not None:
        rule = "an empty database: this stack begins with empty books"
        raise InvalidInput("ACQUIT_DATABASE_URL", engine.url.render_as_string(), rule)


def must_be_whole(home: Path, url: str) -> None:
    """Books, Temporal's file and the bank belong together: one that is lost is not begun anew.

    Raises:
        InvalidInput: some of them are there and others are not, or the books are no SQLite file.
    """
    inside = url == file_url(home / BOOKS_DB)
    files = [home / name for name in DATABASES if inside or name != BOOKS_DB]
    lost = [path.name for path in files if not path.is_file()]
    if not (home / STACK_FILE).is_file():  # nothing was ever up here
        return
    if lost:
        rule = (
            f"a home whose files are all there: {', '.join(lost)} is missing beside the others;"
            " bring it back from a copy, or begin anew with --fresh"
        )
        raise InvalidInput("home", str(home), rule)
    must_have_books(url)


def must_be_free(host: str, port: int) -> None:
    """See that the port for reports of the bank can be opened; 0 picks a free one later.

    Raises:
        InvalidInput: another program has it.
    """
    if not port:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return
    except OSError as error:
        rule = f"a port that is free on {host}: {error.strerror}"
        raise InvalidInput("ACQUIT_API_PORT", port, rule) from None


def _text_of(path: Path) -> str:
    """What a file holds, or nothing while it is not there."""
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
