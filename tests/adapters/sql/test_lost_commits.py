"""A connection that breaks, also in the middle of a commit, leaves each command applied once."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from tests.support.booksbench import StillClock, intend, order_of, present, roll
from tests.support.lostcommit import LoseCommit, commit_proxy
from tests.support.memory import RULES, board

DUE = date(2026, 3, 10)


@pytest.mark.parametrize("after", [True, False], ids=["committed", "not committed"])
async def test_an_unknown_commit_is_resolved_by_the_command_id(
    engine: AsyncEngine, queries: SqlQueries, clock: StillClock, after: bool
) -> None:
    """Whether or not it took effect, the caller gets one answer, as new, and one effect exists."""
    async with SqlBooks(engine, clock, RULES) as books:
        action = await present(books, queries, clock, "L1")
        lost = LoseCommit(engine, after=after)
        result = await intend(books, "L1", 1, action)
        assert lost.left == 0
        assert isinstance(result, Applied)
        assert not result.replayed
        order_no = order_of(result)
    assert (await queries.counts())["attempts"] == {"INTENDED": 1}
    loan = await queries.loan("L1")
    assert loan is not None
    assert [attempt.order_no for _, attempt in loan.attempts()] == [order_no]
    assert (await queries.verify()).faults == ()


async def test_of_two_tries_of_one_command_only_one_is_answered_that_it_is_new(
    engine: AsyncEngine, queries: SqlQueries, clock: StillClock
) -> None:
    """Two tries wait in one group whose commit is in doubt: one may send the order, not both."""
    async with SqlBooks(engine, clock, RULES) as books:
        action = await present(books, queries, clock, "L1")
        lost = LoseCommit(engine, after=True)
        both = await asyncio.gather(intend(books, "L1", 1, action), intend(books, "L1", 1, action))
        assert lost.left == 0
        assert (books.counters.groups, books.counters.commits) == (3, 2)
    assert {order_of(result) for result in both} == {order_of(both[0])}
    assert [result.replayed for result in both] == [False, True]


async def test_a_database_that_stays_away_is_reported_to_the_caller(
    engine: AsyncEngine, queries: SqlQueries, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After bounded tries the command fails with its id unused, and the same id works later."""
    monkeypatch.setattr("adapters.sql.write.writer.LOST_MAX", 3)
    async with SqlBooks(engine, clock, RULES) as books:
        lost = LoseCommit(engine, after=False, times=3)
        with pytest.raises(ConnectionError):
            await books.apply(board())
        assert lost.left == 0
        assert await queries.loan("L1") is None
        again = await books.apply(board())
    assert isinstance(again, Applied)
    assert not again.replayed


@pytest.mark.parametrize("forward", [True, False], ids=["committed", "not committed"])
async def test_a_line_cut_at_commit_is_mended_on_postgres(
    postgres_url: str, clock: StillClock, forward: bool
) -> None:
    """The wire is really cut while COMMIT passes: the answer is found, or the work done again."""
    await upgrade(postgres_url)
    address = make_url(postgres_url)
    async with commit_proxy(address.host or "", address.port or 0) as proxy:
        host, port = proxy.address
        engine = books_engine(
            address.set(host=host, port=port).render_as_string(hide_password=False)
        )
        queries = SqlQueries(engine, clock, RULES)
        async with SqlBooks(engine, clock, RULES) as books:
            await books.apply(board())
            proxy.forward, proxy.armed = forward, 1
            clock.to(DUE)
            result = await books.apply(roll("L1", DUE))
            assert proxy.cuts == 1
            assert isinstance(result, Applied)
            assert not result.replayed
        report = await queries.verify()
        await engine.dispose()
    assert report.faults == ()
    assert report.entries == 1


async def test_killed_backends_are_replaced_on_postgres(
    postgres_url: str, clock: StillClock
) -> None:
    """An administrator who ends every session in the middle of work loses and doubles nothing."""
    await upgrade(postgres_url)
    engine, admin = books_engine(postgres_url), books_engine(postgres_url)
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    names = [f"L{index}" for index in range(40)]
    async with SqlBooks(engine, clock, RULES, group_max=2) as books:
        work = asyncio.ensure_future(books.apply_many([board(name) for name in names]))
        for _ in range(3):
            await asyncio.sleep(0.05)
            async with admin.begin() as conn:
                await conn.execute(kill)
        results = await work
        assert all(isinstance(result, Applied) for result in results), results
    queries = SqlQueries(engine, clock, RULES)
    report = await queries.verify()
    assert (await queries.counts())["commands"] == {"board_loan": 40}
    await engine.dispose()
    await admin.dispose()
    assert report.faults == ()
    assert report.transitions == 160, "three installments and a mandate of each loan"
