"""The endpoint of rails' webhooks: prove, translate, hand on; answers 200 only after it is kept.

POST /webhooks/{rail}: 200 kept (again: no effect) · 401 forged or stale · 404 no such rail ·
408 too slow · 413 too large · 500 not kept, deliver again.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ports.intake import WebhookIntake
from ports.rail import Forged, Rail

BODY_BYTES_MAX = 256 * 1024
BODY_SECONDS_MAX = 10.0

Count = Callable[[str, str], None]
"""Counts one webhook: the rail's name and what became of it."""


class _TooLarge(Exception):
    """The body is longer than any report."""


def _uncounted(_rail: str, _what: str) -> None:
    """Count nothing."""


class WebhookDoor:
    """The handler of webhooks; it keeps no state."""

    def __init__(
        self,
        rails: Mapping[str, Rail],
        intake: WebhookIntake,
        clock: Callable[[], datetime],
        count: Count = _uncounted,
    ) -> None:
        self._rails = rails
        self._intake = intake
        self._clock = clock
        self._count = count

    async def post(self, request: Request) -> Response:
        """Answer one delivery."""
        name = str(request.path_params["rail"])
        rail = self._rails.get(name)
        if rail is None:
            # The name is the caller's: it never becomes a label of a counter.
            self._count("", "no_rail")
            return _said(404, "no such rail")
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                body = await _body(request)
        except _TooLarge:
            self._count(name, "too_large")
            return _said(413, "too large")
        except TimeoutError:
            self._count(name, "too_slow")
            return _said(408, "too slow")
        except ClientDisconnect:
            self._count(name, "cut")
            return _said(400, "cut")
        return await self._take(name, rail, request, body)

    async def _take(self, name: str, rail: Rail, request: Request, body: bytes) -> Response:
        try:
            reports = rail.reports(dict(request.headers), body, self._clock())
        except Forged:
            self._count(name, "forged")
            return _said(401, "not proven")
        raw = hashlib.sha256(body).hexdigest()
        failed: list[Exception] = []
        for report in reports:
            try:
                await self._intake.take(name, replace(report, raw=raw))
            except Exception as error:  # noqa: BLE001  (raised below, when the others are kept)
                failed.append(error)
            else:
                self._count(name, report.kind)
        if failed:
            # Becomes a 500, so that the rail delivers again; what was kept has no second effect.
            raise failed[0]
        return _said(200, "kept")


def build_app(
    rails: Mapping[str, Rail],
    intake: WebhookIntake,
    clock: Callable[[], datetime],
    count: Count = _uncounted,
) -> Starlette:
    """The application that serves the webhooks of `rails` by their names in the path."""
    return Starlette(routes=[webhook_route(rails, intake, clock, count)])


def webhook_route(
    rails: Mapping[str, Rail],
    intake: WebhookIntake,
    clock: Callable[[], datetime],
    count: Count = _uncounted,
) -> Route:
    """The route of the webhooks of `rails`, for an application that serves others beside it."""
    door = WebhookDoor(rails, intake, clock, count)
    return Route("/webhooks/{rail}", door.post, methods=["POST"], include_in_schema=False)


async def _body(request: Request) -> bytes:
    """The raw bytes, refused as soon as they are known to be too many."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared) > BODY_BYTES_MAX:
        raise _TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _said(status: int, text: str) -> Response:
    return PlainTextResponse(text + "\n", status_code=status)
