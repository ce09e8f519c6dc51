"""The clock of a sandbox: every day that passes is rolled, and a lost clock is not begun anew."""

from __future__ import annotations

import signal
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sandbox.virtualtime import advance
from tests.journeys.program import Program, acquit, start
from tests.journeys.whole import Whole, loans, whole
from tests.support.base import base
from tests.support.doors import Actor, Hold
from tests.support.stories import names, story
from workers.clock import CLOCK_FILE
from workers.reporting import Exit


async def penalty_days(run: Whole, loan_id: str) -> int:
    """On how many days penalty was charged."""
    return names(await story(run.stack.queries, loan_id, 1)).count("penalty_accrued")


async def test_every_day_that_an_advance_passes_is_rolled(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Three days at a time, each by a command of its own: a day of penalty for each of them."""
    assert temporal_binary.is_file()
    async with whole(tmp_path / "home") as run:
        (loan,) = loans(1)
        await run.board([loan])
        held = Hold(
            id="hold-1",
            actor=Actor("operator", "clerk-1"),
            reason="a question",
            loan_id=loan.loan_id,
            number=1,
        )
        await run.stack.books.apply(held)
        await advance(run.stack, run.sandbox.now + timedelta(days=40))
        days = [await penalty_days(run, loan.loan_id)]
        for _ in range(2):
            await advance(run.stack, run.sandbox.now + timedelta(days=3))
            days.append(await penalty_days(run, loan.loan_id))
    assert days[0] > 0
    assert [after - before for before, after in pairwise(days)] == [3, 3], days


async def test_a_lost_or_damaged_clock_is_reported_and_never_begins_anew(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """`up --start` begins there; without its clock file the home is refused, not put years back.

    A home that has a clock takes no other start.
    """
    assert temporal_binary.is_file()
    home = tmp_path / "home"
    program = await Program.start(home, "up", *start())
    try:
        await program.said("Ctrl-C ends the stack")
        program.process.send_signal(signal.SIGTERM)
        assert (await program.done(90.0)).code == Exit.DONE
    finally:
        await program.end()
    again = await acquit(home, "up", *start())
    assert again.code == Exit.MISTAKE
    assert f"here it is {base():%Y-%m-%d}" in again.err
    clock = home / CLOCK_FILE
    whole_file = clock.read_bytes()
    for content in (None, b"", whole_file[:5], bytes(len(whole_file)), whole_file + b"x"):
        clock.unlink() if content is None else clock.write_bytes(content)
        for words in (["clock", "show"], ["ledger", "verify"], ["up"]):
            done = await acquit(home, *words)
            assert done.code == Exit.MISTAKE, (content, words, done.err)
            assert done.err.startswith(f"acquit: clock: '{clock}' is refused:"), done.err
            assert "--fresh" in done.err
            assert "Traceback" not in done.err
        assert (clock.read_bytes() if content is not None else None) == content
    clock.write_bytes(whole_file)
    clock.chmod(0o444)
    assert (await acquit(home, "ledger", "verify")).code == Exit.DONE


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2020-01-01", "a day or instant from"),
        ("2999-01-01", "a day or instant from"),
        ("tomorrow", "a day or instant in ISO form"),
        ("0001-01-01T00:00+14:00", "a day or instant in ISO form"),
    ],
)
async def test_a_start_that_cannot_be_is_refused_by_rule(
    tmp_path: Path, text: str, rule: str
) -> None:
    """Servers' clocks never go back, and an end must be in sight; nothing is started."""
    home = tmp_path / "home"
    for command in ("demo", "up"):
        done = await acquit(home, command, "--start", text)
        assert done.code == Exit.MISTAKE
        assert f"start: '{text}' is refused: {rule}" in done.err, done.err
    assert not home.exists()
