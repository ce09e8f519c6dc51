"""The activity of every few minutes that looks after statements: new files, overdue ones, cases."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from temporalio import activity

from activities.collecting import FAULTS_MOST, Collected, Collector
from activities.matching import LineMatching
from activities.shielded import heartbeats
from activities.statementcontrols import StatementControls
from activities.statementrecord import read_of
from domain.statement.expected import Expected
from ports.archive import Archive
from ports.clock import Clock


@dataclass(frozen=True, slots=True)
class WatchOrder:
    """Look after the statements of a tenant."""

    tenant: str


@dataclass(frozen=True, slots=True)
class Watched:
    """Files on offer and started to be read, cases opened or ended, and what could not be done.

    `matched`: matches of lines that waited.
    """

    offered: int = 0
    started: int = 0
    cases: int = 0
    faults: tuple[str, ...] = ()
    matched: int = 0


class StatementWatch:
    """Looks at folders and servers, and at what the statements of every account lack.

    Args:
        collector: of files.
        controls: over statements.
        archive: where statements are known.
        clock: says what is overdue.
        watched: accounts whose sources are looked at.
        accounts: all accounts whose controls are judged.
        expected: by account, by when its statements have to be there.
        matching: looks for matches of what waits, since news of other money may explain it.
    """

    def __init__(
        self,
        collector: Collector,
        controls: StatementControls,
        archive: Archive,
        clock: Clock,
        watched: Sequence[str],
        accounts: Sequence[str],
        expected: Mapping[str, Expected],
        matching: LineMatching | None = None,
    ) -> None:
        self._collector, self._controls = collector, controls
        self._archive, self._clock = archive, clock
        self._watched, self._accounts, self._expected = watched, accounts, expected
        self._matching = matching

    @activity.defn(name="statements.watch")
    async def watch(self, order: WatchOrder) -> Watched:
        """Take what is new, then judge what is known. An account that fails holds up no other."""
        done = Watched()
        async with heartbeats() as life:
            for account in self._watched:
                done = await self._collect(order.tenant, account, done)
                life.report(account)
            for account in sorted({*self._accounts, *self._expected}):
                done = await self._judged(account, done)
                life.report(account)
            return await self._matched(done)

    async def _matched(self, done: Watched) -> Watched:
        """Match what waits; a run that fails is a fault, and the next look tries again."""
        if self._matching is None:
            return done
        try:
            found = await self._matching.match()
        except Exception:  # noqa: BLE001  (files and controls were looked at all the same)
            return _failed(done, "all accounts", "what waits on lines")
        return replace(done, matched=found.ordered)

    async def _collect(self, tenant: str, account: str, done: Watched) -> Watched:
        try:
            found = await self._collector.collect(
                tenant, account, self._clock.now().date(), Collected()
            )
        except Exception:  # noqa: BLE001  (one account that fails holds up no other)
            return _failed(done, account, "its files")
        return replace(
            done,
            offered=done.offered + found.offered,
            started=done.started + found.started,
            faults=(*done.faults, *found.faults)[:FAULTS_MOST],
        )

    async def _judged(self, account: str, done: Watched) -> Watched:
        looks: list[tuple[str, Callable[[], Awaitable[int]]]] = [
            ("its controls", lambda: self._controls.look(account)),
            ("what is overdue", lambda: self._overdue(account)),
        ]
        for what, look in looks:
            try:
                moved = await look()
            except Exception:  # noqa: BLE001  (one account that fails holds up no other)
                done = _failed(done, account, what)
            else:
                done = replace(done, cases=done.cases + moved)
        return done

    async def _overdue(self, account: str) -> int:
        """Open and end the cases of days of which a statement is overdue; how many."""
        expected = self._expected.get(account)
        if expected is None:
            return 0
        now = self._clock.now()
        heads = [read_of(record).head for record in await self._archive.statements(account)]
        first, last = expected.looked_at(now)
        return await self._controls.expect(account, expected.overdue(heads, now), first, last)


def _failed(done: Watched, account: str, what: str) -> Watched:
    activity.logger.exception("account %s: %s could not be looked at", account, what)
    faults = (*done.faults, f"{account}: {what} could not be looked at; the log says why")
    return replace(done, faults=faults[:FAULTS_MOST])
