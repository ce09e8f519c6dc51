"""Applies a group of commands in one transaction; tries again, or one by one, when that fails."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from time import perf_counter
from types import MappingProxyType

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.faults import Fault, fault_of
from adapters.sql.write.cache import LoanCache
from adapters.sql.write.deciding import Domain, decide_all
from adapters.sql.write.further import Further
from adapters.sql.write.loading import load
from adapters.sql.write.observer import Commit, Observer, Origin, attempt_moves
from adapters.sql.write.payables import look_at
from adapters.sql.write.previewing import as_previewed, watched
from adapters.sql.write.unit import Counters, Unit
from adapters.sql.write.workset import Workset
from adapters.sql.write.writing import write
from domain.access.preview import Preview
from domain.errors import InvariantBroken
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command
from domain.loan.aggregate import Rulebook
from domain.loan.change import Lacks
from ports.clock import Clock

Result = Applied | Refused | Exception

AGAIN_MAX = 8
"""Deadlocks and lock time-outs of one group before its callers get the error."""
LOST_MAX = 7
"""Lost connections of one group before its callers get the error: about seven seconds."""
RACE_MAX = 2
"""Duplicate keys of one group before it is taken apart: the second try sees who was first."""
WIDER_MAX = 8
"""Times that one group is loaded anew with more mandates and accounts; two are usual."""
_FIRST_WAIT_S = 0.05


class GroupWriter:
    """Writes groups of commands to the database; used by one task at a time."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        rules: Rulebook,
        domain: Domain,
        zone: tzinfo,
        observer: Observer | None = None,
    ) -> None:
        self.counters = Counters()
        self._engine = engine
        self._postgres = is_postgres(engine)
        self._clock = clock
        self._rules = rules
        self._domain = domain
        self._zone = zone
        self._cache = LoanCache()
        self._observer = observer
        self._origins: Mapping[str, Origin] = {}
        self._by_drivers: frozenset[str] = frozenset()
        self._deciding = domain
        self._further = Further()

    async def answer(
        self,
        commands: Sequence[Command],
        origins: Mapping[str, Origin],
        by_drivers: frozenset[str] = frozenset(),
        expected: Mapping[str, str] = MappingProxyType({}),
    ) -> list[Result]:
        """Apply a group; one result for each command, whatever happens to the others.

        `origins`: by command id, the traces that messages of these commands are to carry.
        `by_drivers`: ids of those that came in by the door of drivers.
        `expected`: by command id, digests of previews; see `as_previewed`.
        """
        self._deciding = as_previewed(self._domain, expected)
        self._origins, self._by_drivers, self._further = origins, by_drivers, Further()
        self.counters.groups += 1
        self.counters.commands += len(commands)
        return _reported_once(commands, await self._attempt(commands, set()))

    async def preview(self, command: Command) -> Preview | Result:
        """What a command would change; the answer that it would get where it changes nothing."""
        seen: dict[str, Preview] = {}
        (result,) = await self.rehearse([command], watched(self._domain, seen))
        if isinstance(result, Applied) and not result.replayed:
            return seen.get(command.id, result)
        return result

    async def rehearse(
        self, commands: Sequence[Command], domain: Domain | None = None
    ) -> list[Result]:
        """What the commands would be answered by the books as they are; nothing is written."""
        further = Further()
        for _ in range(WIDER_MAX):
            try:
                return await self._rehearse(commands, further, domain or self._domain)
            except Lacks as lacks:
                further.look_at(lacks)
        raise InvariantBroken(f"{len(commands)} commands look at ever more mandates")

    async def _rehearse(
        self, commands: Sequence[Command], further: Further, domain: Domain
    ) -> list[Result]:
        async with self._engine.connect() as conn:
            transaction = await conn.begin()
            unit = Unit(conn, self._postgres, Counters())
            work = Workset(self._clock.now(), self._zone, self._rules, "rehearsal", further=further)
            await load(unit, work, commands, LoanCache())
            results = await decide_all(
                work, commands, domain, frozenset(), partial(look_at, unit, work)
            )
            await transaction.rollback()
        return results

    async def _attempt(self, commands: Sequence[Command], mine: set[str]) -> list[Result]:
        """Try a group, again where that may help, and at last its commands one by one.

        `mine` collects the names of writes that may or may not have been committed.
        """
        met: dict[Fault, int] = dict.fromkeys(Fault, 0)
        limits = {
            Fault.AGAIN: AGAIN_MAX,
            Fault.LOST: LOST_MAX,
            Fault.RACE: RACE_MAX,
            Fault.WIDER: WIDER_MAX,
        }
        while True:
            name = uuid.uuid4().hex
            try:
                return await self._transact(commands, name, frozenset(mine))
            except Exception as error:  # noqa: BLE001  (sorted by what it means, never dropped)
                fault = fault_of(error)
                met[fault] += 1
                if isinstance(error, Lacks):
                    self._further.look_at(error)
                self._cache.clear()
                if fault is Fault.LOST:
                    mine.add(name)
                if met[fault] >= limits.get(fault, 1):
                    return await self._take_apart(commands, mine, error, fault)
            self.counters.retries += 1
            if fault is not Fault.WIDER:
                await asyncio.sleep(_FIRST_WAIT_S * 2 ** (met[fault] - 1))

    async def _take_apart(
        self, commands: Sequence[Command], mine: set[str], error: Exception, fault: Fault
    ) -> list[Result]:
        if fault in {Fault.LOST, Fault.AGAIN}:
            # Nothing is wrong with the commands; one by one they would wait as long again, each.
            gone = ConnectionError("the books are away or busy; apply again with the same id")
            gone.__cause__ = error
            return [gone for _ in commands]
        if len(commands) > 1:
            return [(await self._attempt([command], mine))[0] for command in commands]
        if fault is Fault.RACE:
            command = commands[0]
            broken = InvariantBroken(f"{command.kind} {command.id} breaks a key of the books")
            broken.__cause__ = error
            return [broken]
        return [error]

    async def _transact(
        self, commands: Sequence[Command], name: str, mine: frozenset[str]
    ) -> list[Result]:
        began = perf_counter()
        async with self._engine.connect() as conn:
            transaction = await conn.begin()
            unit = Unit(conn, self._postgres, self.counters)
            work = Workset(
                self._clock.now(),
                self._zone,
                self._rules,
                name,
                origins=self._origins,
                by_drivers=self._by_drivers,
                further=self._further,
            )
            await load(unit, work, commands, self._cache)
            looking = partial(look_at, unit, work)
            results = await decide_all(work, commands, self._deciding, mine, looking)
            if not work.written:
                await transaction.rollback()
                return results
            try:
                held = await write(unit, work, self._domain)
            except IntegrityError:
                # Another loan may have the number of a new order: the next try looks it up.
                self._further.orders |= work.new_orders()
                raise
            try:
                await transaction.commit()
            except BaseException:
                # What this connection holds is not known any more; the pool must not see it again.
                await conn.invalidate()
                raise
        self.counters.commits += 1
        self.counters.messages += len(work.messages)
        if self._observer is not None:
            moves = tuple(attempt_moves(work))
            self._observer.committed(Commit(perf_counter() - began, len(commands), moves))
        for item in held:
            self._cache.put(item)
        return results


def _reported_once(commands: Sequence[Command], results: Sequence[Result]) -> list[Result]:
    """Results in which only the first of several tries of one command gets an answer as new.

    After a commit in doubt each of them finds the write of its own group; without this, two would
    send the same order.
    """
    reported: set[str] = set()
    answers: list[Result] = []
    for command, result in zip(commands, results, strict=True):
        if isinstance(result, Exception):
            answers.append(result)
        else:
            answers.append(replace(result, replayed=True) if command.id in reported else result)
            reported.add(command.id)
    return answers
