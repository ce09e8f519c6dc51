"""The files of a home: what may be removed, what is refused, and under which paths it works."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.sql.engine import books_url
from domain.errors import AcquitError, InvalidInput
from sandbox.homefiles import BOOKS_DB, LOCK_FILE, clear_home, only_stack_in
from workers.booksfile import must_have_books
from workers.clock import CLOCK_FILE, SandboxClock
from workers.settings import Settings
from workers.stackfile import (
    SECRETS_FILE,
    STACK_FILE,
    StackRecord,
    file_url,
    read_stack,
    write_stack,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD = StackRecord(mode="sandbox", database_url="sqlite+aiosqlite:///b", temporal_address="x:1")
DEEP = "[" * 100_000


def held(home: Path) -> set[str]:
    """Give the files below a folder."""
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def test_a_folder_that_was_no_sandbox_is_never_cleared(tmp_path: Path) -> None:
    """A file of somebody else that has one of our names stops a fresh start; nothing is made."""
    (tmp_path / CLOCK_FILE).write_text("the kitchen clock is slow", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InvalidInput, match=CLOCK_FILE), only_stack_in(tmp_path, fresh=True):
            pass
    assert held(tmp_path) == {CLOCK_FILE}
    with only_stack_in(tmp_path, fresh=False):
        assert held(tmp_path) == {CLOCK_FILE, LOCK_FILE}


def test_clearing_removes_what_a_sandbox_wrote_and_nothing_else(tmp_path: Path) -> None:
    """Copies that somebody made of the books, and logs of other programs, stay."""
    ours = (BOOKS_DB, f"{BOOKS_DB}-wal", CLOCK_FILE, STACK_FILE, SECRETS_FILE, "bank-log.json")
    logs = ("logs/worker-12.log", "logs/temporal.log", "logs/simulator.log")
    others = {f"{BOOKS_DB}.bak", f"{BOOKS_DB}-2026-11", "notes.txt", "logs/app.log", LOCK_FILE}
    (tmp_path / "logs").mkdir()
    for name in (*ours, *logs, *others):
        (tmp_path / name).write_text("x", encoding="utf-8")
    with only_stack_in(tmp_path, fresh=True):
        clear_home(tmp_path)
    assert held(tmp_path) == others
    (tmp_path / "logs" / "app.log").unlink()
    clear_home(tmp_path)
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%41b", "a b", "本", "a%3Fb?mode=ro"])
def test_books_lie_in_their_home_whatever_its_name(tmp_path: Path, name: str) -> None:
    """No character of a path is taken for a part of an address, in a copied home neither."""
    home, copy = tmp_path / name, tmp_path / f"copy of {name}"
    url = Settings(home=home).books_url()
    assert books_url(url).database == str(home / BOOKS_DB)
    record = StackRecord(
        mode="sandbox", database_url=url, temporal_address="x:1", home=str(home.resolve())
    )
    write_stack(copy, record)
    read = read_stack(copy)
    assert read is not None
    assert read.database_url == file_url(copy / BOOKS_DB)
    assert books_url(read.database_url).database == str(copy / BOOKS_DB)


@pytest.mark.parametrize("name", ["a?b", "a#b", "a%41b"])
def test_no_stack_begins_where_temporal_would_open_another_file(tmp_path: Path, name: str) -> None:
    """The dev server takes its file for an address: nothing is made beside the home, or in it."""
    with pytest.raises(InvalidInput, match="home"), only_stack_in(tmp_path / name, fresh=False):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (STACK_FILE, DEEP),
        (STACK_FILE, '{"version": 1, "temporal_address": []}'),
        (STACK_FILE, '{"version": 1, "mode": "sandbox", "temporal_address": "x", "home": 3}'),
        (STACK_FILE, '{"version": 1, "mode": "circus", "temporal_address": "x"}'),
        (SECRETS_FILE, DEEP),
        (SECRETS_FILE, '{"database_url": 7}'),
        (SECRETS_FILE, '{"webhook_secret": null}'),
    ],
)
def test_a_record_that_is_not_as_written_is_refused(
    tmp_path: Path, name: str, content: str
) -> None:
    """Nesting, a missing field or a value of another type is reported, never raised as it comes."""
    write_stack(tmp_path, RECORD)
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match="is refused"):
        read_stack(tmp_path)


def test_a_secret_of_another_type_is_not_shown(tmp_path: Path) -> None:
    """The refusal names the field and never what it holds."""
    write_stack(tmp_path, RECORD)
    held_secret = {"webhook_secret": ["hunter2hunter2"]}
    (tmp_path / SECRETS_FILE).write_text(json.dumps(held_secret), encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        read_stack(tmp_path)
    assert "hunter2" not in str(refused.value)


def _read(home: Path, name: str) -> None:
    if name == CLOCK_FILE:
        SandboxClock(home)
    elif name == BOOKS_DB:
        must_have_books(file_url(home / BOOKS_DB))
    else:
        read_stack(home)


@pytest.mark.parametrize("name", [STACK_FILE, SECRETS_FILE, CLOCK_FILE, BOOKS_DB])
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_a_pipe_or_a_folder_in_the_place_of_a_file_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    """Nobody waits for a writer that never comes, and none counts as a file that is missing."""
    write_stack(tmp_path, RECORD)
    (tmp_path / name).unlink(missing_ok=True)
    make(tmp_path / name)
    with pytest.raises(AcquitError, match=r"damaged|a regular file"):
        _read(tmp_path, name)


@pytest.mark.parametrize("microseconds", [2**62, -(2**62), 86_400 * 365 * 7900 * 10**6])
def test_a_clock_beyond_the_calendar_is_damaged(tmp_path: Path, microseconds: int) -> None:
    """A right checksum does not make an instant that no calendar has."""
    body = struct.pack("<4sq", b"AQC1", microseconds)
    (tmp_path / CLOCK_FILE).write_bytes(body + struct.pack("<I", zlib.crc32(body)))
    with pytest.raises(InvalidInput, match="is damaged"):
        SandboxClock(tmp_path)
