"""A stack that is up, and the commands that people give beside it."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journeys.program import Program, acquit, start
from tests.support.base import base
from workers.reporting import Exit

ROOT = Path(__file__).resolve().parents[2]
LOAN = "JRN-1"
HEADER = (
    "tenant,loan_id,borrower,product,principal,annual_rate,periods,disbursed_on,first_due_on,"
    "mandate_ref,account_token"
)


def tape(folder: Path, first_due_on: str, disbursed_on: str) -> Path:
    """A tape with one loan of one installment."""
    path = folder / "tape.csv"
    row = f"demo,{LOAN},b-1,cn-personal,1200.00,12,1,{disbursed_on},{first_due_on},M-JRN-1,acct-1"
    path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def up(
    tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path
) -> AsyncIterator[tuple[Path, Program]]:
    """`acquit up` in a home of its own; at the end SIGTERM ends it and all it started."""
    assert temporal_binary.is_file()
    home = tmp_path_factory.mktemp("up") / "home"
    program = await Program.start(home, "up", "--profile", "calm", "--seed", "7", *start())
    try:
        await program.said("Ctrl-C ends the stack")
        yield home, program
        program.process.send_signal(signal.SIGTERM)
        done = await program.done(90.0)
        assert done.code == Exit.DONE, done.err
        assert await program.left_over() == []
    finally:
        await program.end()


async def test_a_loan_goes_from_the_tape_to_its_closure_by_commands_alone(
    up: tuple[Path, Program], tmp_path: Path
) -> None:
    """Board, let time pass, and ask: every command agrees, and says so with its exit code."""
    home, _ = up
    shown = await acquit(home, "clock", "show", "--json")
    assert shown.code == 0, shown.err
    assert shown.json["mode"] == "sandbox"
    since = datetime.fromisoformat(shown.json["now"]) - base()
    assert timedelta(0) <= since < timedelta(minutes=5)
    before = shown.json["ahead_s"]
    lent, due = one_month(str(shown.json["now"])[:10])
    boarded = await acquit(home, "board", str(tape(tmp_path, due, lent)))
    assert boarded.code == 0, boarded.err
    moved = await acquit(home, "clock", "advance", "--days", "30", "--json", within_s=120.0)
    assert moved.code == 0, moved.err
    assert moved.json["ahead_s"] > before + 29 * 86400
    story = await acquit(home, "story", f"{LOAN}/1")
    assert story.code == 0, story.err
    assert "CLOSED" in story.out
    # The bank's day ends at 23:30 in Shanghai; its statement is read as soon as the next one begins
    # there, not when a day begins for the products of another zone.
    proof = story.out.partition("the bank's statement proves 1212.00 CNY")[0].splitlines()[-2]
    assert "00:05+08:00  #1 bank line booked" in proof
    audited = await acquit(home, "audit", "--json")
    assert audited.code == 0, audited.out
    assert audited.json["installments"] == {"CLOSED": 1}
    verified = await acquit(home, "ledger", "verify")
    assert verified.code == 0, verified.err
    balances = await acquit(home, "ledger", "balances", "--json")
    assert balances.code == 0, balances.err
    held = {row["account"]: row["amount"] for row in balances.json}
    assert held["bank/ACCT-FUNDER-1-CNY"] == "1212.00"
    assert held["clearing/simbank"] == held[f"owed/{LOAN}/1/principal"] == "0.00"
    items = await acquit(home, "ledger", "items", "held_by/funder-1", "--limit", "1", "--json")
    assert items.code == 0, items.err
    assert [(row["loan"], row["place"]) for row in items.json] == [(LOAN, "bank/ACCT-FUNDER-1-CNY")]
    assert "only 1 are shown; go on with --after" in items.err
    assert await trail(home) == 0


async def trail(home: Path) -> int:
    """Exit code of `acquit trail` about the only payment of the books."""
    with sqlite3.connect(home / "books.db") as books:
        ((payment,),) = books.execute("SELECT id FROM portions").fetchall()
    done = await acquit(home, "trail", payment)
    assert "1212.00" in done.out, done.err
    return done.code


def one_month(today: str) -> tuple[str, str]:
    """Disbursement and due date, a whole month apart, due in two weeks: one percent, always.

    Both fall on the same day of a month, one that every month has.
    """
    due = date.fromisoformat(today) + timedelta(days=14)
    while due.day > 28:
        due += timedelta(days=1)
    lent = (due.replace(day=1) - timedelta(days=1)).replace(day=due.day)
    return lent.isoformat(), due.isoformat()


async def test_mistakes_are_answered_with_their_rule_and_leave_the_clock_alone(
    up: tuple[Path, Program],
) -> None:
    """The clock does not go back, an unknown loan has no story, a second sandbox cannot start."""
    home, _ = up
    back = await acquit(home, "clock", "advance", "2020-01-01")
    assert back.code == Exit.MISTAKE
    assert "refused" in back.err or "must" in back.err
    assert (await acquit(home, "story", "NO-SUCH-LOAN")).code == Exit.MISTAKE
    assert (await acquit(home, "trail", "NO-SUCH-PAYMENT")).code == Exit.MISTAKE
    books = (home / "books.db").stat().st_ino
    for second in (["up"], ["demo", "--loans", "1", "--months", "1"]):
        refused = await acquit(home, *second)
        assert refused.code == Exit.MISTAKE
        assert "a home in which no stack runs" in refused.err
    assert (home / "books.db").stat().st_ino == books


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stack_that_is_asked_to_stop_while_it_starts_leaves_nothing(
    tmp_path: Path, temporal_binary: Path, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM end it at any time, with all it had started by then."""
    assert temporal_binary.is_file()
    program = await Program.start(tmp_path / "home", "up")
    try:
        await program.said("starting: simulated bank")
        program.process.send_signal(number)
        done = await program.done(90.0)
        assert done.code in {Exit.DONE, Exit.INTERRUPTED}, done.err
        assert "Traceback" not in done.err
        assert await program.left_over() == []
    finally:
        await program.end()


async def test_a_stack_goes_on_with_the_bank_that_an_earlier_one_left(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Plain `acquit up` takes up the home of a demo or of another `up`, whatever its profile.

    To ask for a profile that the home's bank does not have is a mistake, reported with the way out.
    """
    assert temporal_binary.is_file()
    home = tmp_path / "home"
    await ends_when_asked(await Program.start(home, "up", "--profile", "rough", "--seed", "3"))
    other = await Program.start(home, "up", "--profile", "calm")
    try:
        refused = await other.done(60.0)
    finally:
        await other.end()
    assert refused.code == Exit.MISTAKE
    assert "profile calm" in refused.err
    assert "made with profile rough, not calm" in refused.err
    assert "--fresh" in refused.err
    await ends_when_asked(await Program.start(home, "up"))


async def ends_when_asked(program: Program) -> None:
    """Wait until the stack is up, end it, and see that it ends well."""
    try:
        await program.said("Ctrl-C ends the stack")
        program.process.send_signal(signal.SIGTERM)
        done = await program.done(90.0)
        assert done.code == Exit.DONE, done.err
    finally:
        await program.end()


async def test_a_demo_that_is_interrupted_leaves_nothing(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Ctrl-C in the middle of a demo ends it with the code of an interrupted program."""
    assert temporal_binary.is_file()
    program = await Program.start(
        tmp_path / "home", "demo", "--loans", "3", "--months", "2", *start()
    )
    try:
        await program.said("starting: workers")
        program.process.send_signal(signal.SIGINT)
        done = await program.done(90.0)
        assert done.code == Exit.INTERRUPTED, done.err
        assert "Traceback" not in done.err
        assert await program.left_over() == []
    finally:
        await program.end()
