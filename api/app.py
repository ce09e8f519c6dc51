"""The application: the endpoints of `/v1`, the webhooks of rails, and the document of all of it."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match

from api.doors import Doors
from api.limits import SECONDS_MAX, Limits
from api.problems import Problem, ProblemOut, answer, request_id
from api.v1 import (
    approvals,
    cases,
    events,
    installments,
    ledger,
    loans,
    orders,
    payments,
    payouts,
    statements,
)
from domain.errors import InvalidInput

VERSION = "1.0.0"
DOCUMENT = "/v1/openapi.json"
# Orders before cases and payouts: their keys hold slashes and would swallow the rest of a path.
_ROUTERS = (
    orders.router,
    loans.router,
    installments.router,
    payments.router,
    statements.router,
    cases.router,
    payouts.router,
    approvals.router,
    ledger.router,
    events.router,
)


def build_api(
    doors: Doors | None, routes: Sequence[BaseRoute] = (), seconds: float = SECONDS_MAX
) -> FastAPI:
    """The application that serves the API, and `routes` beside it.

    `doors` is None where only the document is wanted. `seconds`: the time limit of a request.
    """
    app = FastAPI(
        title="Acquit",
        version=VERSION,
        openapi_url=DOCUMENT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.doors = doors
    for router in _ROUTERS:
        app.include_router(router)
    app.router.routes.extend(routes)
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(InvalidInput, _of_input)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_middleware(Limits, seconds=seconds)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with problems in place of the framework's own errors."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    made = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        summary="Repayments of loans: every installment from its first reminder to its release.",
        routes=app.routes,
    )
    _, named = models_json_schema(
        [(ProblemOut, "serialization")], ref_template="#/components/schemas/{model}"
    )
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    found = named["$defs"]
    schemas |= {"Problem": found["ProblemOut"], "NextStep": found["NextStep"]}
    app.openapi_schema = made
    return made


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  (registered for it)
    return answer(error, request_id(request))


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return answer(Problem("request.malformed"), request_id(request))
    place, *path = first["loc"]
    if "Idempotency-Key" in path and place == "header":
        problem = Problem("request.invalid", field="Idempotency-Key", rule=first["msg"])
    else:
        field = ".".join(str(part) for part in path)[:200]
        problem = Problem("request.invalid", field=field or str(place), rule=first["msg"][:200])
    return answer(problem, request_id(request))


async def _of_input(request: Request, error: Exception) -> Response:
    assert isinstance(error, InvalidInput)  # noqa: S101
    code = "request.cursor" if error.field == "after" else "request.invalid"
    return answer(Problem(code, field=error.field, rule=error.rule), request_id(request))


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if not request.url.path.startswith("/v1"):
        return JSONResponse({"detail": error.detail}, error.status_code)
    name = request_id(request)
    match error.status_code:
        case 405:
            return answer(Problem("request.method"), name, _methods(request))
        case 413:
            return answer(Problem("request.too_large"), name)
        case 404:
            return answer(Problem("resource.unknown"), name)
        case _:
            return answer(Problem("request.malformed"), name)


def _methods(request: Request) -> str:
    """The methods of all endpoints of the path; the router names those of the first one only."""
    found: set[str] = set()
    for route in (route for router in _ROUTERS for route in router.routes):
        matched, _ = route.matches(request.scope)
        if matched is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return ", ".join(sorted(found))
