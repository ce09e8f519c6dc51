"""Standard streams that are closed, full, or of another encoding: no traceback, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers.reporting import Exit

GOOD = ("codes", "unionpay", "61", "--json")
BAD = ("codes", "no-such-rail")


def leave(
    tmp_path: Path, words: tuple[str, ...], shell: str, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a shell whose redirections are `shell`."""
    line = f'exec "$0" -m cli "$@" {shell}'
    return subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, *words],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), **environ},
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [(GOOD, Exit.DONE), (BAD, Exit.MISTAKE)])
def test_a_closed_stream_changes_no_exit_code(
    tmp_path: Path, shell: str, words: tuple[str, ...], code: Exit
) -> None:
    """As cron and some supervisors start programs; no traceback, and no log of a surprise."""
    done = leave(tmp_path, words, shell)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_that_cannot_be_reported_keeps_its_code(tmp_path: Path) -> None:
    """The disk that takes the messages is full."""
    assert leave(tmp_path, BAD, "2>/dev/full").returncode == Exit.MISTAKE


@pytest.mark.parametrize(
    "environ",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_output_is_utf8_whatever_the_locale(tmp_path: Path, environ: dict[str, str]) -> None:
    """Bank texts are Chinese also where the locale is plain ASCII."""
    done = leave(tmp_path, GOOD, "", **environ)
    assert done.returncode == Exit.DONE, done.stderr
    assert done.stdout == leave(tmp_path, GOOD, "").stdout
    assert not done.stdout.isascii()


def test_what_utf8_cannot_carry_is_written_as_an_escape(tmp_path: Path) -> None:
    """Half of a surrogate pair in a file: one whole JSON document comes out, and the name in it."""
    loan = tmp_path / "loan.json"
    loan.write_text('{"\\ud800": 1}', encoding="utf-8")
    done = leave(tmp_path, ("loan", "check", str(loan), "--json"), "")
    assert done.returncode == Exit.MISTAKE, done.stderr
    assert json.loads(done.stdout)[0]["faults"][0]["field"] == "\ud800"
