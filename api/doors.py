"""What the endpoints of the API work with: one port for each thing that they ask."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPBearer

from api.caller import Caller, Doorkeeper
from api.cursors import Bound
from api.idempotent import Once
from api.orderdoor import OrderDoor
from api.problems import Problem
from domain.access.person import EVERYWHERE
from domain.access.rights import Denied, Right
from ports.access import Portfolios
from ports.apiqueries import ApiQueries
from ports.archive import Archive
from ports.boarding import Boarding
from ports.books import Books
from ports.checkpoints import Checkpoints
from ports.clock import Clock
from ports.consolequeries import ConsoleQueries
from ports.driverqueries import DriverQueries
from ports.drivers import Starter
from ports.ledgerqueries import LedgerQueries
from ports.orderrequests import OrderRequests
from ports.proofs import Proofs

PAGE_MOST = 200
"""Most items of one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The ports of one process.

    `clock` is that of the books, which may be a sandbox's; keys and requests end by the wall's.
    `starter` has files read; None where Temporal is not at hand: they are read by the next sweep.
    """

    keeper: Doorkeeper
    orders: OrderDoor
    once: Once
    requests: OrderRequests
    portfolios: Portfolios
    books: Books
    boarding: Boarding
    lists: ApiQueries
    console: ConsoleQueries
    drivers: DriverQueries
    ledger: LedgerQueries
    archive: Archive
    checkpoints: Checkpoints
    proofs: Proofs
    clock: Clock
    starter: Starter | None
    tenant: str
    ready: Callable[[], bool] = field(default=lambda: True)

    async def check(self, caller: Caller, right: Right, portfolio: str | None, about: str) -> None:
        """Let a caller pass that may do this.

        Raises:
            Problem: it may not; or there is no such thing in what it sees, which is one answer.
        """
        denied = await self.keeper.denies(caller, right, portfolio, about)
        if denied is not None:
            raise _problem(denied)

    async def check_loan(self, caller: Caller, right: Right, loan_id: str) -> None:
        """Let a caller pass that may do this to a loan.

        Raises:
            Problem: as of `check`.
        """
        await self.check(caller, right, await self.portfolios.of_loan(loan_id), f"loan {loan_id}")

    async def check_all(self, caller: Caller, right: Right, about: str) -> None:
        """Let a caller pass that may do this to what belongs to no single portfolio.

        Raises:
            Problem: it may not.
        """
        denied = await self.keeper.denies(caller, right, EVERYWHERE, about)
        if denied is not None:
            raise Problem("auth.denied", rule=denied.rule)

    async def seen(self, caller: Caller, right: Right, about: str) -> frozenset[str]:
        """The portfolios whose part of a list a caller sees.

        Raises:
            Problem: it sees nothing of it.
        """
        if found := caller.seen(right):
            return found
        denied = await self.keeper.denies(caller, right, EVERYWHERE, about)
        raise Problem("auth.denied", rule="role.none" if denied is None else denied.rule)


def _problem(denied: Denied) -> Problem:
    if denied.rule == "portfolio.other":
        return Problem("resource.unknown")
    return Problem("auth.denied", rule=denied.rule)


_BEARER = HTTPBearer(
    auto_error=False, description="A key of `acquit keys issue`: `Authorization: Bearer acq_...`."
)


async def _caller(request: Request, _shown: Annotated[object, Depends(_BEARER)]) -> Caller:
    doors: Doors = request.app.state.doors
    found = await doors.keeper.caller(request.headers.get("authorization", ""))
    if found is None:
        raise Problem("auth.unproven")
    return found


def _doors(request: Request) -> Doors:
    found: Doors = request.app.state.doors
    return found


Calling = Annotated[Caller, Depends(_caller)]
Ports = Annotated[Doors, Depends(_doors)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST, description="Most items of the page.")]
After = Annotated[
    str, Query(max_length=3_000, description="`next` of the page before; empty for the first one.")
]

__all__ = ["PAGE_MOST", "After", "Bound", "Calling", "Doors", "Limit", "Ports"]
