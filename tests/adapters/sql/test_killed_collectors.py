"""A process is killed while it takes files from a folder: the next one goes on where it was."""

import asyncio
import hashlib
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.archive import SqlArchive
from tests.support.booksbench import StillClock
from tests.support.tree import ROOT


async def look(url: str, folder: Path, log: Path, where: str = "") -> int:
    """Look at the folder in a process of its own; its exit code."""
    words = ("-m", "tests.support.collectprocess", url, str(folder), str(log), where)
    child = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(child.communicate(), 120)
    assert child.returncode in {0, -signal.SIGKILL}, said.decode()
    return child.returncode


@pytest.mark.timeout(170)
async def test_whatever_is_cut_off_each_file_is_kept_and_started_once(
    books_url: str, engine: AsyncEngine, clock: StillClock, tmp_path: Path
) -> None:
    """Killed after keeping, remembering, starting, moving: two files, two readings, none lost."""
    contents = {"a.xml": b"first", "b.xml": b"second"}
    (tmp_path / "in").mkdir()
    for name, content in contents.items():
        (tmp_path / "in" / name).write_bytes(content)
    log = tmp_path / "started"
    for where in ("kept", "kept", "remembered", "started", "moved"):
        assert await look(books_url, tmp_path, log, where) == -signal.SIGKILL, where
    assert await look(books_url, tmp_path, log) == 0
    hashes = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    assert sorted(log.read_text().split()) == sorted(hashes)
    assert list((tmp_path / "in").iterdir()) == []
    done = {path.name: path.read_bytes() for path in (tmp_path / "done").iterdir()}
    assert done == contents
    archive = SqlArchive(engine, clock)
    assert await archive.kept(hashes) == dict.fromkeys(hashes, False)
    for sha256, content in zip(hashes, contents.values(), strict=True):
        async with archive.open(sha256) as source:
            assert source.read() == content
    assert await look(books_url, tmp_path, log) == 0
    assert len(log.read_text().split()) == len(hashes)
