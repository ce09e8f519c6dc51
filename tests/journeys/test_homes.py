"""Homes that were copied, lost a file, or cannot be started: one clear line, and nothing begun."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.homefiles import BOOKS_DB, SIMULATOR_DB, TEMPORAL_DB
from tests.journeys.program import ROOT, Program, acquit, start
from tests.journeys.test_commands import ends_when_asked, one_month, tape
from tests.support.base import base_day
from workers.reporting import Exit

NOTHING = b""
GARBAGE = b"these are no books at all, and longer than a header"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path) -> Path:
    """A home with one loan whose stack has ended."""
    assert temporal_binary.is_file()
    home = tmp_path_factory.mktemp("homes") / "home"
    program = await Program.start(home, "up", *start())
    try:
        await program.said("Ctrl-C ends the stack")
        lent, due = one_month(base_day().isoformat())
        boarded = await acquit(home, "board", str(tape(home.parent, due, lent)))
        assert boarded.code == Exit.DONE, boarded.err
    finally:
        await ends_when_asked(program)
    return home


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    """A copy of that home."""
    shutil.copytree(home, tmp_path / "copy")
    return tmp_path / "copy"


async def head(home: Path) -> str:
    """Hash of the last entry."""
    done = await acquit(home, "ledger", "verify", "--json")
    assert done.code == Exit.DONE, done.err
    return str(done.json["head"])


async def test_a_copied_home_reads_and_writes_its_own_books(home: Path, copy: Path) -> None:
    """An order on the copy stays there; what needs servers is refused until one is started here."""
    before, size = await head(home), (home / BOOKS_DB).read_bytes()
    assert await head(copy) == before
    words = ("--actor", "ops-1", "--reason", "a question")
    ordered = await acquit(copy, "order", "JRN-1/1", "hold", *words)
    assert ordered.code == Exit.DONE, ordered.err
    assert "put on hold" in (await acquit(copy, "story", "JRN-1/1")).out
    assert "put on hold" not in (await acquit(home, "story", "JRN-1/1")).out
    assert (home / BOOKS_DB).read_bytes() == size
    for refused_words in (["clock", "advance", "--days", "1"], ["heal"]):
        refused = await acquit(copy, *refused_words)
        assert refused.code == Exit.MISTAKE, (refused_words, refused.err)
        assert f"stack: '{home}' is refused:" in refused.err
        assert "which is a copy: start one here with `acquit up`" in refused.err
    await ends_when_asked(await Program.start(copy, "up"))
    assert (await acquit(copy, "heal")).code == Exit.UNAVAILABLE


@pytest.mark.parametrize("content", [None, NOTHING, GARBAGE])
async def test_lost_or_damaged_books_are_reported_and_nothing_is_created(
    copy: Path, content: bytes | None
) -> None:
    """Readers and `up` refuse alike, in one line that names the file; the file stays as it is."""
    books = copy / BOOKS_DB
    for path in copy.glob(f"{BOOKS_DB}*"):
        path.unlink()
    if content is not None:
        books.write_bytes(content)
    for words in (["ledger", "verify"], ["cases"], ["story", "JRN-1/1"], ["clock", "show"], ["up"]):
        done = await acquit(copy, *words)
        assert done.code == Exit.MISTAKE, (words, done.err)
        assert len(done.err.splitlines()) == 1, done.err
        assert BOOKS_DB in done.err
        assert "--fresh" in done.err
        assert (books.read_bytes() if books.exists() else None) == content


@pytest.mark.parametrize("name", [TEMPORAL_DB, SIMULATOR_DB])
async def test_a_home_that_lost_a_part_is_not_begun_anew_beside_the_others(
    copy: Path, name: str
) -> None:
    """An empty bank or an empty Temporal store beside old books would be another world."""
    for path in copy.glob(f"{name}*"):
        path.unlink()
    done = await acquit(copy, "up")
    assert done.code == Exit.MISTAKE, done.err
    assert f"{name} is missing beside the others" in done.err
    assert not (copy / name).exists()


async def test_a_home_can_be_named_from_any_folder(tmp_path: Path) -> None:
    """A relative name means the same to all parts, and none takes its modules from that folder."""
    decoy = tmp_path / "here" / "simulator"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("raise SystemExit(9)", encoding="utf-8")
    words = ("--home", "mine", "up", *start())
    program = await Program.start(tmp_path / "home", *words, cwd=str(tmp_path / "here"))
    try:
        await program.said("Ctrl-C ends the stack")
        for name in (BOOKS_DB, SIMULATOR_DB, TEMPORAL_DB):
            assert (tmp_path / "here" / "mine" / name).is_file()
        assert not (ROOT / "mine").exists()
    finally:
        await ends_when_asked(program)


async def test_a_taken_port_ends_the_start(tmp_path: Path) -> None:
    """The port for the bank's reports is tried before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = await acquit(tmp_path / "home", "up", ACQUIT_API_PORT=port)
    assert done.code == Exit.MISTAKE, done.err
    assert f"ACQUIT_API_PORT: {port} is refused: a port that is free on 127.0.0.1" in done.err
    assert "Ctrl-C ends the stack" not in done.out
