"""Statement files by hand and by folder, on a stack that is up: kept, read and booked once."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from domain.statement.statement import LineItem, Statement, StatementLine
from tests.adapters.statements import camt_writer
from tests.journeys.program import Done, Program, acquit, start
from workers.reporting import Exit

ACCOUNT = "ACCT-FUNDER-1-CNY"
OTHER = "ACCT-FACILITATOR-1-CNY"


def document(number: int, minor: int, opening: int = 0, account: str = ACCOUNT) -> bytes:
    """A statement with one line that nobody expects, of a day long past."""
    on = date(2025, 3, 2 + number)
    item = LineItem(None, None, None, minor)
    line = StatementLine("", account, on, on, minor, "CNY", f"U-{number}", items=(item,))
    name, closing = f"HAND-{number}", opening + minor
    return camt_writer.document(
        Statement(name, account, "CNY", number, on, opening, closing, (line,), period=(on, on))
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def up(
    tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path
) -> AsyncIterator[tuple[Path, dict[str, str]]]:
    """`acquit up` whose settings name a watched folder; home and environment."""
    assert temporal_binary.is_file()
    place = tmp_path_factory.mktemp("sources")
    (place / "in").mkdir()
    (place / "sources.toml").write_text(
        f'[sources.folder]\nkind = "folder"\naccount = "{ACCOUNT}"\npath = "in"\n'
        'done = "done"\nrenamed_in = true\n'
        "[sources.folder.expected]\n"
        'calendar = "CN"\nby = "09:00:00"\ntimezone = "Asia/Shanghai"\nsince = 2999-01-01\n'
    )
    home, env = place / "home", {"ACQUIT_SOURCES": str(place / "sources.toml")}
    program = await Program.start(home, "up", "--profile", "calm", "--seed", "7", *start(), **env)
    try:
        await program.said("Ctrl-C ends the stack")
        yield home, env
        program.process.send_signal(signal.SIGTERM)
        done = await program.done(90.0)
        assert done.code == Exit.DONE, done.err
    finally:
        await program.end()


async def upload(
    up: tuple[Path, dict[str, str]], content: bytes, *words: str, account: str = ACCOUNT
) -> Done:
    home, env = up
    path = home.parent / "upload.xml"
    path.write_bytes(content)
    argv = ("statements", "upload", str(path), "--account", account, "--json", *words)
    return await acquit(home, *argv, within_s=120.0, **env)


@pytest.mark.timeout(240)
async def test_a_file_that_is_handed_in_is_booked_once(up: tuple[Path, dict[str, str]]) -> None:
    """Its answer says what was booked; a second time it says that it was known."""
    content = document(1, 100)
    first = await upload(up, content)
    assert first.code == Exit.DONE, first.err
    assert first.json == {
        "sha256": hashlib.sha256(content).hexdigest(),
        "known": False,
        "state": "booked",
        "statements": 1,
        "lines": 1,
        "known_before": 0,
        "faults": [],
        "why": "",
    }
    again = await upload(up, content)
    assert again.code == Exit.DONE, again.err
    assert again.json == {**first.json, "known": True, "known_before": 1}


@pytest.mark.timeout(240)
async def test_what_cannot_be_read_or_is_of_another_account_is_refused(
    up: tuple[Path, dict[str, str]],
) -> None:
    """Field and rule for a broken file, which is a case; nothing is read of a stranger's."""
    broken = await upload(up, b"no statement")
    assert broken.code == Exit.NOT_CLEAN
    assert broken.json["state"] == "refused"
    assert "is refused" in broken.json["why"]
    home, env = up
    cases = await acquit(home, "cases", "--json", within_s=60.0, **env)
    assert broken.json["sha256"] in cases.out
    stranger = await upload(up, document(1, 5, account=OTHER))
    assert stranger.code == Exit.MISTAKE
    assert OTHER in stranger.err
    unknown = await upload(up, document(2, 5), account="NOBODY")
    assert (unknown.code, "a registered account" in unknown.err) == (Exit.MISTAKE, True)


@pytest.mark.timeout(240)
async def test_a_folder_is_looked_at_and_emptied(up: tuple[Path, dict[str, str]]) -> None:
    """A gap is a case; the missing file in the folder ends it; the files lie among the done."""
    home, env = up
    folder = home.parent / "in"

    async def collect() -> Done:
        return await acquit(home, "statements", "collect", "--json", within_s=120.0, **env)

    (folder / "third.xml").write_bytes(document(12, 30, opening=170))
    done = await collect()
    assert done.code == Exit.DONE, done.err
    assert (done.json["offered"], done.json["started"]) == (1, 1)
    third = await upload(up, document(12, 30, opening=170))
    assert third.json["known"]
    await upload(up, document(10, 50, opening=100))
    await collect()
    gap = f"statement_gap/{ACCOUNT}/HAND-12"
    assert gap in (await acquit(home, "cases", "--json", within_s=60.0, **env)).out
    (folder / "second.xml").write_bytes(document(11, 20, opening=150))
    assert (await collect()).json["started"] == 1
    second = await upload(up, document(11, 20, opening=150))
    assert (second.json["known"], second.json["state"]) == (True, "booked")
    assert gap not in (await acquit(home, "cases", "--json", within_s=60.0, **env)).out
    assert sorted(it.name for it in (home.parent / "done").iterdir()) == ["second.xml", "third.xml"]
    assert list(folder.iterdir()) == []
