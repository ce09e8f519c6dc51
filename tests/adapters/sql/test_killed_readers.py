"""A worker is killed while it reads a file: the next one goes on at the page where it stopped."""

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from domain.statement.statement import LineItem, Statement, StatementLine
from tests.adapters.statements import camt_writer
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock
from tests.support.readerprocess import PAGE_LINES
from tests.support.tree import ROOT

DAY = date(2026, 3, 2)
LINES = 110
PAGES = 6
"""Of each of the two statements; on the last are half as many lines as on the others."""


def statement(name: str, opening: int) -> Statement:
    """A statement of payments that nobody expects; each has a twin on another of its pages."""
    lines = []
    for number in range(LINES):
        twin = number % (LINES // 2)
        item = LineItem(f"E-{twin}", None, None, 100 + twin)
        lines.append(
            StatementLine("", "A", DAY, DAY, 100 + twin, "CNY", None, items=(item,), text=name)
        )
    closing = opening + sum(line.amount_minor for line in lines)
    period = (DAY, DAY)
    return Statement(name, "A", "CNY", None, DAY, opening, closing, tuple(lines), period=period)


def two_statements() -> tuple[Statement, Statement]:
    """Two of one day, one after the other."""
    first = statement("S1", 0)
    assert first.closing_minor is not None
    return first, statement("S2", first.closing_minor)


async def read(url: str, sha256: str, log: Path, *words: str) -> int:
    """Read the file in a process of its own; its exit code."""
    program = ("-m", "tests.support.readerprocess", url, sha256, str(log), *words)
    child = await asyncio.create_subprocess_exec(
        sys.executable, *program, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(child.communicate(), 120)
    assert child.returncode in {0, -signal.SIGKILL}, said.decode()
    return child.returncode


@pytest.mark.timeout(170)
async def test_each_kill_costs_at_most_the_page_in_hand(
    books_url: str, engine: AsyncEngine, queries: SqlQueries, clock: StillClock, tmp_path: Path
) -> None:
    """Twice a page was booked and not remembered; every other page is booked once, and every line.

    Equal lines stand on both sides of where the readers died, in one statement and in the next:
    each of them is one booking.
    """
    archive = SqlArchive(engine, clock)
    first, second = two_statements()
    sha256 = await archive.keep("statement", in_parts(camt_writer.document(first, second), 9_000))
    log = tmp_path / "pages"
    kills = [("booked", "2"), ("remembered", "4"), ("booked", "3"), ("recorded", "1")]
    for where, count in kills:
        assert await read(books_url, sha256, log, where, count) == -signal.SIGKILL
    assert await archive.kept([sha256]) == {sha256: False}
    assert await read(books_url, sha256, log) == 0
    handed = log.read_text(encoding="utf-8").splitlines()
    # Remembered is not the last page of a file, which one more reader had in hand when it was
    # killed among the records of the statements.
    in_hand = sum(1 for where, _ in kills if where in {"booked", "recorded"})
    assert len(handed) == 2 * PAGES + in_hand
    assert len(set(handed)) == 2 * PAGES
    assert await archive.kept([sha256]) == {sha256: True}
    assert await archive.reached(sha256) is None
    records = await archive.statements("A")
    assert sorted((record.statement_id, record.lines) for record in records) == [
        ("S1", LINES),
        ("S2", LINES),
    ]
    assert [record.faults for record in records] == [(), ()]
    booked = {balance.account: balance.minor for balance in (await queries.balances("bank/")).items}
    assert booked == {"bank/A": second.closing_minor}
    assert (await queries.counts())["commands"]["book_line"] == 2 * LINES
    assert (await queries.verify()).faults == ()
    assert PAGE_LINES * PAGES >= LINES > PAGE_LINES * (PAGES - 1)


@pytest.mark.timeout(170)
async def test_a_kill_before_the_controls_are_judged_costs_no_case(
    books_url: str, engine: AsyncEngine, queries: SqlQueries, clock: StillClock, tmp_path: Path
) -> None:
    """Every statement is recorded and nothing judged: the next reader opens the case, once."""
    archive = SqlArchive(engine, clock)
    first, second = two_statements()
    torn = replace(second, closing_minor=7)
    sha256 = await archive.keep("statement", in_parts(camt_writer.document(first, torn), 9_000))
    log = tmp_path / "pages"
    assert await read(books_url, sha256, log, "recorded", "2") == -signal.SIGKILL
    assert [case.kind for case in (await queries.cases()).items if "statement" in case.kind] == []
    for _ in range(2):
        assert await read(books_url, sha256, log) == 0
        kinds = [case.kind for case in (await queries.cases()).items if "statement" in case.kind]
        assert kinds == ["statement_unbalanced"]
    assert (await queries.counts())["commands"]["book_line"] == 2 * LINES
