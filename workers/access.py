"""Puts the parts together that prove persons and take their orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.sql.access.idempotency import SqlIdempotencyKeys
from adapters.sql.access.log import SqlAccessLog
from adapters.sql.access.narrowed import SqlApiQueries
from adapters.sql.access.persons import SqlPersons
from adapters.sql.access.portfolios import SqlPortfolios
from adapters.sql.access.requests import SqlOrderRequests
from adapters.sql.access.secrets import AccessSecrets
from adapters.sql.read.proving import SqlProofs
from adapters.sql.write.checkpoints import SqlCheckpoints
from api.app import build_api
from api.caller import Doorkeeper
from api.doors import Doors
from api.idempotent import Once
from api.orderdoor import OrderDoor
from workers.clock import WallClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI
    from starlette.routing import BaseRoute

    from ports.drivers import Starter
    from workers.compose import Stack

ACCESS_KEY = "access.key"


@dataclass(frozen=True, slots=True)
class Access:
    """Persons and their rights in the books of a stack, and the door of their orders.

    Logins, keys and requests live by the wall's time, never by the clock of a sandbox.
    """

    persons: SqlPersons
    portfolios: SqlPortfolios
    requests: SqlOrderRequests
    log: SqlAccessLog
    orders: OrderDoor
    wall: WallClock


def access_of(stack: Stack) -> Access:
    """The parts that prove persons and take their orders, on the books of a stack."""
    engine, wall, settings = stack.engine, WallClock(), stack.settings
    kept = AccessSecrets(settings.access_key or settings.home / ACCESS_KEY)
    persons, portfolios = SqlPersons(engine, kept), SqlPortfolios(engine)
    requests = SqlOrderRequests(engine)
    queries = stack.queries
    orders = OrderDoor(stack.writer, requests, persons, portfolios, queries, queries, wall)
    return Access(persons, portfolios, requests, SqlAccessLog(engine), orders, wall)


def doors_of(stack: Stack, tenant: str, starter: Starter | None = None) -> Doors:
    """What the API works with; without a starter, files that are brought wait for the sweep."""
    access, engine = access_of(stack), stack.engine
    return Doors(
        keeper=Doorkeeper(access.persons, access.log, access.wall),
        orders=access.orders,
        once=Once(SqlIdempotencyKeys(engine), access.wall),
        requests=access.requests,
        portfolios=access.portfolios,
        books=stack.books,
        boarding=stack.boarding,
        lists=SqlApiQueries(engine),
        console=stack.queries,
        drivers=stack.queries,
        ledger=stack.queries,
        archive=stack.archive,
        checkpoints=SqlCheckpoints(engine, stack.clock, None),  # it signs nothing
        proofs=SqlProofs(engine),
        clock=stack.clock,
        starter=starter,
        tenant=tenant,
    )


def api_of(
    stack: Stack, tenant: str, starter: Starter | None, routes: Sequence[BaseRoute] = ()
) -> FastAPI:
    """The application of the API, with further `routes` beside it."""
    return build_api(doors_of(stack, tenant, starter), routes)
