"""The whole system for journeys: a real dev server, a simulated bank over HTTP, and a worker.

Only the worker lives in the test's own process, so that its counters can be read and its parts be
asked to do a thing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client

from adapters.products.files import read_products
from adapters.temporal.client import connect
from domain.audit import AuditReport
from domain.loan.view import InstallmentView, installment
from sandbox.auditing import audit_stack
from sandbox.demoloans import made_loans
from sandbox.local import LocalOptions, LocalStack
from sandbox.rehearsal import ENDED, board
from sandbox.simulated import SimulatorControl
from sandbox.truthlogs import addresses_of, fetch_logs
from sandbox.virtualtime import Sandbox
from tests.support.base import base, base_day
from tests.support.doors import BoardLoan
from workers.compose import Stack, open_stack
from workers.processes import free_port
from workers.runner import Services, working
from workers.settings import Settings, temporal_config

LONGEST = timedelta(days=120)
SEED = 7
ZONES = ("Asia/Shanghai",)
"""Where the loans' days begin."""


def loans(count: int, months: int = 1, seed: int = SEED) -> Sequence[BoardLoan]:
    """Personal loans that fall due from the week after next, as the demo makes them."""
    return made_loans(count, months, seed, base_day(), read_products(Settings().products))


@dataclass
class Watched:
    """A stack on this machine, its books, and the clock of its sandbox."""

    local: LocalStack
    stack: Stack
    client: Client
    sandbox: Sandbox
    url: str

    async def board(self, boarded: Sequence[BoardLoan]) -> None:
        """Sign the mandates and board the loans."""
        await board(self.stack, self.client, boarded)
        await self.sandbox.settle()

    async def until(self, state: str, within: timedelta = LONGEST) -> None:
        """Let time pass until some installment is in a state."""
        end = self.sandbox.now + within
        while state not in self.sandbox.states:
            stop = await self.sandbox.next_stop()
            assert stop is not None, f"nothing leads to {state}"
            assert stop < end, f"not {state} by {end}"
            await self.sandbox.stand_at(stop)

    async def to_the_end(self, within: timedelta = LONGEST) -> AuditReport:
        """Let what is due be done, let time pass until every installment has ended, and audit."""
        await self.sandbox.settle()
        ended, end = {state.value for state in ENDED}, self.sandbox.now + within
        while not self.sandbox.states or set(self.sandbox.states) - ended:
            stop = await self.sandbox.next_stop()
            assert stop is not None, f"nothing ends {self.sandbox.states}"
            assert stop < end, f"not ended by {end}: {self.sandbox.states}"
            await self.sandbox.stand_at(stop)
        return await self.audit()

    async def audit(self) -> AuditReport:
        """The bank's own log against the books."""
        books = (self.stack.auditor, self.stack.queries, self.stack.clock)
        return await audit_stack(*books, self.stack.registry)

    async def truth(self) -> dict[str, Any]:
        """The logs of rails and bank as they give them."""
        return dict(await fetch_logs(addresses_of(self.stack.registry)))

    async def view(self, loan_id: str, number: int = 1) -> InstallmentView:
        """One installment as the books have it now."""
        found = await self.stack.queries.view(installment(loan_id, number))
        assert found is not None
        return found

    async def head(self) -> str:
        """How many entries, postings and moves the journal has; equal counts are equal books.

        News that is known already is kept as a command of its own, so the chain's hash moves on.
        """
        report = await self.stack.queries.verify()
        assert not report.faults
        return f"{report.entries} {report.postings} {report.transitions}"


@dataclass
class Whole(Watched):
    """The same with its worker in this process."""

    services: Services


@asynccontextmanager
async def whole(
    home: Path,
    *,
    profile: str = "calm",
    seed: int = SEED,
    cache: int = 1000,
    rails: tuple[str, ...] = (),
    products: Path | None = None,
    roles: Sequence[str] = ("all",),
) -> AsyncIterator[Whole]:
    """Start everything; stop it at the end of the block.

    `rails`, `products`: other than the usual ones. `roles`: a worker for each, all of this process.
    """
    settings = Settings(
        home=home, api_port=free_port(), products=products or Settings(home=home).products
    )
    options = LocalOptions(profile=profile, seed=seed, workers=0, start=base(), rails=rails)
    async with LocalStack(settings, options, lambda _: None) as local:
        assert local.record is not None
        url = local.record.simulator_url or ""
        async with AsyncExitStack() as closing, SimulatorControl(url) as control:
            workers = [working(role, settings, cache=cache) for role in roles]
            services, *_ = [await closing.enter_async_context(worker) for worker in workers]
            sandbox = Sandbox(services.stack, services.client, control, zones=ZONES)
            yield Whole(local, services.stack, services.client, sandbox, url, services)


@asynccontextmanager
async def watched(
    home: Path, *, profile: str = "calm", seed: int = SEED, worker_module: str = "cli"
) -> AsyncIterator[Watched]:
    """Start everything, workers too, each as a process; stop it at the end of the block."""
    options = LocalOptions(profile=profile, seed=seed, worker_module=worker_module, start=base())
    async with LocalStack(Settings(home=home), options, lambda _: None) as local:
        assert local.record is not None
        url = local.record.simulator_url or ""
        client = await connect(temporal_config(local.record))
        async with open_stack(local.settings) as stack, SimulatorControl(url) as control:
            sandbox = Sandbox(stack, client, control, zones=ZONES)
            yield Watched(local, stack, client, sandbox, url)


async def soon(what: Any, within_s: float = 20.0) -> None:
    """Wait until an awaited question is answered yes."""
    async with asyncio.timeout(within_s):
        while not await what():
            await asyncio.sleep(0.05)
