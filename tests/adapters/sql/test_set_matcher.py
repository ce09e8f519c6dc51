"""The set-based matcher finds what the pure one finds, on random data, on both databases."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import books_engine, reader
from adapters.sql.match.matcher import SetMatcher
from adapters.sql.schema.migrate import upgrade
from domain.matching.model import Expectation, Key, Pass, Piece, Tolerance
from domain.matching.passes import match
from domain.matching.result import Results

DAY = date(2026, 3, 10)
Of = TypeVar("Of", Expectation, Piece)
TEXTS = ("Anna Schmidt", "SCHMIDT, ANA", "Zhang Wei", "张伟", "")
_FEW = st.sampled_from
SCENES = (
    (Pass.END_TO_END,),
    (Pass.END_TO_END, Pass.BANK_REFERENCE),
    (Pass.BATCH,),
    (Pass.MANDATE,),
    (Pass.STRUCTURED, Pass.LOAN_REFERENCE),
    (Pass.VIRTUAL_ACCOUNT, Pass.LOAN_REFERENCE),
    (),
    (*Pass,)[:7],
)
"""Passes whose keys both sides have in one example: few, so that lines and money meet."""
days = st.integers(0, 4).map(lambda n: DAY + timedelta(days=n))
tolerances = st.builds(
    Tolerance, _FEW([0, 2, 2, 5]), st.integers(0, 3), _FEW([0, 80, 90]), st.booleans()
)
legs = _FEW([(), (), (), (("A1", 60), ("A2", 40)), (("A1", 100),)])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Expectation], list[Piece]]:
    """What is expected and what lines show, by a few keys and a few amounts."""
    passes = draw(_FEW(SCENES))
    amounts = _FEW(draw(_FEW([[100, 98], [100, 60, 40], [-50, -53, -55], [100, 99, 95, -100]])))
    key = st.builds(Key, _FEW(passes), _FEW(["A", "A", "B"])) if passes else st.nothing()
    mine = st.lists(key, max_size=3) if passes else st.just([])
    theirs = st.lists(key, max_size=3, unique_by=lambda one: one.of) if passes else st.just([])
    seldom = _FEW([False, False, False, True])
    currency = _FEW(["CNY"] * 7 + ["EUR"])
    expected = st.builds(
        Expectation,
        st.just(""),
        amounts,
        currency,
        days,
        days,
        theirs.map(tuple),
        legs,
        seldom,
        seldom,
        tolerances,
        _FEW(TEXTS),
    )
    shown = st.builds(
        Piece,
        st.just(""),
        _FEW(["A1", "A2"]),
        amounts,
        currency,
        days,
        mine.map(tuple),
        _FEW([None, None, 1, 2]),
        _FEW(TEXTS),
    )
    return draw(st.lists(expected, max_size=5)), draw(st.lists(shown, max_size=5))


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
            max_examples=250,
            deadline=None,
            # Examples are small: making them smaller would take minutes of statements.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(scenes(), days)
        def both(scene: tuple[list[Expectation], list[Piece]], today: date) -> None:
            expected, shown = scene
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
