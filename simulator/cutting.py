"""HTTP answers that break: connections cut without a byte, or after half of the answer."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_open: dict[tuple[str, int], asyncio.Transport] = {}
"""Open connections by the peer's address, so that an answer can cut its own."""


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with its connection known to `CutResponse`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the connection, and send small answers at once.

        asyncio sets TCP_NODELAY only on sockets that name their protocol, which those of a
        server made with `socket.create_server` do not: each answer would wait 40 ms.
        """
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.client is not None:
            _open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self.client is not None:
            _open.pop(self.client, None)
        super().connection_lost(exc)


class CutResponse(Response):
    """Ends the connection at once; the caller sees a time-out's outcome without the wait."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Abort the transport and wait until the server has noticed."""
        transport = _open.get(tuple(scope["client"]))
        if transport is not None:
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


class HalfResponse(Response):
    """Announces the whole length, sends the first half of the body and closes."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send a part and return: the server closes a connection whose answer is incomplete."""
        start: dict[str, Any] = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
