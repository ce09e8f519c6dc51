"""The merchant's HTTP interface: direct debit orders, mandates and statements."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator import mandates, orders, statements
from simulator.control import Control
from simulator.edge import answer, read_object, refuse
from simulator.notices import SmsProvider
from simulator.signing import Authenticator
from simulator.world import World


class Bank:
    """Handlers of /dd/v1; each checks the signature before anything else."""

    def __init__(self, world: World, authenticator: Authenticator) -> None:
        """Keep the world and the authenticator."""
        self._world = world
        self._authenticator = authenticator

    async def post_order(self, request: Request) -> Response:
        """Take an order; idempotent on (merchant, order number)."""
        raw = await request.body()
        merchant = self._authenticator.merchant(request, raw)
        if merchant is None:
            return refuse("11", 401)
        body = read_object(raw)
        if body is None:
            return refuse("10", 400)
        wrong = orders.faulty_field(body)
        if wrong is None and body["merchant_id"] != merchant:
            wrong = "merchant_id"
        if wrong is not None:
            return refuse("13", 400, wrong)
        number = str(body["order_no"])

        def work(now: int, _: int) -> Response:
            return JSONResponse(orders.accept(self._world, body, now))

        return answer(self._world, f"POST {number}", work, number)

    async def get_order(self, request: Request) -> Response:
        """Answer an inquiry by order number."""
        return await self._about_order(request, "GET")

    async def cancel_order(self, request: Request) -> Response:
        """Withdraw an order that has not been executed."""
        return await self._about_order(request, "CANCEL")

    async def _about_order(self, request: Request, verb: str) -> Response:
        merchant = self._authenticator.merchant(request, await request.body())
        if merchant is None:
            return refuse("11", 401)
        number = request.path_params["order_no"]
        if request.query_params.get("merchant_id", merchant) != merchant:
            return refuse("13", 400, "merchant_id")
        do = orders.inquire if verb == "GET" else orders.cancel

        def work(now: int, _: int) -> Response:
            return JSONResponse(do(self._world, merchant, number, now))

        return answer(self._world, f"{verb} {number}", work, number)

    async def mandate(self, request: Request) -> Response:
        """Sign up (PUT), look up (GET) or end (DELETE) a mandate; 404 where it is unknown."""
        raw = await request.body()
        if self._authenticator.merchant(request, raw) is None:
            return refuse("11", 401)
        ref = request.path_params["mandate_ref"]
        do: Callable[[], dict[str, Any] | None] = partial(mandates.look_up, self._world, ref)
        if request.method == "DELETE":
            do = partial(mandates.end, self._world, ref)
        if request.method == "PUT":
            body = read_object(raw)
            wrong = "body" if body is None else mandates.faulty_field(body)
            if body is None or wrong is not None:
                return refuse("13", 400, wrong or "")
            do = partial(mandates.sign_up, self._world, ref, body)

        def work(_now: int, _call: int) -> Response:
            found = do()
            if found is None:
                return refuse("77", 404)
            ended = request.method == "PUT" and found["status"] == "ENDED"
            return JSONResponse(found, 409 if ended else 200)

        return answer(self._world, f"{request.method} mandate {ref}", work)

    async def list_statements(self, request: Request) -> Response:
        """List the statements that are available of an account and a span of days."""
        if self._authenticator.merchant(request, b"") is None:
            return refuse("11", 401)
        asked = request.query_params
        query = (asked.get("account", ""), asked.get("from", ""), asked.get("to", ""))

        def work(now: int, call: int) -> Response:
            return JSONResponse(statements.listing(self._world, query, call, now))

        return answer(self._world, "LIST " + " ".join(query), work)

    async def get_statement(self, request: Request) -> Response:
        """Hand out one statement as XML, or as CSV for ?format=csv; 404 while not available."""
        if self._authenticator.merchant(request, b"") is None:
            return refuse("11", 401)
        name, form = request.path_params["id"], request.query_params.get("format", "xml")

        def work(now: int, _: int) -> Response:
            text = statements.content(self._world, name, form, now)
            if text is None:
                return refuse("34", 404)
            return Response(text, media_type="text/csv" if form == "csv" else "application/xml")

        return answer(self._world, f"STATEMENT {name} {form}", work)


async def own_fault(_: Request, error: Exception) -> Response:
    """Tell a fault of this program from a simulated one: a traceback, and a body that says so."""
    sys.stderr.write("".join(traceback.format_exception(error)))
    return Response("the simulator itself failed\n", 500, media_type="text/plain")


def make_app(world: World) -> Starlette:
    """Return the whole HTTP application over one world."""
    authenticator = Authenticator(world)
    bank, control, notices = (
        Bank(world, authenticator),
        Control(world),
        SmsProvider(world, authenticator),
    )
    order = "/dd/v1/orders/{order_no}"
    return Starlette(
        routes=[
            Route("/dd/v1/orders", bank.post_order, methods=["POST"]),
            Route(order, bank.get_order, methods=["GET"]),
            Route(order + "/cancel", bank.cancel_order, methods=["POST"]),
            Route(
                "/dd/v1/mandates/{mandate_ref:path}", bank.mandate, methods=["PUT", "GET", "DELETE"]
            ),
            Route("/dd/v1/statements", bank.list_statements, methods=["GET"]),
            Route("/dd/v1/statements/{id}", bank.get_statement, methods=["GET"]),
            Route("/sms/v1/messages", notices.post_sms, methods=["POST"]),
            *control.routes(),
        ],
        exception_handlers={Exception: own_fault},
    )
