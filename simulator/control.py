"""Control endpoints: clock, settings, calm, transfers, truth. For drivers and tests, never signed.

`/control` is about the whole world, `/bank/control` about the bank, `/rails/{rail}/control` about
one rail, `/notices/control` about the notice providers.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.bank import transfers
from simulator.clock import iso
from simulator.edge import read_object
from simulator.events import calm
from simulator.timeline import Backwards, advance, catch_up, outlook
from simulator.truth import BANK, NOTICES, RAIL, TABLES, log, messages, rows
from simulator.world import RAIL_SETTINGS, SETTINGS, World

OTHER_LOGS = {"bank": "/bank/control/truth", "notices": "/notices/control/truth"}
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
            Route("/bank/control/truth", self.get_bank_truth, methods=["GET"]),
            Route("/bank/control/transfers", self.post_transfer, methods=["POST"]),
            Route("/rails/{rail}/control/truth", self.get_rail_truth, methods=["GET"]),
            Route("/rails/{rail}/control/config", self.post_rail_config, methods=["POST"]),
            Route("/notices/control/truth", self.get_notices_truth, methods=["GET"]),
            Route("/notices/control/messages", self.get_messages, methods=["GET"]),
        ]

    async def post_clock(self, request: Request) -> Response:
        """Set the offset (seconds, only ever larger); everything due has happened on return."""
        body = read_object(await request.body()) or {}
        offset = body.get("offset_s")
        if not isinstance(offset, int | float) or isinstance(offset, bool):
            return _refused("offset_s must be a number of seconds")
        if not -LONGEST_OFFSET_S < offset < LONGEST_OFFSET_S:
            return _refused("offset_s is out of range")
        try:
            now = advance(self._world, int(offset * 1000))
        except Backwards as error:
            return JSONResponse({"error": str(error)}, 409)
        self._world.wake.set()
        return JSONResponse({"now": iso(now), "offset_s": self._world.clock.offset_ms / 1000})

    async def post_config(self, request: Request) -> Response:
        """Keep any of SETTINGS."""
        body = read_object(await request.body())
        if body is None or not _fits(body, SETTINGS):
            return _refused(f"an object of strings: {', '.join(SETTINGS)}")
        with self._world.db.tx():
            for name, value in body.items():
                self._world.configure(name, value)
        return JSONResponse({"configured": sorted(body)})

    async def post_rail_config(self, request: Request) -> Response:
        """Keep any of RAIL_SETTINGS of a rail that there is."""
        name, body = request.path_params["rail"], read_object(await request.body())
        if name not in self._world.rails:
            return _no_rail()
        if body is None or not _fits(body, RAIL_SETTINGS):
            return _refused(f"an object of strings: {', '.join(RAIL_SETTINGS)}")
        with self._world.db.tx():
            self._world.configure_rail(name, body)
        return JSONResponse({"configured": sorted(body)})

    async def post_transfer(self, request: Request) -> Response:
        """Book a transfer on an account of the bank: in above zero, out below."""
        body = read_object(await request.body()) or {}
        wrong = transfers.faulty_field(body)
        if wrong is not None:
            return _refused(f"{wrong} is missing or not valid")
        with self._world.db.tx():
            ref = transfers.transfer(self._world, body, catch_up(self._world))
        if ref is None:
            return JSONResponse({"error": "no such account"}, 404)
        return JSONResponse({"bank_ref": ref})

    async def post_calm(self, _: Request) -> Response:
        """End every fault from now on."""
        calm(self._world)
        return JSONResponse({"calm": True})

    async def get_next(self, _: Request) -> Response:
        """Say when something happens next and what is due now."""
        return JSONResponse(outlook(self._world))

    async def get_truth(self, request: Request) -> Response:
        """Return the logs of all as one: a JSON object, or NDJSON for ?stream=1."""
        catch_up(self._world)
        if request.query_params.get("stream") == "1":
            # Put together at once, so that all tables are of one instant.
            return Response("".join(self._lines()), media_type="application/x-ndjson")
        return JSONResponse(log(self._world, TABLES))

    def _lines(self) -> Iterator[str]:
        for table in TABLES:
            for row in rows(self._world, table):
                yield json.dumps({"table": table, **row}) + "\n"

    async def get_bank_truth(self, _: Request) -> Response:
        """Return the bank's own log: movements and statements."""
        catch_up(self._world)
        return JSONResponse(log(self._world, BANK))

    async def get_rail_truth(self, request: Request) -> Response:
        """Return a rail's own log, and where the others' logs are."""
        name = request.path_params["rail"]
        if name not in self._world.rails:
            return _no_rail()
        catch_up(self._world)
        return JSONResponse(log(self._world, RAIL, name) | {"other_logs": OTHER_LOGS})

    async def get_notices_truth(self, _: Request) -> Response:
        """Return the log of the notice providers."""
        return JSONResponse(log(self._world, NOTICES))

    async def get_messages(self, request: Request) -> Response:
        """Return notices received, of one recipient for ?to=."""
        found = messages(self._world, request.query_params.get("to", ""))
        return JSONResponse({"messages": found})


def _fits(body: dict[str, Any], names: Collection[str]) -> bool:
    return all(name in names and isinstance(value, str) for name, value in body.items())


def _refused(rule: str) -> Response:
    return JSONResponse({"error": rule}, 400)


def _no_rail() -> Response:
    return JSONResponse({"error": "no such rail"}, 404)
