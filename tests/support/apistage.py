"""A served API on a real database, with books, persons and keys of every role."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.sql.access.idempotency import SqlIdempotencyKeys
from adapters.sql.access.log import SqlAccessLog
from adapters.sql.access.narrowed import SqlApiQueries
from adapters.sql.access.persons import SqlPersons
from adapters.sql.access.portfolios import SqlPortfolios
from adapters.sql.access.requests import SqlOrderRequests
from adapters.sql.access.secrets import AccessSecrets
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.proving import SqlProofs
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from adapters.tapes.application.boarding import UpstreamBoarding
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.loan.loans import BoardingRules
from api.app import build_api
from api.caller import Doorkeeper
from api.doors import Doors
from api.idempotent import Once
from api.orderdoor import OrderDoor
from domain.access.apikey import ApiKey, key_text, new_key, secret_digest
from domain.access.approval import Presence
from domain.access.person import EVERYWHERE, Grant, Person, PersonKind, Role
from domain.access.rights import NEVER_BY_KEY, RIGHTS, Right
from ports.access import AccessEvent, NewLogin
from tests.api.served import served
from tests.support.booksbench import StillClock, roll
from tests.support.forging import a_signer
from tests.support.memory import RULES, board

PRODUCTS = Path("examples/products")
WALL = datetime(2026, 11, 1, 9, tzinfo=UTC)


@dataclass
class ApiStage:
    """The API at an address, what stands behind it, and keys by the names of persons."""

    base: str
    doors: Doors
    engine: AsyncEngine
    books: SqlBooks
    queries: SqlQueries
    persons: SqlPersons
    portfolios: SqlPortfolios
    requests: SqlOrderRequests
    log: SqlAccessLog
    orders: OrderDoor
    wall: StillClock
    clock: StillClock
    client: httpx.AsyncClient
    keys: dict[str, str] = field(default_factory=dict)

    def event(self, what: str, about: str) -> AccessEvent:
        """A line of the log of the one who sets the stage."""
        return AccessEvent(self.wall.now(), "admin", "cli", what, about, "changed")

    async def person(
        self, name: str, *grants: Grant, program: bool = False, login: NewLogin | None = None
    ) -> Person:
        """Add a person."""
        kind = PersonKind.PROGRAM if program else PersonKind.HUMAN
        made = Person(name, kind, grants=grants)
        await self.persons.add(made, login, self.event("add", name))
        return made

    async def key(self, name: str, *grants: Grant, program: bool = False, days: int = 90) -> ApiKey:
        """Add a person with a key for all that its roles allow and a key may give."""
        person = await self.person(name, *grants, program=program)
        scopes = frozenset(
            right for grant in grants for right in RIGHTS[grant.role] if right not in NEVER_BY_KEY
        )
        return await self.issue(person, scopes, days)

    async def issue(self, person: Person, scopes: frozenset[Right], days: int = 90) -> ApiKey:
        """Give a person a key, kept in `keys`; one without rights gets one that is for all."""
        key_id, secret, now = secrets.token_hex(6), secrets.token_urlsafe(32), self.wall.now()
        if scopes:
            made = new_key(key_id, secret, person, scopes, now, days)
        else:
            ends_at, forged = now + timedelta(days=days), frozenset(Right)
            made = ApiKey(key_id, person.id, secret_digest(secret), forged, now, ends_at)
        await self.persons.keep_key(made, self.event("issue key", key_id))
        self.keys[person.id] = key_text(key_id, secret)
        return made

    async def call(
        self,
        method: str,
        path: str,
        by: str = "",
        *,
        key: str | None = None,
        json: Any = None,
        **more: Any,
    ) -> httpx.Response:
        """Send one request as the person `by`, under an idempotency key if one is given."""
        headers = dict(more.pop("headers", {}))
        if by:
            headers["Authorization"] = f"Bearer {self.keys[by]}"
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.client.request(method, path, headers=headers, json=json, **more)

    async def installments(self, loan_id: str) -> list[Any]:
        """The views of the installments of a loan."""
        page = await self.doors.lists.views("installment", frozenset({EVERYWHERE}), (), "", 100)
        return [view for view in page.items if view.labels.loan_id == loan_id]

    async def here(self, name: str) -> Presence:
        """A person that has just given its second factor."""
        person = await self.persons.person(name)
        assert person is not None
        return Presence(person, self.wall.now())


@asynccontextmanager
async def api_stage(engine: AsyncEngine, folder: Path) -> AsyncIterator[ApiStage]:
    """Serve the API over HTTP on a migrated database."""
    clock, wall = StillClock(), StillClock(WALL)
    rules = replace(RULES, calendars={**RULES.calendars, "CN": load_calendar("CN")})
    queries = SqlQueries(engine, clock, rules)
    persons = SqlPersons(engine, AccessSecrets(folder / "access.key"))
    portfolios, requests = SqlPortfolios(engine), SqlOrderRequests(engine)
    log = SqlAccessLog(engine)
    async with SqlBooks(engine, clock, rules) as books:
        orders = OrderDoor(books, requests, persons, portfolios, queries, queries, wall)
        doors = Doors(
            keeper=Doorkeeper(persons, log, wall),
            orders=orders,
            once=Once(SqlIdempotencyKeys(engine), wall),
            requests=requests,
            portfolios=portfolios,
            books=books,
            boarding=UpstreamBoarding(
                BoardingRules(
                    CANONICAL_MAP, read_products(PRODUCTS), load_calendar, {"simbank": "M1"}
                )
            ),
            lists=SqlApiQueries(engine),
            console=queries,
            drivers=queries,
            ledger=queries,
            archive=SqlArchive(engine, clock),
            checkpoints=SqlCheckpoints(engine, clock, a_signer()),
            proofs=SqlProofs(engine),
            clock=clock,
            starter=None,
            tenant="main",
        )
        async with served(build_api(doors)) as base, httpx.AsyncClient(base_url=base) as client:
            stage = ApiStage(
                base, doors, engine, books, queries, persons, portfolios, requests, log, orders,
                wall, clock, client,
            )  # fmt: skip
            yield stage


async def with_loans(stage: ApiStage) -> None:
    """Two loans of one product in the usual portfolio, one of another product in `south`."""
    await stage.books.apply(board("L1"))
    await stage.books.apply(board("L2"))
    other = board("S1")
    product = replace(other.product, id="far")
    await stage.books.apply(replace(other, product=product))
    await stage.portfolios.put("far", "south", stage.event("portfolio", "far"))


async def fall_due(stage: ApiStage, *loans: str) -> None:
    """Let the first due day of loans come."""
    day = date(2026, 3, 10)
    stage.clock.to(day)
    for loan_id in loans:
        await stage.books.apply(roll(loan_id, day))


def everywhere(role: Role) -> Grant:
    """A role in all portfolios."""
    return Grant(role, EVERYWHERE)
