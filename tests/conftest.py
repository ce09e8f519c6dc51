"""Servers and databases for every test, and how tests are shared out among processes.

The tests of one file run in one process (`--dist loadfile`): what a file shares is made once. Each
process that needs them starts one Temporal dev server and one PostgreSQL, which gives every test an
empty database. Both start at first use only: a run of pure tests starts nothing.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from sandbox.devserver import SANDBOX_FLAGS, DevServer, DevServerOptions
from sandbox.postgres import LocalPostgres, PostgresNotFoundError, find_binaries
from sandbox.serverbinary import ServerNotFoundError, find_server, installed_server
from tests.support.base import BASES, ORDINARY, choose
from workers.processes import output_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--base NAME` and `--histories COUNT`.

    The base is where virtual time begins, see `tests/support/base.py`.
    """
    parser.addoption("--base", default=ORDINARY, choices=sorted(BASES))
    what = "random histories of the slow attack on the decisions (tests/attack)"
    parser.addoption("--histories", type=int, default=100_000, help=what)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the base of this run, in every process of it."""
    choose(config.getoption("--base"))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Leave with pytest's own exit code although the SDK's threads may outlive the event loop.

    They can abort the interpreter while it shuts down, after all work was done (exit code 134).
    Registered first, this runs after every other exit handler and skips that shutting down.

    A shell that runs the tests in the background has them ignore Ctrl-C, and whatever they start
    would inherit that: programs under test are interrupted on purpose.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        if "temporalio.bridge.temporal_sdk_bridge" in sys.modules:
            os._exit(int(session.exitstatus))

    atexit.register(leave)


@pytest.fixture
def histories(request: pytest.FixtureRequest) -> int:
    """Return how many histories the slow attack runs."""
    return int(request.config.getoption("--histories"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print once, and also when quiet, which servers this run was made with."""
    terminalreporter.write_line(asyncio.run(_versions()))


async def _versions() -> str:
    temporal = "none yet: it is fetched or built at first use"
    try:
        if (binary := await installed_server(os.environ)) is not None:
            temporal = f"{await output_of(binary, '--version')}, {binary.name}"
    except ServerNotFoundError as error:
        temporal = str(error)
    try:
        program = find_binaries(os.environ) / "postgres"
        postgres = await output_of(program, "--version") or "unknown"
    except PostgresNotFoundError as error:
        postgres = str(error)
    return f"servers: {temporal}; sqlite {sqlite3.sqlite_version}; {postgres}"


@pytest_asyncio.fixture(scope="session")
async def temporal_binary() -> Path:
    """Return the dev server program; built once when this machine has none."""
    return await find_server(os.environ)


@pytest_asyncio.fixture(scope="session")
async def temporal_server(temporal_binary: Path) -> AsyncIterator[DevServer]:
    """Return one running dev server with the virtual clock switched on, shared by the session.

    Share it politely: a task queue and workflow ids of its own per test. A test that kills its
    server starts another from `temporal_binary`.
    """
    options = DevServerOptions(dynamic_config=SANDBOX_FLAGS)
    async with DevServer(temporal_binary, options) as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def temporal_client(temporal_server: DevServer) -> Client:
    """Return a client of the shared server with the data converter that our workflows use."""
    return await Client.connect(
        temporal_server.address,
        namespace=temporal_server.namespace,
        data_converter=pydantic_data_converter,
    )


@pytest_asyncio.fixture(scope="session")
async def postgres_server() -> AsyncIterator[LocalPostgres]:
    """Return a running PostgreSQL of this process."""
    async with LocalPostgres(os.environ) as server:
        yield server


@pytest.fixture(scope="session")
def new_postgres_url(postgres_server: LocalPostgres) -> Callable[[], Awaitable[str]]:
    """Return a function that creates an empty PostgreSQL database and gives its URL."""
    return postgres_server.create_database


@pytest_asyncio.fixture
async def postgres_url(postgres_server: LocalPostgres) -> AsyncIterator[str]:
    """Return the URL of an empty PostgreSQL database, dropped after the test."""
    url = await postgres_server.create_database()
    yield url
    await postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def new_sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Awaitable[str]]:
    """Return a function that gives the URL of a new SQLite file, same shape as the other one."""

    async def create() -> str:
        return sqlite_address(tmp_path_factory.mktemp("sqlite"))

    return create


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the URL of an empty SQLite database in a file of its own."""
    return sqlite_address(tmp_path)


def sqlite_address(folder: Path) -> str:
    """Return the SQLAlchemy URL of the books file in `folder`."""
    return f"sqlite+aiosqlite:///{folder / 'books.db'}"
