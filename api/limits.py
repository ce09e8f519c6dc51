"""Limits of every request: the size of its body, the time it takes; an id for each."""

import asyncio
import logging
import uuid

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, answer

BODY_BYTES_MAX = 256 * 1024
FILE_BYTES_MAX = 32 * 1024 * 1024
"""Of a statement that is uploaded in one piece."""
SECONDS_MAX = 30.0
_PREFIX = "/v1"
_FILES = "/v1/statements/files"
_log = logging.getLogger(__name__)


class _TooLarge(HTTPException):
    """The body is larger than its limit; the framework hands on no other error of a body."""

    def __init__(self) -> None:
        super().__init__(413)


class Limits:
    """ASGI middleware of `/v1`: other paths pass as they are."""

    def __init__(self, app: ASGIApp, seconds: float = SECONDS_MAX) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within its limits."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        name = uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = name
        served = _Served(scope, receive, send, name)
        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, served.receive, served.send)
        except TimeoutError:
            await served.end(Problem("request.timeout"))
        except ConnectionError:
            await served.end(Problem("service.away"))
        except Exception as error:  # noqa: BLE001  (whatever it is, the caller gets an answer)
            _log.exception("request %s failed: %s", name, type(error).__name__)
            await served.end(Problem("service.fault"))


class _Served:
    """One request that is being served, and how far its answer has come."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, name: str) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._name, self._size, self._begun = name, 0, False
        is_file = scope["method"] == "POST" and scope["path"] == _FILES
        self._most = FILE_BYTES_MAX if is_file else BODY_BYTES_MAX

    async def receive(self) -> Message:
        """A part of the body, refused as soon as it is known to be too much."""
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer, which gets the id of the request and is never cached."""
        if message["type"] == "http.response.start":
            self._begun = True
            known = {key.lower() for key, _ in message["headers"]}
            added = [(b"x-request-id", self._name.encode()), (b"cache-control", b"no-store"),
                     (b"x-content-type-options", b"nosniff")]  # fmt: skip
            message["headers"] = [
                *message["headers"],
                *(one for one in added if one[0] not in known),
            ]
        await self._send(message)

    async def end(self, problem: Problem) -> None:
        """Answer with a problem, unless the answer has begun: then it is cut off."""
        if self._begun:
            raise problem
        await answer(problem, self._name)(self._scope, self._receive, self.send)
