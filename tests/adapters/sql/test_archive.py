"""The archive of files, on both databases: whole or not at all, once, in bounded memory."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read import archive as kept_by
from adapters.sql.read.archive import CHUNK_BYTES, SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import file_chunks
from domain.errors import InvalidInput, InvariantBroken
from ports.archive import Reached, StatementRecord
from ports.statementsource import SourceUnavailable
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock
from tests.support.unlocked import unlock

CONTENT = bytes(range(256)) * (CHUNK_BYTES // 256 * 2) + b"and a last short piece"
"""Two whole chunks and a short one."""
NAME = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def archive(engine: AsyncEngine, clock: StillClock) -> SqlArchive:
    """Give the archive of empty books."""
    return SqlArchive(engine, clock)


async def keep(archive: SqlArchive, content: bytes = CONTENT, size: int = 100_000) -> str:
    """Keep content that comes in parts of so many bytes."""
    return await archive.keep("statement", in_parts(content, size))


async def content_of(archive: SqlArchive, name: str) -> bytes:
    """All of a kept file."""
    async with archive.open(name) as source:
        return source.read()


async def chunks(engine: AsyncEngine) -> list[int]:
    """Sizes of all chunks that are there, in order."""
    size = func.length(file_chunks.c.content)
    async with engine.connect() as conn:
        rows = await conn.execute(select(size).order_by(file_chunks.c.position))
        return [int(found) for found in rows.scalars()]


@contextmanager
def dying(engine: AsyncEngine, words: str, after: int) -> Iterator[None]:
    """The database is lost at the statement that begins with these words, after so many of it."""
    left = [after]

    def on_execute(*seen: Any) -> None:
        if seen[2].startswith(words):
            left[0] -= 1
            if left[0] < 0:
                raise ConnectionError("lost")

    event.listen(engine.sync_engine, "before_cursor_execute", on_execute)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", on_execute)


@pytest.mark.parametrize("content", [CONTENT, CONTENT[:CHUNK_BYTES], b"one", b""])
async def test_a_file_comes_back_byte_for_byte_from_its_beginning(
    archive: SqlArchive, content: bytes
) -> None:
    """Whatever its size; twice from the start, for a reader looks at a file more than once."""
    name = await keep(archive, content)
    assert name == hashlib.sha256(content).hexdigest()
    async with archive.open(name) as source:
        assert source.read() == content
        source.seek(0)
        assert source.read() == content


async def test_a_file_is_kept_once_in_chunks_of_bounded_size(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    """In whatever parts it comes, and at the same time or later."""
    names = await asyncio.gather(keep(archive), keep(archive, size=CHUNK_BYTES * 9))
    assert [*names, await keep(archive, size=7_001)] == [NAME] * 3
    assert await chunks(engine) == [CHUNK_BYTES, CHUNK_BYTES, 22]
    assert await archive.kept([NAME, "0" * 64]) == {NAME: False}


def test_the_size_of_a_chunk_never_changes() -> None:
    """A later build may complete a file of which an earlier one has left the first chunks."""
    assert CHUNK_BYTES == 262_144


async def test_what_is_not_kept_cannot_be_opened(archive: SqlArchive) -> None:
    """It is a KeyError, not an empty file."""
    with pytest.raises(KeyError):
        await content_of(archive, "0" * 64)


async def test_an_upload_that_tears_leaves_nothing(
    archive: SqlArchive, engine: AsyncEngine
) -> None:
    """The bank hangs up in the third chunk: not a byte is in the books."""

    async def torn() -> AsyncIterator[bytes]:
        yield CONTENT[:-1]
        raise SourceUnavailable("readerror")

    with pytest.raises(SourceUnavailable):
        await archive.keep("statement", torn())
    assert await chunks(engine) == []
    assert await archive.kept([NAME]) == {}


@pytest.mark.parametrize(
    ("words", "left"), [("INSERT INTO file_chunks", 2), ("INSERT INTO files", 3)]
)
async def test_a_crash_leaves_nothing_that_looks_whole(
    archive: SqlArchive, engine: AsyncEngine, queries: SqlQueries, words: str, left: int
) -> None:
    """Between two chunks and before the file is there: it is not kept, and comes whole again."""
    with dying(engine, words, after=2 if "chunks" in words else 0), pytest.raises(ConnectionError):
        await keep(archive)
    assert len(await chunks(engine)) == left
    assert await archive.kept([NAME]) == {}
    with pytest.raises(KeyError):
        await content_of(archive, NAME)
    assert (await queries.verify()).faults == ()
    assert await keep(archive) == NAME
    assert await content_of(archive, NAME) == CONTENT
    assert len(await chunks(engine)) == 3


async def test_a_file_above_the_limit_is_refused_and_not_kept(
    archive: SqlArchive, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit it is kept; a byte more is refused by field, value and rule."""
    monkeypatch.setattr(kept_by, "FILE_BYTES_MOST", 1000)
    await keep(archive, b"x" * 1000)
    with pytest.raises(InvalidInput) as refused:
        await keep(archive, b"y" * 1001, size=10)
    assert str(refused.value) == "file: 'over 1000 bytes' is refused: at most 1000 bytes"
    assert await chunks(engine) == [1000]


SPOILT = {
    "sqlite": "zeroblob(5) || substr(content, 6)",
    "postgresql": "overlay(content placing 'x'::bytea from 5)",
}
"""A changed byte. What SQLite makes of it is text, and not even UTF-8."""
DAMAGES = {
    "a byte changed": "UPDATE file_chunks SET content = {spoilt} WHERE position = 1",
    "a chunk lost": "DELETE FROM file_chunks WHERE position = 1",
    "all chunks lost": "DELETE FROM file_chunks WHERE sha256 = '{name}'",
    "a chunk twice": """INSERT INTO file_chunks
        SELECT sha256, 3, content FROM file_chunks WHERE position = 2""",
    "two chunks swapped": "UPDATE file_chunks SET position = 7 - position WHERE position > 0",
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_a_finding_and_is_not_read(
    archive: SqlArchive, engine: AsyncEngine, queries: SqlQueries, damage: str
) -> None:
    """`acquit ledger verify` names it, and whoever opens it gets nothing of it."""
    await keep(archive, b"another file, which is whole")
    await keep(archive)
    sound = await queries.verify()
    assert (sound.faults, sound.kept) == ((), 2)
    await unlock(engine)
    statement = DAMAGES[damage].format(spoilt=SPOILT[engine.dialect.name], name=NAME)
    async with engine.begin() as conn:
        assert (await conn.exec_driver_sql(statement)).rowcount
    with pytest.raises(InvariantBroken, match=NAME):
        await content_of(archive, NAME)
    named = f"kept file {NAME} of {len(CONTENT)} bytes has another content"
    assert (await queries.verify()).faults == (named,)


async def test_a_size_that_is_not_the_files_is_a_finding(
    archive: SqlArchive, engine: AsyncEngine, queries: SqlQueries
) -> None:
    """The size beside the hash is compared as well."""
    await keep(archive)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE files SET size = 7"))
    named = f"kept file {NAME} of 7 bytes has another content"
    assert (await queries.verify()).faults == (named,)


async def test_keeping_opening_and_verifying_take_the_same_memory_for_any_file(
    archive: SqlArchive, engine: AsyncEngine, queries: SqlQueries
) -> None:
    """Eight times the file, and less than one file's worth of memory more."""
    await keep(archive, b"what is imported and compiled once")
    small, large = CONTENT, CONTENT * 8
    most: list[int] = []
    for content in (small, large):
        tracemalloc.start()
        name = await archive.keep("statement", in_parts(content, 65_536))
        async with archive.open(name) as source:
            assert source.read(1) == content[:1]
        assert (await queries.verify()).faults == ()
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < most[0] + len(small), most


async def test_a_reading_that_another_one_overtook_is_told(archive: SqlArchive) -> None:
    """Two workers on one file: only who knows how far it was may say how far it is."""
    await keep(archive)
    assert await archive.reached(NAME) is None
    first, second = Reached(0, 0), Reached(0, 1, known=3, again=((0, 0),))
    assert await archive.reach(NAME, None, first)
    assert not await archive.reach(NAME, None, second)
    assert await archive.reached(NAME) == first
    assert await archive.reach(NAME, first, second)
    assert not await archive.reach(NAME, first, second)
    assert await archive.reached(NAME) == second


async def test_a_file_is_read_with_the_last_of_its_statements(archive: SqlArchive) -> None:
    """Then nothing is left of its reading; a file of two statements is not read with the first."""
    await keep(archive)
    await archive.reach(NAME, None, Reached(1, 0))
    first = StatementRecord("S1", "A", "CNY", 1, date(2026, 3, 1), 0, 0, 0, NAME, ())
    last = StatementRecord("S2", "A", "CNY", 2, date(2026, 3, 2), 0, 0, 0, NAME, ())
    assert await archive.record_statement(first, ends_file=False)
    assert await archive.kept([NAME]) == {NAME: False}
    assert await archive.reached(NAME) == Reached(1, 0)
    assert await archive.record_statement(last, ends_file=True)
    assert await archive.kept([NAME]) == {NAME: True}
    assert await archive.reached(NAME) is None
