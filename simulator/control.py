"""Control endpoints: clock, settings, calm, truth. For drivers and tests, never signed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.clock import iso
from simulator.edge import read_object
from simulator.timeline import Backwards, advance, calm, catch_up, outlook
from simulator.truth import TABLES, messages, rows
from simulator.world import SETTINGS, World

LONGEST_OFFSET_S = 100 * 366 * 86400


class Control:
    """Handlers of /control."""

    def __init__(self, world: World) -> None:
        """Keep the world."""
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes of /control."""
        return [
            Route("/control/clock", self.post_clock, methods=["POST"]),
            Route("/control/config", self.post_config, methods=["POST"]),
            Route("/control/calm", self.post_calm, methods=["POST"]),
            Route("/control/next", self.get_next, methods=["GET"]),
            Route("/control/truth", self.get_truth, methods=["GET"]),
            Route("/control/messages", self.get_messages, methods=["GET"]),
        ]

    async def post_clock(self, request: Request) -> Response:
        """Set the offset (seconds, only ever larger); everything due has happened on return."""
        body = read_object(await request.body()) or {}
        offset = body.get("offset_s")
        if not isinstance(offset, int | float) or isinstance(offset, bool):
            return JSONResponse({"error": "offset_s must be a number of seconds"}, 400)
        if not -LONGEST_OFFSET_S < offset < LONGEST_OFFSET_S:
            return JSONResponse({"error": "offset_s is out of range"}, 400)
        try:
            now = advance(self._world, int(offset * 1000))
        except Backwards as error:
            return JSONResponse({"error": str(error)}, 409)
        self._world.wake.set()
        return JSONResponse({"now": iso(now), "offset_s": self._world.clock.offset_ms / 1000})

    async def post_config(self, request: Request) -> Response:
        """Keep any of webhook_url, webhook_secret, api_secret, sms_secret, merchant_id."""
        body = read_object(await request.body())
        if body is None or not all(
            name in SETTINGS and isinstance(value, str) for name, value in body.items()
        ):
            return JSONResponse({"error": f"an object of strings: {', '.join(SETTINGS)}"}, 400)
        with self._world.db.tx():
            for name, value in body.items():
                self._world.configure(name, value)
        return JSONResponse({"configured": sorted(body)})

    async def post_calm(self, _: Request) -> Response:
        """End every fault from now on."""
        calm(self._world)
        return JSONResponse({"calm": True})

    async def get_next(self, _: Request) -> Response:
        """Say when something happens next and what is due now."""
        return JSONResponse(outlook(self._world))

    async def get_truth(self, request: Request) -> Response:
        """Return the truth log: one JSON object, or NDJSON for ?stream=1."""
        catch_up(self._world)
        if request.query_params.get("stream") == "1":
            # Put together at once, so that all tables are of one instant.
            return Response("".join(self._lines()), media_type="application/x-ndjson")
        return JSONResponse({table: list(rows(self._world, table)) for table in TABLES})

    def _lines(self) -> Iterator[str]:
        for table in TABLES:
            for row in rows(self._world, table):
                yield json.dumps({"table": table, **row}) + "\n"

    async def get_messages(self, request: Request) -> Response:
        """Return notices received, of one recipient for ?to=."""
        found = messages(self._world, request.query_params.get("to", ""))
        return JSONResponse({"messages": found})
