"""One hot account: everybody books on the same balances and the same chain, as fast as they can.

Each command confirms a debit of another loan; all of them move the same clearing account and hang
on the same hash chain. `grouped` is the door as it is; `one by one` is the same door with one
command in each transaction; `plain loop` is what one writes without Acquit: a transaction of
SQLAlchemy for each entry, with the chain, and with no decision, idempotency or outbox.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine, is_postgres
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import GROUP_MAX, SqlBooks
from benchmarks.harness import Report, Sample, percentile, rounds, stretch
from benchmarks.plainloop import book_plainly, hot_entry
from benchmarks.world import INTEREST, OPEN_RAIL, PRINCIPAL, RULES, SILENT, loan
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Applied
from domain.kernel.command import Actor, Command
from domain.loan.change import Ordered
from domain.loan.commands import IntendDebit, RecordOutcome
from sandbox.postgres import LocalPostgres
from workers.clock import WallClock

Do = Callable[[int], Awaitable[None]]
LEVELS = (8, 64, 256)
_DEBIT = PRINCIPAL + INTEREST
_CLEARING = f"clearing/{OPEN_RAIL.name}"
_DRIVER, _BANK = Actor("workflow", "installment"), Actor("rail", OPEN_RAIL.name)


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--commands", type=int, default=512, help="of each contestant")
    parser.add_argument("--levels", type=int, nargs="+", default=LEVELS, help="in flight")
    parser.add_argument("--databases", nargs="+", default=("postgres", "sqlite"))


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match the three on each database at each level."""
    count = report.size(options.commands, 16)
    report.note(f"{count} commands for each contestant and round; PostgreSQL with fsync")
    with tempfile.TemporaryDirectory() as scratch:
        async with LocalPostgres(os.environ, durable=True) as postgres:
            report.note(f"PostgreSQL {postgres.version}")
            for database in options.databases:
                for level in options.levels if not report.quick else (8,):
                    await _match(report, database, level, count, Path(scratch), postgres)


async def _match(
    report: Report, database: str, level: int, count: int, scratch: Path, postgres: LocalPostgres
) -> None:
    async def url(name: str) -> str:
        if database == "postgres":
            return await postgres.create_database()
        return f"sqlite:///{scratch / f'{name}-{level}.db'}"

    async with (
        _door(await url("grouped"), GROUP_MAX) as grouped,
        _door(await url("single"), 1) as single,
        _plain(await url("plain"), level) as plain,
    ):
        done = await rounds(
            {
                "grouped": lambda: grouped.sample(count, level),
                "one by one": lambda: single.sample(count, level),
                "plain loop": lambda: plain.sample(count, level),
            },
            report.rounds,
            report.say,
        )
    report.match(f"Hot account on {database}, {level} in flight", done, "one by one", "commands")


class _Contestant(ABC):
    """Books as many confirmations as it is asked for; then its books are proven."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._queries = SqlQueries(engine, WallClock(), RULES)
        self._runs = 0
        self._booked = 0

    @abstractmethod
    async def prepare(self, names: Sequence[str]) -> Do:
        """Whatever must be there before the clock runs; gives how to book number n."""

    def counted(self) -> dict[str, float]:
        """Counters so far."""
        return {}

    async def sample(self, count: int, level: int) -> Sample:
        """Book `count` with `level` clients, each of which waits for its answer."""
        self._runs += 1
        do = await self.prepare([f"R{self._runs}-{number:06d}" for number in range(count)])
        took, left, before = list[float](), iter(range(count)), self.counted()

        async def client() -> None:
            for number in left:
                began = time.perf_counter()
                await do(number)
                took.append(time.perf_counter() - began)

        with stretch() as whole:
            await asyncio.gather(*(client() for _ in range(level)))
        self._booked += count
        more = {
            "p50, ms": 1000 * percentile(took, 50),
            "p99, ms": 1000 * percentile(took, 99),
            **{name: (now - before[name]) / count for name, now in self.counted().items()},
        }
        return Sample(count, whole.seconds, whole.cpu, more, await self._faults())

    async def _faults(self) -> str:
        """The chain is whole, and the hot account holds every debit."""
        chain = await self._queries.verify()
        if chain.faults:
            return chain.faults[0]
        balances = (await self._queries.balances(_CLEARING)).items
        held = sum(balance.minor for balance in balances)
        wanted = self._booked * _DEBIT
        return "" if held == wanted else f"{_CLEARING} holds {held}, not {wanted}"


class _Door(_Contestant):
    """Through Acquit's own write path."""

    def __init__(self, engine: AsyncEngine, group_max: int) -> None:
        super().__init__(engine)
        self._books = SqlBooks(engine, WallClock(), RULES)
        self._group_max = group_max

    async def prepare(self, names: Sequence[str]) -> Do:
        """Loans whose debit is intended; the writer knows them, as in production."""
        today = datetime.now(UTC).date()
        self._books._group_max = GROUP_MAX  # noqa: SLF001  (what is not measured is done in bulk)
        await applied(self._books, [loan(name, today, product=SILENT) for name in names])
        answers = await applied(self._books, [intent(name) for name in names])
        commands = [confirmation(answer) for answer in answers]
        self._books._group_max = self._group_max  # noqa: SLF001

        async def do(number: int) -> None:
            await self._books.apply(commands[number])

        return do

    def counted(self) -> dict[str, float]:
        """What the writer did."""
        counters = self._books.counters
        return {"commits": float(counters.commits), "statements": float(counters.statements)}

    async def close(self) -> None:
        """Stop the writer."""
        await self._books.close()


class _Plain(_Contestant):
    """Without Acquit."""

    async def prepare(self, names: Sequence[str]) -> Do:
        """Nothing but the entries."""
        postgres, today = is_postgres(self._engine), datetime.now(UTC).date()

        async def do(number: int) -> None:
            entry = hot_entry(names[number], _CLEARING, _DEBIT, today)
            await book_plainly(self._engine, f"plain/{names[number]}", entry, postgres=postgres)

        return do


@asynccontextmanager
async def _door(url: str, group_max: int) -> AsyncIterator[_Door]:
    await upgrade(url)
    engine = books_engine(url)
    made = _Door(engine, group_max)
    yield made
    await made.close()
    await engine.dispose()


@asynccontextmanager
async def _plain(url: str, level: int) -> AsyncIterator[_Plain]:
    await upgrade(url)
    engine = books_engine(url, pool_size=min(level, 20))
    yield _Plain(engine)
    await engine.dispose()


async def applied(books: SqlBooks, commands: Sequence[Command]) -> list[Applied]:
    """Apply commands in bulk and give the answers; none of them may be refused."""
    answers = []
    for answer in await books.apply_many(commands):
        if not isinstance(answer, Applied):
            raise TypeError(f"not applied: {answer}")
        answers.append(answer)
    return answers


def intent(name: str) -> IntendDebit:
    """Order the first debit of a loan."""
    return IntendDebit(
        id=f"intend/{name}",
        actor=_DRIVER,
        loan_id=name,
        number=1,
        action="present/1",
    )


def confirmation(answer: Applied) -> RecordOutcome:
    """The rail took what was ordered."""
    if not isinstance(answer.answer, Ordered):
        raise TypeError(f"nothing was ordered: {answer}")
    order = answer.answer.order
    return RecordOutcome(
        id=f"outcome/{order.order_no}",
        actor=_BANK,
        rail=OPEN_RAIL.name,
        order_no=order.order_no,
        outcome=Outcome(OutcomeClass.SUCCESS, "00", order.amount_minor, f"B-{order.order_no}"),
        source="answer",
    )
