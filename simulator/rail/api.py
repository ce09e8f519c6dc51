"""The merchant's interface of each rail: direct debit orders and mandates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.edge import answer, read_object, refuse
from simulator.rail import mandates, orders
from simulator.signing import Authenticator
from simulator.world import RailSettings, World


class RailApi:
    """Handlers of /rails/{rail}/dd/v1; each checks the signature before anything else."""

    def __init__(self, world: World, authenticator: Authenticator) -> None:
        """Keep the world and the authenticator."""
        self._world = world
        self._authenticator = authenticator

    def routes(self) -> list[Route]:
        """Return the routes of every rail."""
        base = "/rails/{rail}/dd/v1"
        order, mandate = f"{base}/orders/{{order_no}}", f"{base}/mandates/{{mandate_ref:path}}"
        return [
            Route(f"{base}/orders", self.post_order, methods=["POST"]),
            Route(order, self.get_order, methods=["GET"]),
            Route(order + "/cancel", self.cancel_order, methods=["POST"]),
            Route(mandate, self.mandate, methods=["PUT", "GET", "DELETE"]),
        ]

    def _asked(self, request: Request, body: bytes) -> RailSettings | None:
        """Return the rail that a signed request is for, or None where it must be refused."""
        rail = self._world.rails.get(request.path_params["rail"])
        if rail is None or self._authenticator.merchant(request, body, rail) is None:
            return None
        return rail

    async def post_order(self, request: Request) -> Response:
        """Take an order; idempotent on (rail, merchant, order number)."""
        raw = await request.body()
        rail = self._asked(request, raw)
        if rail is None:
            return refuse("11", 401)
        body = read_object(raw)
        if body is None:
            return refuse("10", 400)
        wrong = orders.faulty_field(body)
        if wrong is None and body["merchant_id"] != rail.merchant_id:
            wrong = "merchant_id"
        if wrong is not None:
            return refuse("13", 400, wrong)
        number = str(body["order_no"])

        def work(now: int, _: int) -> Response:
            return JSONResponse(orders.accept(self._world, rail, body, now))

        return answer(self._world, f"POST {rail.name}/{number}", work, number)

    async def get_order(self, request: Request) -> Response:
        """Answer an inquiry by order number."""
        return await self._about_order(request, "GET")

    async def cancel_order(self, request: Request) -> Response:
        """Withdraw an order that has not been executed."""
        return await self._about_order(request, "CANCEL")

    async def _about_order(self, request: Request, verb: str) -> Response:
        rail = self._asked(request, await request.body())
        if rail is None:
            return refuse("11", 401)
        number = request.path_params["order_no"]
        if request.query_params.get("merchant_id", rail.merchant_id) != rail.merchant_id:
            return refuse("13", 400, "merchant_id")
        do = orders.inquire if verb == "GET" else orders.cancel

        def work(now: int, _: int) -> Response:
            return JSONResponse(do(self._world, rail, number, now))

        return answer(self._world, f"{verb} {rail.name}/{number}", work, number)

    async def mandate(self, request: Request) -> Response:
        """Sign up (PUT), look up (GET) or end (DELETE) a mandate; 404 where it is unknown."""
        raw = await request.body()
        rail = self._asked(request, raw)
        if rail is None:
            return refuse("11", 401)
        ref = request.path_params["mandate_ref"]
        do: Callable[[], dict[str, Any] | None] = partial(
            mandates.look_up, self._world, rail.name, ref
        )
        if request.method == "DELETE":
            do = partial(mandates.end, self._world, rail.name, ref)
        if request.method == "PUT":
            body = read_object(raw)
            wrong = "body" if body is None else mandates.faulty_field(body)
            if body is None or wrong is not None:
                return refuse("13", 400, wrong or "")
            do = partial(mandates.sign_up, self._world, rail.name, ref, body)

        def work(_now: int, _call: int) -> Response:
            found = do()
            if found is None:
                return refuse("77", 404)
            ended = request.method == "PUT" and found["status"] == "ENDED"
            return JSONResponse(found, 409 if ended else 200)

        return answer(self._world, f"{request.method} mandate {rail.name}/{ref}", work)
