"""Statement files on a bank's SFTP server, whose host key is known beforehand and compared."""

import asyncio
import posixpath
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncssh

from adapters.sources.filenames import LISTED_MOST, id_of, is_offered, name_of, other_name
from domain.errors import InvalidInput
from ports.archive import FILE_BYTES_MOST
from ports.statementsource import SourceUnavailable, StatementFile

PART_BYTES = 256 * 1024
RESUMES_MOST = 5
"""How often in a row the reading of a file goes on after a connection was lost, without a byte."""
_IDLE_S = 30.0
_NAMES_MOST = 100
_ENCODING = {"path_encoding": "utf-8", "path_errors": "surrogateescape"}
_LOST = (
    asyncssh.ConnectionLost,
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    asyncssh.ChannelOpenError,
    ConnectionError,
    TimeoutError,
)


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is reached and where the files of an account lie on it.

    Attributes:
        host_keys: public keys in OpenSSH's form; a server with another key is not talked to.
        key, password: how we prove who we are, one of them.
        done: folder that files are moved to once they are kept; None: they stay.
        aside: folder for files that cannot be taken; None: they stay.
        timeout_s: for connecting, and for each single request.
        settle_s: see the port; 0 where the sender moves whole files in by renaming them.
    """

    host: str
    port: int
    user: str
    host_keys: tuple[str, ...]
    folder: str
    key: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    done: str | None = None
    aside: str | None = None
    timeout_s: float = 30.0
    settle_s: float = 60.0


def must_be_public_key(field_name: str, text: str) -> None:
    """See that a text is a public key, as `ssh-keyscan` prints it after the name of the host.

    Raises:
        InvalidInput: it is none.
    """
    try:
        asyncssh.import_public_key(text)
    except asyncssh.KeyImportError:
        rule = "a public key as `ssh-keyscan` prints it: ssh-ed25519 AAAA..."
        raise InvalidInput(field_name, text[:80], rule) from None


def must_be_private_key(field_name: str, text: str) -> None:
    """See that a text is a private key without a passphrase.

    Raises:
        InvalidInput: it is none; nothing of it is shown.
    """
    try:
        asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        rule = "a private key in OpenSSH's or PEM form, without a passphrase"
        raise InvalidInput(field_name, "(not shown)", rule) from None


class SftpStatements:
    """Implements `ports.statementsource.StatementSource` for one account.

    One connection serves what follows closely. The reading of a file goes on where it was when a
    connection is lost, if the file still is what it was.
    """

    def __init__(self, account: str, server: Server) -> None:
        self._account, self._server = account, server
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None
        self._connecting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    @property
    def settle_s(self) -> float:
        """See the port."""
        return self._server.settle_s

    async def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection, self._client = self._connection, None, None
        if self._idle is not None:
            self._idle.cancel()
        if connection is not None:
            connection.abort()
            with suppress(*_LOST, asyncssh.Error):
                await connection.wait_closed()

    async def offered(self, first: date, last: date) -> tuple[StatementFile, ...]:  # noqa: ARG002
        """The files that lie in the folder, of whatever day; see the port."""
        found: list[StatementFile] = []
        with _explained():
            client = await self._reached()
            async with asyncio.timeout(self._server.timeout_s):
                count = 0
                async for entry in client.scandir(self._server.folder):
                    count += 1
                    if count > LISTED_MOST:
                        raise SourceUnavailable(f"over {LISTED_MOST} entries in the folder")
                    name, attributes = _text(entry.filename), entry.attrs
                    if is_offered(name) and stat.S_ISREG(attributes.permissions or 0):
                        stamp = _stamp(attributes)
                        found.append(StatementFile(id_of(name), self._account, stamp=stamp))
        return tuple(found)

    @asynccontextmanager
    async def open(self, file: StatementFile) -> AsyncIterator[AsyncIterator[bytes]]:
        """One file in parts; see the port."""
        with _explained():
            size = await self._size_of(file)
        if size > FILE_BYTES_MOST:
            rule = f"at most {FILE_BYTES_MOST} bytes"
            raise InvalidInput("file", f"{size} bytes", rule)
        yield self._parts(file, size)

    async def taken(self, file: StatementFile) -> None:
        """Move the file to where done files lie; see the port."""
        await self._moved(file, self._server.done)

    async def put_aside(self, file: StatementFile) -> None:
        """Move the file to where those lie that cannot be taken; see the port."""
        await self._moved(file, self._server.aside)

    async def _parts(self, file: StatementFile, size: int) -> AsyncIterator[bytes]:
        offset, tries = 0, 0
        source: asyncssh.SFTPClientFile | None = None
        try:
            while offset < size:
                try:
                    with _explained(lost=False):
                        source = source or await self._opened(file)
                        part = await self._read(source, offset)
                except _LOST:
                    source, tries = None, tries + 1
                    await self.close()
                    if tries > RESUMES_MOST:
                        raise SourceUnavailable("connection lost again and again") from None
                    continue
                if not part:
                    raise SourceUnavailable("shorter than it was listed")
                offset, tries = offset + len(part), 0
                yield part
            with _explained():
                await self._size_of(file)
        finally:
            if source is not None:
                with suppress(*_LOST, asyncssh.Error):
                    await source.close()

    async def _opened(self, file: StatementFile) -> asyncssh.SFTPClientFile:
        """The file on the connection of now, if it still is what it was."""
        client = await self._reached()
        async with asyncio.timeout(self._server.timeout_s):
            source = await client.open(self._path(file), "rb", encoding=None)
            if _stamp(await source.stat()) != file.stamp:
                raise SourceUnavailable("changed while it was read")
            return source

    async def _read(self, source: asyncssh.SFTPClientFile, offset: int) -> bytes:
        self._stay()
        async with asyncio.timeout(self._server.timeout_s):
            part: bytes = await source.read(PART_BYTES, offset)
            return part

    async def _size_of(self, file: StatementFile) -> int:
        """The size of a file that still is what it was.

        Raises:
            SourceUnavailable: it is not, or is not there.
        """
        client = await self._reached()
        async with asyncio.timeout(self._server.timeout_s):
            found = await client.stat(self._path(file))
        if _stamp(found) != file.stamp:
            raise SourceUnavailable("changed since it was listed")
        return found.size or 0

    async def _moved(self, file: StatementFile, to: str | None) -> None:
        if to is None:
            return
        with _explained():
            client = await self._reached()
            async with asyncio.timeout(self._server.timeout_s):
                path = self._path(file)
                if not await client.exists(path):
                    return
                await client.makedirs(to, exist_ok=True)
                await client.rename(path, await self._free(client, to, file))

    async def _free(self, client: asyncssh.SFTPClient, to: str, file: StatementFile) -> str:
        """A name in a folder that no file has; a server refuses to rename over one."""
        name = name_of(file.id)
        names = [name, other_name(name, file.stamp.rpartition("/")[2])]
        names += [other_name(names[1], str(number)) for number in range(2, _NAMES_MOST)]
        for one in names:
            target = posixpath.join(to, one)
            if not await client.exists(target):
                return target
        raise SourceUnavailable(f"over {_NAMES_MOST} files of this name where it is moved to")

    def _path(self, file: StatementFile) -> str:
        return posixpath.join(self._server.folder, name_of(file.id))

    async def _reached(self) -> asyncssh.SFTPClient:
        """A client of a connection that lives; it is closed when it has been idle for long."""
        async with self._connecting:
            if self._connection is None or self._connection.is_closed() or self._client is None:
                await self.close()
                self._connection, self._client = await self._connected()
            self._stay()
            return self._client

    def _stay(self) -> None:
        loop = asyncio.get_running_loop()
        if self._idle is not None:
            self._idle.cancel()
        if self._connection is not None:
            idle_s = _IDLE_S + self._server.timeout_s
            self._idle = loop.call_later(idle_s, self._connection.abort)

    async def _connected(self) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        server = self._server
        keys = [asyncssh.import_public_key(text) for text in server.host_keys]
        own = [] if server.key is None else [asyncssh.import_private_key(server.key)]
        proof: dict[str, Any] = {"client_keys": own} if own else {"client_keys": None}
        if server.password is not None:
            proof["password"] = server.password
        async with asyncio.timeout(server.timeout_s):
            connection = await asyncssh.connect(
                server.host,
                server.port,
                username=server.user,
                # What the server is, and nothing else that this machine may believe of it.
                known_hosts=(keys, [], []),
                config=None,
                agent_path=None,
                keepalive_interval=server.timeout_s,
                **proof,
            )
            try:
                return connection, await connection.start_sftp_client(**_ENCODING)
            except BaseException:
                connection.abort()
                raise


@contextmanager
def _explained(*, lost: bool = True) -> Iterator[None]:
    """Turns errors of the connection into `SourceUnavailable` with a short code.

    `lost`: also what another connection may mend.
    """
    try:
        yield
    except _LOST as error:
        if not lost:
            raise
        raise SourceUnavailable(_why(error)) from None
    except (asyncssh.Error, OSError) as error:
        raise SourceUnavailable(_why(error)) from None


def _why(error: Exception) -> str:
    """An error in a few words, without addresses and without what the server says."""
    found: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (asyncssh.HostKeyNotVerifiable, "host key is not the one in the settings"),
        (asyncssh.PermissionDenied, "log-in refused"),
        (asyncssh.SFTPNoSuchFile, "no such file or folder"),
        (asyncssh.SFTPPermissionDenied, "no right to do this"),
        (TimeoutError, "no answer in time"),
        (ConnectionRefusedError, "no connection"),
        (_LOST, "connection lost"),
        (asyncssh.SFTPError, "refused by the server"),
        (asyncssh.Error, "no SSH as we speak it"),
    )
    return next((words for kind, words in found if isinstance(error, kind)), "no connection")


def _stamp(found: asyncssh.SFTPAttrs) -> str:
    return f"{found.size}/{found.mtime}"


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
