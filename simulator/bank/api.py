"""The bank's interface for its customers: statements of their accounts, and transfers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.bank import payouts, statements
from simulator.edge import answer, read_object, refuse
from simulator.signing import Authenticator
from simulator.world import World


class BankApi:
    """Handlers of /bank/v1; each checks the signature before anything else."""

    def __init__(self, world: World, authenticator: Authenticator) -> None:
        """Keep the world and the authenticator."""
        self._world = world
        self._authenticator = authenticator

    def routes(self) -> list[Route]:
        """Return the routes of the bank."""
        return [
            Route("/bank/v1/statements", self.list_statements, methods=["GET"]),
            Route("/bank/v1/statements/{id}", self.get_statement, methods=["GET"]),
            Route("/bank/v1/payouts", self.post_payout, methods=["POST"]),
            Route("/bank/v1/payouts/{order_no}", self.get_payout, methods=["GET"]),
        ]

    async def post_payout(self, request: Request) -> Response:
        """Take a transfer; idempotent on its order number."""
        raw = await request.body()
        if self._authenticator.customer(request, raw) is None:
            return refuse("11", 401)
        body = read_object(raw)
        if body is None:
            return refuse("10", 400)
        wrong = payouts.faulty_field(body)
        if wrong is not None:
            return refuse("13", 400, wrong)
        number = str(body["order_no"])

        def work(now: int, _: int) -> Response:
            return JSONResponse(payouts.accept(self._world, body, now))

        return answer(self._world, f"POST payout/{number}", work, number)

    async def get_payout(self, request: Request) -> Response:
        """Answer the state of a transfer."""
        if self._authenticator.customer(request, b"") is None:
            return refuse("11", 401)
        number = request.path_params["order_no"]

        def work(_now: int, _: int) -> Response:
            return JSONResponse(payouts.inquire(self._world, number))

        return answer(self._world, f"GET payout/{number}", work, number)

    async def list_statements(self, request: Request) -> Response:
        """List the statements that are available of an account and a span of days."""
        if self._authenticator.customer(request, b"") is None:
            return refuse("11", 401)
        asked = request.query_params
        query = (asked.get("account", ""), asked.get("from", ""), asked.get("to", ""))

        def work(now: int, call: int) -> Response:
            return JSONResponse(statements.listing(self._world, query, call, now))

        return answer(self._world, "LIST " + " ".join(query), work)

    async def get_statement(self, request: Request) -> Response:
        """Hand out one statement as XML, or as CSV for ?format=csv; 404 while not available."""
        if self._authenticator.customer(request, b"") is None:
            return refuse("11", 401)
        name, form = request.path_params["id"], request.query_params.get("format", "xml")

        def work(now: int, _: int) -> Response:
            text = statements.content(self._world, name, form, now)
            if text is None:
                return refuse("34", 404)
            return Response(text, media_type="text/csv" if form == "csv" else "application/xml")

        return answer(self._world, f"STATEMENT {name} {form}", work)
