"""What can be foreseen of a database is said in one line, and evidence is read without a trace."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from adapters.sql import engine as engines
from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.trouble import trouble_of
from adapters.sql.write.books import SqlBooks
from domain.errors import InvalidInput
from tests.support.booksbench import StillClock
from tests.support.memory import RULES, board


async def _error_of(url: str) -> BaseException:
    engine = books_engine(url)
    try:
        async with engine.connect() as conn:
            await conn.execute(text("SELECT seq FROM chain_head"))
    except Exception as error:  # noqa: BLE001  (what it is, is the question)
        return error
    finally:
        await engine.dispose()
    raise AssertionError("it answered")


async def test_a_database_that_does_not_answer_is_said_to_be_away(unused_tcp_port: int) -> None:
    """Nothing listens: the command may be tried again."""
    found = trouble_of(await _error_of(f"postgresql://u@127.0.0.1:{unused_tcp_port}/books"))
    assert found is not None
    assert found.away
    assert "does not answer" in found.text


async def test_a_database_that_is_not_there_or_not_migrated_is_named(postgres_url: str) -> None:
    """A name that the server does not know, and a database without books."""
    unknown = make_url(postgres_url).set(database="nothing_here").render_as_string()
    found = trouble_of(await _error_of(unknown))
    assert found is not None
    assert "no database of that name" in found.text
    empty = trouble_of(await _error_of(postgres_url))
    assert empty is not None
    assert "acquit db upgrade" in empty.text


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Bytes that are not a database are reported as that."""
    (tmp_path / "books.db").write_bytes(b"nothing of the kind" * 100)
    found = trouble_of(await _error_of(f"sqlite:///{tmp_path / 'books.db'}"))
    assert found is not None
    assert "no database" in found.text


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (
            (
                "create table loans (x)",
                "pragma writable_schema = on",
                "update sqlite_schema set sql = 'create ToBLE loans (x)'",
            ),
            "damaged",
        ),
        (("create table loans (x)",), "acquit db upgrade"),
    ],
)
async def test_a_file_whose_tables_are_not_ours_is_named(
    tmp_path: Path, statements: tuple[str, ...], said: str
) -> None:
    """SQLite opens it: a damaged description of the tables, and tables of another program."""
    path = tmp_path / "books.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        for statement in statements:
            other.execute(statement)
    found = trouble_of(await _error_of(f"sqlite:///{path}"))
    assert found is not None
    assert said in found.text
    assert not found.away


async def test_reading_creates_nothing(tmp_path: Path) -> None:
    """Books that are not there are named; no empty ones are made."""
    path = tmp_path / "books.db"
    error = await _error_of(f"sqlite:///{path}")
    assert isinstance(error, InvalidInput)
    assert str(path) in str(error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["nonsense", "postgresql://u:secret@h:port/db", "://", "mysql://h"])
def test_an_address_that_is_none_is_refused_and_not_shown(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(InvalidInput) as refused:
        books_engine(url)
    assert "secret" not in str(refused.value)


async def test_a_full_disk_is_said_to_be_full(sqlite_url: str, clock: StillClock) -> None:
    """The write fails, nothing of it stays, and it works once there is room."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url, pool_size=1)
    async with engine.connect() as conn:
        await conn.execute(text("PRAGMA max_page_count = 1"))
    async with SqlBooks(engine, clock, RULES) as books:
        with pytest.raises(Exception, match="full") as failed:
            await books.apply(board("L" * 100))
        found = trouble_of(failed.value)
        assert found is not None
        assert found.away
        assert "the disk is full" in found.text
        async with engine.connect() as conn:
            await conn.execute(text("PRAGMA max_page_count = 100000"))
        await books.apply(board("L" * 100))
    assert (await SqlQueries(engine, clock, RULES).verify()).faults == ()
    await engine.dispose()


async def test_evidence_that_may_only_be_read_is_verified_without_a_trace(
    sqlite_url: str, tmp_path: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file beside the books appears or changes; an order is refused as read-only."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    async with SqlBooks(engine, clock, RULES) as books:
        await books.apply(board())
    await engine.dispose()
    monkeypatch.setattr(engines, "_writable", lambda _path: False)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    fixed = books_engine(sqlite_url)
    report = await SqlQueries(fixed, clock, RULES).verify()
    assert report.commands == 1
    assert report.faults == ()
    async with SqlBooks(fixed, clock, RULES) as books:
        with pytest.raises(Exception, match="readonly") as failed:
            await books.apply(board("L2"))
    found = trouble_of(failed.value)
    assert found is not None
    assert "may only be read" in found.text
    await fixed.dispose()
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    (tmp_path / "books.db-wal").write_bytes(b"x")
    with pytest.raises(InvalidInput, match="merged"):
        books_engine(sqlite_url)


def test_what_nobody_could_foresee_stays_a_fault() -> None:
    """An error of another kind has no words here."""
    assert trouble_of(ValueError("x")) is None
    assert trouble_of(sqlite3.OperationalError("near x: syntax error")) is None
