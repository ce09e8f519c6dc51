"""The virtual clock: moves all parties from instant to instant and waits until each is quiet.

Real workflows on a real server, each with a clock of its own. An advance writes the offset, lets
the simulated bank catch up, moves the clocks of the drivers that have something to do, and goes on
only when nothing is left to do at that instant. Domain, workflows and activities do not know of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from typing import TYPE_CHECKING, Any

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.healing import HealOrder
from activities.sweeps import SweepOrder
from adapters.temporal.client import connect
from adapters.temporal.starter import TemporalStarter
from domain.calendar import local_day, local_instant
from domain.errors import InvalidInput, InvariantBroken
from domain.loan.lifecycle import State
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.lifecycle import CLOSURE_FINAL, ClosureState
from domain.payout.lifecycle import OUT, PayoutState
from domain.payout.payout import PAYOUT
from ports.subjectfilter import SubjectFilter
from sandbox.driverclocks import DriverClocks
from sandbox.simulated import SimulatorControl
from sandbox.sweepdays import ONE_DAY, SweepDays
from workers.clock import SandboxClock
from workers.production import answering
from workers.settings import temporal_config
from workers.sources import fetched_accounts
from workflows import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.kernel.view import View
    from ports.payoutqueries import Remittable
    from workers.compose import Stack
    from workflows.daily_sweep import SweepReport

TENANT = "demo"
SWEEP_AT = day_time(0, 5)
_DRIVERS_MOST = 1000
_PATIENCE_S = 40.0
_SKIP_AFTER_S = 120.0
_BREATH_S = 0.02
TOGETHER = timedelta(minutes=1)
_SWEEP_TRIES = 60
_AWAY_S = 0.5

Signature = tuple[object, ...]


@dataclass(slots=True)
class Tally:
    """What an advance did, for progress and for counters."""

    stops: int = 0
    skips: int = 0
    sweeps: int = 0
    heals: int = 0
    stuck: dict[str, int] = field(default_factory=dict)


class Sandbox:
    """Moves one sandbox. Only one may be at work at a time: it alone writes the clock."""

    def __init__(
        self,
        stack: Stack,
        client: Client,
        control: SimulatorControl,
        *,
        tenant: str = TENANT,
        zones: Sequence[str] = (),
        patience: timedelta = ONE_DAY,
        on_stop: Callable[[datetime, Tally], None] = lambda _at, _tally: None,
    ) -> None:
        if not isinstance(stack.clock, SandboxClock):
            raise InvariantBroken("only a sandbox has a clock that can be moved")
        self._stack, self._client, self._control = stack, client, control
        self._clock = stack.clock
        self._drivers = DriverClocks(client)
        self._starter = TemporalStarter(client)
        self._tenant = tenant
        self._on_stop = on_stop
        products = [item.product for item in stack.products.values()]
        self._zones = list(zones) or sorted({product.timezone for product in products})
        self._accounts = fetched_accounts(stack.rules.accounts)
        self._swept: dict[str, datetime] = {}
        calendars = [stack.rules.calendar(rail.profile.calendar) for rail in stack.rails.values()]
        self._days = SweepDays(stack.queries, stack.rules, calendars, patience)
        self._states: dict[str, int] | None = None
        self._left_open: tuple[Remittable, ...] = ()
        self.tally = Tally()

    @property
    def states(self) -> dict[str, int]:
        """Installments by state, as of the last stop."""
        return self._states or {}

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self._clock.now()

    async def advance(self, to: datetime) -> None:
        """Let time pass until `to`, stopping wherever something happens."""
        await self.settle()
        while (stop := await self.next_stop()) is not None and stop < to:
            await self.stand_at(stop)
        await self.stand_at(to)

    async def next_stop(self) -> datetime | None:
        """The next instant at which anything happens: an action, a message, the bank, a new day."""
        now = self.now
        action, outlook = await asyncio.gather(
            self._stack.queries.next_instant(), self._control.outlook()
        )
        midnight = min(local_instant(self._tomorrow(zone), SWEEP_AT, zone) for zone in self._zones)
        first = next_of(now, action, outlook.next_news, None)
        if first is not None and first < midnight:  # no sweep comes before that
            return first
        return next_of(now, action, outlook.next_news, await self._next_sweep())

    async def stand_at(self, instant: datetime) -> None:
        """Move every clock to an instant, and wait until everything due there is done."""
        offset = self._clock.advance(instant)
        await self._control.set_clock(offset)
        await self.settle()
        for zone in self._zones:
            await self._sweep_if_due(zone)
        self.tally.stops += 1
        self._states = await self._look_at_states()
        self._on_stop(self.now, self.tally)

    async def settle(self) -> None:
        """Wait until nothing is due: no action, no message, no report of the bank on its way."""
        seen: Signature = ()
        since = time.monotonic()
        healed = False
        while True:  # ends when quiet, or when what is left has not moved for too long
            signature, due = await self._left_to_do()
            if not any(signature):
                return
            if signature != seen:
                seen, since, healed = signature, time.monotonic(), False
            idle = time.monotonic() - since
            if idle > _PATIENCE_S and not healed:
                healed = True
                await self.heal()
            if idle > _SKIP_AFTER_S:
                self._skip_stuck(due)
                return
            self.tally.skips += await self._drivers.skip(due, self.now)
            await asyncio.sleep(_BREATH_S)

    async def is_closing(self) -> bool:
        """Whether a closure has something to do; one that waits for a person has not.

        The news of the last stop may have come after all was quiet: what is due is done first.
        """
        await self.settle()
        states = tuple(state for state in ClosureState if state not in CLOSURE_FINAL)
        wanted = SubjectFilter(kind=LOAN_CLOSURE, states=states, needs_operator=False)
        page = await self._stack.queries.subjects(wanted, "", _DRIVERS_MOST)
        return any(one.view.next_action is not None for one in page.items)

    async def heal(self) -> None:
        """Run one round of healing: messages left over, drivers missing or behind."""
        self.tally.heals += 1
        with contextlib.suppress(RPCError):
            await self._starter.heal(self._tenant, HealOrder(quiet_s=0))

    async def sweep(self, zone: str) -> None:
        """Run the day's bulk work for today of a zone, and wait for it and for its statements."""
        day, before = local_day(self.now, zone), await self._open_shares()
        order = SweepOrder(self._tenant, day, zone, accounts=self._accounts)
        report = await self._swept_by(order, day)
        self._swept[zone] = self.now
        self._days.swept(zone, day)
        self.tally.sweeps += 1
        if report is None or report.statements_started:
            await self._statements_read()
        await self.settle()
        # What a sweep leaves as it was waits for a person or a minimum: no other is made for it.
        left = await self._open_shares()
        self._left_open = left if left == before else ()

    async def _swept_by(self, order: SweepOrder, day: date) -> SweepReport | None:
        """Have a day swept; None when the server was away and it is not known what was done."""
        for _ in range(_SWEEP_TRIES):
            try:
                return await (await self._starter.sweep(order, day)).result()
            except WorkflowAlreadyStartedError:
                name = names.sweep_id(order.tenant, order.timezone, day)
                handle = self._client.get_workflow_handle(name)
                with contextlib.suppress(RPCError):
                    await handle.result()
                return None
            except RPCError:
                await asyncio.sleep(_AWAY_S)
        return None

    # --- what is left to do ----------------------------------------------------------------------

    async def _left_to_do(self) -> tuple[Signature, list[View[Any]]]:
        """What is not done yet, cheapest question first: one that is answered yes will do."""
        views = await self._stack.queries.due_actions(self.now, _DRIVERS_MOST)
        due = [view for view in views if self.tally.stuck.get(_name(view)) != view.version]
        if due:
            actions = sorted((_name(view), view.version) for view in due)
            return (tuple(actions), 0, 0), due
        if pending := await self._stack.outbox.pending():
            return ((), pending, 0), due
        return ((), 0, (await self._control.outlook()).due), due

    def _skip_stuck(self, due: list[View[Any]]) -> None:
        """Go on without those that do not move: one of them must not stop all others."""
        for view in due:
            self.tally.stuck[_name(view)] = view.version

    # --- days ------------------------------------------------------------------------------------

    async def _next_sweep(self) -> datetime | None:
        """The next beginning of a day on which the books or statements want bulk work."""
        now = self.now
        found: list[datetime] = []
        collects = await self._expects_lines()
        for zone in self._zones:
            day = await self._days.next_day(zone, now, self._tomorrow(zone))
            if day is not None:
                found.append(local_instant(day, SWEEP_AT, zone))
            # In every zone: a bank's day ends in its own, and none waits for another's.
            if collects:
                day = self._days.next_statement_day(local_day(now, zone))
                found.append(local_instant(day, SWEEP_AT, zone))
        return min(found, default=None)

    def _tomorrow(self, zone: str) -> date:
        return local_day(self.now, zone) + ONE_DAY

    async def _expects_lines(self) -> bool:
        """Whether money is reported, or paid out, and waits for its bank line; or is to be sent."""
        if self._states is None:
            self._states = await self._look_at_states()
        return bool(self._states.get(State.CLEARING.value, 0)) or await self._pays_out()

    async def _pays_out(self) -> bool:
        """Whether a payout waits for its line, or shares are open that no sweep has looked at."""
        if not self._stack.rules.remittance.payees:
            return False
        wanted = SubjectFilter(kind=PAYOUT, states=(*sorted(OUT), PayoutState.PAID))
        if (await self._stack.queries.subjects(wanted, "", 1)).items:
            return True
        return (await self._open_shares()) not in {(), self._left_open}

    async def _open_shares(self) -> tuple[Remittable, ...]:
        """What a payout could take; empty where nobody is paid."""
        parties = tuple(self._stack.rules.remittance.payees)
        return await self._stack.queries.remittable(parties) if parties else ()

    async def _look_at_states(self) -> dict[str, int]:
        return (await self._stack.queries.counts()).get("installments", {})

    async def _sweep_if_due(self, zone: str) -> None:
        """Sweep when a day has begun that wants it; days with nothing but penalty may wait."""
        today = local_day(self.now, zone)
        begins = local_instant(today, SWEEP_AT, zone)
        if self.now < begins or self._swept.get(zone, datetime.min.replace(tzinfo=UTC)) >= begins:
            return
        self._states = None
        if await self._expects_lines() or await self._days.next_day(zone, self.now, today) == today:
            await self.sweep(zone)

    async def _statements_read(self) -> None:
        """Wait until the files that a sweep found are booked."""
        query = "WorkflowType='Statement' AND ExecutionStatus='Running'"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SKIP_AFTER_S):
                # The server tells nobody when the last one ends.
                while (await self._client.count_workflows(query)).count:  # noqa: ASYNC110
                    await asyncio.sleep(_BREATH_S)


def next_of(
    now: datetime, action: datetime | None, news: datetime | None, sweep: datetime | None
) -> datetime | None:
    """The least instant after `now`; what follows from events is taken together, by the minute.

    What was planned is planned for a whole minute and happens then. Answers, payments and waits
    that began with an event come at odd seconds: those of one minute share a stop.
    """
    found = [instant for instant in (action, news, sweep) if instant is not None and instant > now]
    if not found:
        return None
    first = min(found)
    if not first.second and not first.microsecond:
        return first
    return first.replace(second=0, microsecond=0) + TOGETHER


def _name(view: View[Any]) -> str:
    return str(view.subject)


async def advance(stack: Stack, to: datetime) -> None:
    """Move the sandbox of a stack that is up to an instant.

    Raises:
        InvalidInput: no simulated bank is known, so there is no sandbox to move.
        Unavailable: the stack that was used last is not up.
    """
    if stack.record is not None:
        stack.record.must_be_of_this_home()
    if stack.record is None or stack.record.simulator_url is None:
        raise InvalidInput("stack", "", "a sandbox that is up; start one with `acquit up`")
    config = temporal_config(stack.record)
    with answering(config, "; the stack is not up, start it with `acquit up`"):
        client = await connect(config)
    async with SimulatorControl(stack.record.simulator_url) as control:
        await Sandbox(stack, client, control).advance(to)
