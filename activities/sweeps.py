"""Activities of a day's bulk work: roll loans into the day, fetch statements, deliver leftovers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.collecting import Collected, Collector
from activities.shielded import Life, heartbeats
from domain.kernel.command import Actor
from domain.loan.commands import RollDay
from ports.archive import Archive
from ports.books import Books
from ports.clock import Clock
from ports.drivers import Starter
from ports.outbox import Outbox
from ports.statementsource import StatementSource

SWEEP = Actor("system", "daily_sweep")
PAGE = 100
PAGES_MOST = 10_000


@dataclass(frozen=True, slots=True)
class SweepOrder:
    """The work of one local day. `day` None: today in `timezone`, by the clock of the books.

    `accounts` are the bank accounts whose statements are collected.
    """

    tenant: str
    day: date | None = None
    timezone: str = "UTC"
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rolled:
    """Loans rolled into a day. `after` is the last loan done, the cursor of a later try."""

    day: date
    loans: int = 0
    failed: int = 0
    after: str = ""


class SweepQueries(Protocol):
    """The part of `ports.sweepqueries.SweepQueries` that a sweep needs."""

    async def loans_to_roll(
        self, day: date, after: str, limit: int, timezone: str | None = None
    ) -> tuple[str, ...]:
        """Loans that have something to do at or before `day`, in order of id."""
        ...


class SweepActivities:
    """Books in bulk what happens to many loans on one day, instead of by their drivers."""

    def __init__(
        self,
        books: Books,
        queries: SweepQueries,
        sources: Mapping[str, StatementSource],
        archive: Archive,
        outbox: Outbox,
        starter: Starter,
        clock: Clock,
    ) -> None:
        self._books, self._queries, self._outbox, self._clock = books, queries, outbox, clock
        self._collector = Collector(sources, archive, books, starter, clock)

    @activity.defn(name="sweeps.roll")
    async def roll(self, order: SweepOrder) -> Rolled:
        """Roll every loan that has something to do, page by page, from where an earlier try was.

        The books know for each loan which day was done last and catch up from there. A loan that
        fails is counted and left for the next sweep; it does not stop the others.
        """
        async with heartbeats() as life:
            return await self._roll(order, life)

    async def _roll(self, order: SweepOrder, life: Life) -> Rolled:
        done = Rolled(order.day or self._today(order.timezone))
        details = activity.info().heartbeat_details
        if details:
            day, loans, failed, after = details[0]
            done = Rolled(date.fromisoformat(day), loans, failed, after)
        for _ in range(PAGES_MOST):
            page = await self._queries.loans_to_roll(done.day, done.after, PAGE, order.timezone)
            if not page:
                return done
            done = await self._roll_page(done, page)
            life.report([done.day.isoformat(), done.loans, done.failed, done.after])
        raise ApplicationError(f"more than {PAGES_MOST} pages of loans", type="TooMany")

    async def _roll_page(self, done: Rolled, page: tuple[str, ...]) -> Rolled:
        commands = [
            RollDay(
                id=f"roll/{loan_id}/{done.day}",
                actor=SWEEP,
                reason=f"a new day: {done.day}",
                loan_id=loan_id,
                day=done.day,
            )
            for loan_id in page
        ]
        answers = await self._books.apply_many(commands)
        failed = 0
        for loan_id, answer in zip(page, answers, strict=True):
            if isinstance(answer, Exception):
                failed += 1
                activity.logger.error("loan %s was not rolled: %s", loan_id, answer)
        return replace(
            done, loans=done.loans + len(page) - failed, failed=done.failed + failed, after=page[-1]
        )

    @activity.defn(name="sweeps.collect")
    async def collect(self, order: SweepOrder) -> Collected:
        """Keep statement files that are new by content, and have each of them read and booked."""
        last = order.day or self._today(order.timezone)
        done = Collected()
        async with heartbeats():
            for account in order.accounts:
                done = await self._collector.collect(order.tenant, account, last, done)
        return done

    @activity.defn(name="sweeps.deliver")
    async def deliver(self) -> int:
        """Deliver what is due in the outbox; the number of messages."""
        async with heartbeats():
            return await self._outbox.sweep()

    def _today(self, timezone: str) -> date:
        return self._clock.now().astimezone(ZoneInfo(timezone)).date()
