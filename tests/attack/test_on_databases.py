"""The attack on both databases: what rival writers commit is what the decisions gave in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import text

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.audit import FindingKind
from domain.kernel.change import Refusal
from domain.ledger.entry import Entry
from domain.loan.change import Change
from tests.attack.findings import Finding
from tests.attack.histories import History
from tests.attack.machine import Attack
from tests.support.booksbench import StillClock
from tests.support.doors import AnyCommand
from tests.support.memory import RULES

WRITERS, EACH = 3, 5
Step = tuple[datetime, AnyCommand, Change | Refusal | None]
KILL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def _played(seed: int) -> Attack:
    """An attack in memory under ids of its own; it ends where it finds something."""
    drawn = History.drawn(seed, avoid=frozenset({"same"}))
    setup = replace(drawn.setup, name=f"H{seed}", lead=0, same_amount=False)
    attack = Attack(setup)
    with suppress(Finding):  # other tests judge it; here its commands are of interest
        History(setup, drawn.steps).run_on(attack)
    return attack


def _steps(attack: Attack) -> Iterator[Step]:
    return (step for step in attack.trace if not isinstance(step, str))


async def _play(url: str, attacks: Sequence[Attack]) -> int:
    """Give the commands of attacks to the books, one by one; how many answers differ."""
    engine, clock, differ = books_engine(url), StillClock(), 0
    async with SqlBooks(engine, clock, RULES) as books:
        for attack in attacks:
            for at, command, change in _steps(attack):
                if change is None:
                    continue
                clock.at = at
                answer = (await books.apply(command)).kind
                differ += answer != ("refused" if isinstance(change, Refusal) else "applied")
    await engine.dispose()
    return differ


def _balances(entries: Sequence[Entry]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for entry in entries:
        for posting in entry.postings:
            key = (posting.account, posting.currency)
            sums[key] = sums.get(key, 0) + posting.minor
    return {key: minor for key, minor in sums.items() if minor}


@asynccontextmanager
async def _ending_sessions(url: str) -> AsyncIterator[None]:
    """End every session of a PostgreSQL database now and then, as an administrator can."""
    admin = books_engine(url)

    async def end() -> None:
        for _ in range(5):
            await asyncio.sleep(0.4)
            async with admin.begin() as conn:
                await conn.execute(KILL)

    task = asyncio.create_task(end())
    try:
        yield
    finally:
        await task
        await admin.dispose()


@asynccontextmanager
async def _in_peace(_: str) -> AsyncIterator[None]:
    yield


@pytest.fixture(params=["sqlite", "postgres"])
def books_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


async def test_rival_writers_commit_what_was_decided(books_url: str) -> None:
    """Histories played at once by several writers end with the balances that they have in memory.

    And whatever happened in them, everything holds that an audit of books alone asks for.

    On PostgreSQL every session is ended several times meanwhile.
    """
    await upgrade(books_url)
    groups = [[_played(WRITERS * i + w) for i in range(EACH)] for w in range(WRITERS)]
    trouble = _ending_sessions if books_url.startswith("postgres") else _in_peace
    async with trouble(books_url):
        differ = await asyncio.gather(*(_play(books_url, group) for group in groups))
    assert differ == [0] * WRITERS
    entries = [entry for group in groups for attack in group for entry in attack.books.entries]
    engine = books_engine(books_url)
    queries = SqlQueries(engine, StillClock(), RULES)
    booked = {(b.account, b.currency): b.minor for b in (await queries.balances()).items if b.minor}
    report = await queries.verify()
    latest = max(at for group in groups for attack in group for at, _, _ in _steps(attack))
    audited = await SqlSelfAudit(engine, StillClock(latest), RULES).audit()
    await engine.dispose()
    assert report.faults == ()
    assert len(entries) > WRITERS * EACH
    assert booked == _balances(entries)
    # Shares that a party is still to be paid keep what is paid from closing.
    assert set(audited.found.counts) <= {FindingKind.PAID_NOT_CLOSED}, audited.findings
