"""Reading a file takes no more memory if it is larger: a page of it at a time."""

import tracemalloc
from collections.abc import Sequence
from datetime import date

import pytest
from temporalio.testing import ActivityEnvironment

from activities.statements import StatementActivities, StatementOrder
from adapters.sql.engine import books_engine
from adapters.sql.read import archive as archived
from adapters.sql.read.archive import SqlArchive
from adapters.sql.schema.migrate import upgrade
from adapters.statements.anyfile import StatementFileReader
from domain.kernel.change import Applied, Done, Refused
from domain.statement.statement import Statement, StatementLine
from tests.adapters.statements import camt_writer
from tests.fakes.bulk import FakeLedger
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock
from tests.support.doors import AnyCommand

DAY = date(2026, 3, 2)
FEW, MANY = 500, 10_000
"""Lines; the smaller file fills several pages, and several of the small chunks set below."""


class Forgetful(FakeLedger):
    """Books that take everything and keep nothing."""

    async def apply_many(
        self, commands: Sequence[AnyCommand]
    ) -> Sequence[Applied | Refused | Exception]:
        return [Applied(Done())] * len(commands)


def file_of(lines: int) -> bytes:
    """A statement of so many lines, each unlike all others."""
    booked = tuple(
        StatementLine("", "A", DAY, DAY, 100, "CNY", f"R{number}") for number in range(lines)
    )
    statement = Statement(
        f"S{lines}", "A", "CNY", None, DAY, 0, 100 * lines, booked, period=(DAY, DAY)
    )
    return camt_writer.document(statement)


async def test_a_file_of_twenty_times_the_lines_takes_the_same_memory(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept, opened, surveyed and booked: neither content nor lines nor their ids are gathered."""
    monkeypatch.setattr(archived, "CHUNK_BYTES", 8_192)
    await upgrade(sqlite_url)
    engine, clock = books_engine(sqlite_url), StillClock()
    archive = SqlArchive(engine, clock)
    activities = StatementActivities(archive, StatementFileReader(page_lines=50), Forgetful())
    most: list[int] = []
    for lines in (FEW, FEW, MANY):
        content = file_of(lines)
        tracemalloc.start()
        sha256 = await archive.keep("statement", in_parts(content, 8_192))
        booked = await ActivityEnvironment().run(activities.book, StatementOrder("t1", sha256))
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert booked.lines == lines
    await engine.dispose()
    _, few, many = most
    assert many < 2 * few, most
