"""Connections that are lost in the middle of a commit, before or after it took effect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine


class LoseCommit:
    """Raises a lost connection at the next `times` commits of an engine.

    `after`: the database has committed by then; otherwise it never received it.
    """

    def __init__(self, engine: AsyncEngine, *, after: bool, times: int = 1) -> None:
        self._after, self.left = after, times
        event.listen(engine.sync_engine, "commit", self._on_commit)

    def _on_commit(self, connection: Connection) -> None:
        if self.left == 0:
            return
        self.left -= 1
        if self._after:
            connection.connection.dbapi_connection.commit()  # type: ignore[union-attr]
        raise ConnectionResetError("lost in a commit")


@dataclass
class CommitProxy:
    """A TCP proxy that cuts the line when a COMMIT passes, once for each time it is armed.

    `forward`: the server still gets it, and only its answer is lost.
    """

    host: str
    port: int
    forward: bool = True
    armed: int = 0
    cuts: int = 0
    address: tuple[str, int] = ("", 0)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """Carry one connection until an end closes or the line is cut."""
        server, request = await asyncio.open_connection(self.host, self.port)
        back = asyncio.create_task(self._carry_back(server, answer))
        self._tasks.add(back)
        back.add_done_callback(self._tasks.discard)
        try:
            while data := await client.read(65536):
                if self.armed and b"COMMIT" in data:
                    self.armed -= 1
                    self.cuts += 1
                    back.cancel()
                    await asyncio.wait([back])
                    if self.forward:
                        request.write(data)
                        await request.drain()
                        await server.read(1)  # the server has answered: it has committed
                    return
                request.write(data)
                await request.drain()
        except ConnectionError:
            return
        finally:
            back.cancel()
            answer.transport.abort()
            request.transport.abort()

    async def _carry_back(self, server: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        try:
            while data := await server.read(65536):
                answer.write(data)
                await answer.drain()
            answer.close()  # the server hung up: say so
        except ConnectionError:
            return


@asynccontextmanager
async def commit_proxy(host: str, port: int) -> AsyncIterator[CommitProxy]:
    """A proxy before a PostgreSQL, on a free port."""
    proxy = CommitProxy(host, port)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.address = listener.sockets[0].getsockname()[:2]
    try:
        yield proxy
    finally:
        listener.close()
