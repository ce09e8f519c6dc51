"""The set-based matcher finds what the pure one finds, on random data, on both databases."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import books_engine, reader
from adapters.sql.match.matcher import SetMatcher
from adapters.sql.schema.migrate import upgrade
from domain.matching.model import Expectation, Key, Pass, Piece, Tolerance
from domain.matching.passes import match
from domain.matching.result import Results

DAY = date(2026, 3, 10)
KEYED = (*Pass,)[:7]
Of = TypeVar("Of", Expectation, Piece)
TEXTS = (
    "Anna Schmidt",
    "Anna Schmitt",
    "SCHMIDT, ANA",
    "Zhang Wei",
    "张伟",
    "",
    "Annabel Schmidtke",
)
_FEW = st.sampled_from
amounts = _FEW([100, 100, 99, 98, 60, 40, 200, -100, -103, -50])
days = st.integers(0, 4).map(lambda n: DAY + timedelta(days=n))
keys = st.lists(
    st.builds(Key, _FEW(KEYED), _FEW(["A", "B", "C"])), max_size=4, unique_by=lambda key: key.of
)
tolerances = st.builds(
    Tolerance, _FEW([0, 0, 2, 5]), st.integers(0, 3), _FEW([0, 80, 90]), st.booleans()
)
legs = _FEW([(), (), (("A1", 60), ("A2", 40)), (("A1", 100),)])
any_expectation = st.builds(
    Expectation,
    st.just(""),
    amounts,
    _FEW(["CNY", "CNY", "CNY", "EUR"]),
    days,
    days,
    keys.map(tuple),
    legs,
    _FEW([False, False, False, True]),
    _FEW([False, False, False, True]),
    tolerances,
    _FEW(TEXTS),
)
any_piece = st.builds(
    Piece,
    st.just(""),
    _FEW(["A1", "A2"]),
    amounts,
    _FEW(["CNY", "CNY", "CNY", "EUR"]),
    days,
    st.lists(st.builds(Key, _FEW(KEYED), _FEW(["A", "B", "C"])), max_size=4).map(tuple),
    _FEW([None, None, 1, 2]),
    _FEW(TEXTS),
)


def numbered(several: list[Of]) -> list[Of]:
    """The same under ids of their own, which decide nothing but the names of groups."""
    return [replace(it, id=f"{type(it).__name__}-{at}") for at, it in enumerate(several)]


async def by_sets(
    conn: AsyncConnection, expected: list[Expectation], pieces: list[Piece], today: date
) -> Results:
    """What the set-based matcher finds."""
    matcher = SetMatcher(conn)
    await matcher.open()
    await matcher.expect(expected)
    await matcher.show(pieces)
    await matcher.match(today)
    lines = {name: result async for name, result in matcher.lines()}
    found = {name: result async for name, result in matcher.expectations()}
    return Results(lines, found)


async def _connected(engine: AsyncEngine) -> AsyncConnection:
    return await reader(engine).connect()


def test_it_finds_what_the_pure_matcher_finds(books_url: str) -> None:
    """Whatever is expected and whatever lines show, both matchers say the same of each."""
    with asyncio.Runner() as runner:
        runner.run(upgrade(books_url))
        engine = books_engine(books_url)
        conn = runner.run(_connected(engine))

        @settings(
            max_examples=100,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(st.lists(any_expectation, max_size=7), st.lists(any_piece, max_size=7), days)
        def both(expected: list[Expectation], shown: list[Piece], today: date) -> None:
            wanted = numbered(expected)
            pieces = numbered(shown)
            pure = match(wanted, pieces, today)
            for result in pure.lines.values():
                event(f"{result.status}, {result.by}")
            assert runner.run(by_sets(conn, wanted, pieces, today)) == pure

        both()
        runner.run(SetMatcher(conn).close())
        runner.run(conn.close())
        runner.run(engine.dispose())
