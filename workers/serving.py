"""Serves a web application in the running event loop until the end of a block."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import TYPE_CHECKING, Any

from domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_DRAIN_S = 10
"""How long requests that have begun may take when the block ends."""


@contextlib.asynccontextmanager
async def serving(
    app: Any,  # noqa: ANN401  (any ASGI application)
    host: str,
    port: int,
    name: str,
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve `app` and give the task that does; it ends before the block only by a fault.

    The port is taken at once, so a taken one is a mistake of the settings and not a silent server;
    0 takes a free one. Signals are left to the process: a server that caught them would end it
    before what it has begun elsewhere.

    Raises:
        InvalidInput: the address cannot be taken; `name` and the port are named.
    """
    import uvicorn  # noqa: PLC0415  (slow to load; most processes serve nothing)

    config = uvicorn.Config(
        app,
        log_config=None,  # its lines come through our handler
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]
    task = asyncio.create_task(server.serve([_listener(host, port, name)]), name=name)
    try:
        yield task
    finally:
        server.should_exit = True
        await task


def stop_requested() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, from now on, in the running loop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _listener(host: str, port: int, name: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        rule = f"an address that is free: {error.strerror}"
        raise InvalidInput(f"address of {name}", f"{host}:{port}", rule) from None
