"""Runs loans from boarding to the last proof in virtual time, and audits the result."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio.service import RPCError

from adapters.tapes.application.boarding import application_of
from adapters.temporal.client import connect
from adapters.temporal.starter import TemporalStarter
from domain.errors import Unavailable
from domain.loan.lifecycle import State
from sandbox.auditing import audit_stack
from sandbox.mandates import sign_mandates
from sandbox.simulated import SimulatorControl
from sandbox.sweepdays import WEEKLY
from sandbox.temporalcosts import TemporalCosts, count_costs
from sandbox.virtualtime import Sandbox
from workers.compose import open_stack
from workers.settings import temporal_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from temporalio.client import Client

    from domain.audit import AuditReport
    from domain.loan.boarding import BoardLoan
    from sandbox.virtualtime import Tally
    from workers.compose import Stack
    from workers.settings import Settings
    from workers.stackfile import StackRecord

AFTER_LAST_DUE = timedelta(days=40)
"""Time for retries after the last due date; then the bank is calmed and the rest must end."""
TAIL = timedelta(days=45)
"""Time after that in which everything transient has to end."""
AT_ONCE = 20
CONNECT_S = 60.0
ENDED = frozenset(
    {State.CLOSED, State.CANCELLED, State.DELINQUENT, State.WRITTEN_OFF, State.SUBROGATED}
)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, for whoever watches."""

    now: datetime
    installments: dict[str, int]
    stops: int
    skips: int


@dataclass(slots=True)
class Result:
    """What a run came to."""

    report: AuditReport
    virtual_days: int
    elapsed_s: float
    costs: TemporalCosts
    tally: Tally
    commands: int
    """Given to the books after boarding; each is at most one commit, groups make it fewer."""

    @property
    def _installments(self) -> int:
        return max(sum(self.report.installments.values()), 1)

    def as_dict(self) -> dict[str, Any]:
        """The report under the names that other programs read."""
        return {
            **self.report.as_dict(),
            "virtual_days": self.virtual_days,
            "elapsed_s": round(self.elapsed_s, 1),
            "temporal": self.costs.as_dict(),
            "books": {"commands_per_installment": round(self.commands / self._installments, 1)},
            "clock": {
                "stops": self.tally.stops,
                "skips": self.tally.skips,
                "sweeps": self.tally.sweeps,
                "heals": self.tally.heals,
                "stuck": sorted(self.tally.stuck),
            },
        }


async def rehearse(
    settings: Settings, loans: Sequence[BoardLoan], watch: Callable[[Progress], None]
) -> Result:
    """Board the loans, let virtual time pass until all is done, and audit."""
    began = time.monotonic()
    async with open_stack(settings) as stack:
        record = stack.record
        if record is None or record.simulator_url is None:
            raise RuntimeError("a rehearsal needs a local stack")
        client = await _connected(record)
        async with SimulatorControl(record.simulator_url) as control:

            def on_stop(now: datetime, tally: Tally) -> None:
                watch(Progress(now, sandbox.states, tally.stops, tally.skips))

            zones = sorted({loan.product.timezone for loan in loans})
            sandbox = Sandbox(
                stack,
                client,
                control,
                tenant=loans[0].tenant,
                zones=zones,
                patience=WEEKLY,
                on_stop=on_stop,
            )
            first = sandbox.now
            await board(stack, client, loans)
            last_due = max(loan.schedule[-1].due_on for loan in loans)
            end = datetime.combine(last_due, first.timetz()) + AFTER_LAST_DUE
            await _run(sandbox, end)
            await control.calm()
            await _run(sandbox, sandbox.now + TAIL)
            books = (stack.auditor, stack.queries, stack.clock)
            report = await audit_stack(*books, stack.registry, settings.home)
            costs = await count_costs(client)
            kinds = (await stack.queries.counts())["commands"]
            commands = sum(kinds.values()) - kinds.get("board_loan", 0)
            days = (sandbox.now - first).days
        return Result(report, days, time.monotonic() - began, costs, sandbox.tally, commands)


async def _connected(record: StackRecord) -> Client:
    """A client of the stack's server, which may be about to be started again.

    Raises:
        Unavailable: it has not answered for `CONNECT_S`.
    """
    began = time.monotonic()
    while True:  # ends by an answer, or by the time
        try:
            return await connect(temporal_config(record))
        except (RPCError, RuntimeError) as error:
            if time.monotonic() - began > CONNECT_S:
                said = f"the Temporal server at {record.temporal_address} does not answer"
                raise Unavailable(said) from error
            await asyncio.sleep(0.2)


async def board(stack: Stack, client: Client, loans: Sequence[BoardLoan]) -> None:
    """Play upstream: sign the mandates at the bank and start one boarding for each loan."""
    await sign_mandates(stack.rails, loans)
    starter = TemporalStarter(client)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(loan: BoardLoan) -> None:
        async with gate:
            handle = await starter.board(application_of(loan))
            await handle.result()

    async with asyncio.TaskGroup() as group:
        for loan in loans:
            group.create_task(one(loan))


async def _run(sandbox: Sandbox, end: datetime) -> None:
    """Go from stop to stop until everything has ended, or `end` has come."""
    await sandbox.settle()
    while (stop := await sandbox.next_stop()) is not None and stop < end:
        await sandbox.stand_at(stop)
        ended = sandbox.states and not set(sandbox.states) - {state.value for state in ENDED}
        if ended and not await sandbox.is_closing():
            break
    if stop is None or stop >= end:
        await sandbox.stand_at(max(sandbox.now, min(end, stop or end)))
