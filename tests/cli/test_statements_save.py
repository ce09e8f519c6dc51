"""`acquit statements save`: a kept file as the bank sent it, or one line that says why not."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.sql.engine import books_engine
from adapters.sql.read.archive import CHUNK_BYTES, SqlArchive
from adapters.sql.schema.migrate import upgrade
from cli.tree import run
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock
from tests.support.unlocked import unlock
from workers.reporting import Exit

CONTENT = b"<Document/>\r\n\xff" * (CHUNK_BYTES // 8)
NAME = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home whose books keep one file of several chunks."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("ACQUIT_HOME", str(folder))
    asyncio.run(_fill(folder))
    return folder


async def _fill(home: Path) -> None:
    url = f"sqlite:///{home / 'books.db'}"
    await upgrade(url)
    engine = books_engine(url)
    await SqlArchive(engine, StillClock()).keep("statement", in_parts(CONTENT, 9_999))
    await engine.dispose()


async def _spoil(home: Path) -> None:
    engine = books_engine(f"sqlite:///{home / 'books.db'}")
    await unlock(engine)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE file_chunks SET content = 'x' WHERE position = 1"))
    await engine.dispose()


def test_a_kept_file_comes_back_byte_for_byte(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its bytes, under the name that was asked for; what is there is left alone."""
    assert home.is_dir()
    output = tmp_path / "statement.xml"
    assert run(["statements", "save", NAME, "-o", str(output)]) == Exit.DONE
    assert output.read_bytes() == CONTENT
    assert f"{output}: {len(CONTENT)} bytes" in capsys.readouterr().out
    output.write_bytes(b"mine")
    assert run(["statements", "save", NAME, "-o", str(output)]) == Exit.MISTAKE
    assert output.read_bytes() == b"mine"
    assert run(["statements", "save", NAME, "-o", str(output), "--replace"]) == Exit.DONE
    assert output.read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "statement.xml"]


def test_a_hash_that_nothing_is_kept_by_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with field, value and rule, and no file."""
    assert home.is_dir()
    output = tmp_path / "statement.xml"
    assert run(["statements", "save", NAME[:16], "-o", str(output)]) == Exit.MISTAKE
    said = capsys.readouterr().err
    assert f"sha256: '{NAME[:16]}' is refused: the hash of a kept file" in said
    assert not output.exists()


def test_a_damaged_file_is_not_written(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody shows the bank something that it never sent."""
    asyncio.run(_spoil(home))
    output = tmp_path / "statement.xml"
    assert run(["statements", "save", NAME, "-o", str(output)]) == Exit.FAULT
    assert f"kept file {NAME} has another content" in capsys.readouterr().err
    assert not output.exists()
    assert run(["ledger", "verify"]) == Exit.NOT_CLEAN
    named = f"kept file {NAME} of {len(CONTENT)} bytes has another content"
    assert named in capsys.readouterr().err
