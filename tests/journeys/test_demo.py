"""`acquit demo` as a new user runs it: clean, repeatable, and gone when it is done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.program import Done, Program, acquit, start
from workers.reporting import Exit

LEDGER = {"entries", "postings", "balanced", "chain_ok", "head"}
KEYS = {
    "loans", "installments", "attempts", "payments", "returns", "reminders", "double_debits",
    "lost_payments", "closed_not_paid", "paid_not_closed", "unexplained_minor", "ledger",
    "virtual_days", "elapsed_s", "temporal",
}  # fmt: skip
COSTS = {"workflows", "events_per_installment", "workflow_tasks_per_installment"}
NOTHING = (
    "double_debits", "lost_payments", "closed_not_paid", "paid_not_closed", "unexplained_minor",
)  # fmt: skip


@dataclass
class Shown:
    """A demo that has ended, with its report."""

    done: Done
    report: dict[str, Any]
    left: list[str]


async def show(home: Path, *words: str, within_s: float = 150.0, **env: str) -> Shown:
    """Run a demo and read what it wrote."""
    report = home.parent / f"{home.name}.json"
    program = await Program.start(home, "demo", "--json", str(report), *start(), *words, **env)
    try:
        done = await program.done(within_s)
        left = await program.left_over()
    finally:
        await program.end()
    return read(done, report, left)


def read(done: Done, report: Path, left: list[str]) -> Shown:
    """What a demo that has ended left behind."""
    assert report.is_file(), done.out[-1000:] + done.err[-2000:]
    return Shown(done, json.loads(report.read_text()), left)


def assert_clean(shown: Shown, loans: int, months: int) -> None:
    """A run that ended as promised: exit code, keys, zeros, all money proven, nothing running."""
    report = shown.report
    assert shown.done.code == 0, shown.done.out[-2000:] + shown.done.err[-2000:]
    assert report.keys() >= KEYS
    assert report["ledger"].keys() >= LEDGER
    assert report["temporal"].keys() >= COSTS
    assert {name: report[name] for name in NOTHING} == dict.fromkeys(NOTHING, 0)
    assert report["ledger"]["balanced"] is True
    assert report["ledger"]["chain_ok"] is True
    assert report["loans"] == loans
    assert sum(report["installments"].values()) == loans * months
    assert set(report["installments"]) <= {"CLOSED", "DELINQUENT"}
    assert report["reminders"] >= loans * months
    assert report["posts"] >= report["attempts"]["SUCCESS"]
    assert report["books"]["commands_per_installment"] > 0
    assert shown.left == []


def reported(report: dict[str, Any]) -> dict[str, Any]:
    """What a seed decides: everything but times and costs."""
    names = ("loans", "installments", "attempts", "payments", "returns", "reminders")
    return {name: report[name] for name in names}


async def test_a_rough_demo_ends_clean_and_its_books_can_be_asked_afterwards(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Exit code 0, the promised keys, zeros where zeros belong, and nothing left running.

    What it leaves in its home answers the other commands although no server runs any more.
    """
    assert temporal_binary.is_file()
    home = tmp_path / "home"
    shown = await show(home, "--loans", "4", "--months", "1", "--profile", "rough", "--seed", "7")
    assert_clean(shown, 4, 1)
    assert "clean" in shown.done.out
    verified = await acquit(home, "ledger", "verify")
    assert verified.code == 0, verified.err
    audited = await acquit(home, "audit", "--against-bank", "--json")
    assert audited.code == 0, audited.err
    assert audited.json["ledger"]["head"] == shown.report["ledger"]["head"]
    assert (await acquit(home, "story", "D007-00001/1")).code == 0


async def test_a_hostile_demo_ends_clean(tmp_path: Path, temporal_binary: Path) -> None:
    """A bank that does everything wrong costs time and attempts, never money."""
    assert temporal_binary.is_file()
    words = ("--loans", "5", "--months", "1", "--profile", "hostile", "--seed", "11")
    assert_clean(await show(tmp_path / "home", *words), 5, 1)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_the_same_seed_gives_the_same_run(tmp_path: Path, temporal_binary: Path) -> None:
    """Attempts and their outcomes follow from the seed, not from the machine."""
    assert temporal_binary.is_file()
    words = ("--loans", "5", "--months", "2", "--profile", "hostile", "--seed", "3")
    first = await show(tmp_path / "first", *words)
    second = await show(tmp_path / "second", *words)
    assert_clean(first, 5, 2)
    assert_clean(second, 5, 2)
    assert reported(first.report) == reported(second.report)


async def test_a_demo_on_postgresql_ends_clean(
    tmp_path: Path, temporal_binary: Path, postgres_url: str
) -> None:
    """The same main job with its books in PostgreSQL, named by ACQUIT_DATABASE_URL alone.

    Books that are not in the home are never removed: a second demo on them is refused.
    """
    assert temporal_binary.is_file()
    words = ("--loans", "2", "--months", "1", "--profile", "rough", "--seed", "7")
    shown = await show(tmp_path / "home", *words, ACQUIT_DATABASE_URL=postgres_url)
    assert_clean(shown, 2, 1)
    assert not list((tmp_path / "home").glob("books.db*"))
    verified = await acquit(tmp_path / "home", "ledger", "verify", ACQUIT_DATABASE_URL=postgres_url)
    assert verified.code == 0, verified.err
    again = await acquit(tmp_path / "home", "demo", ACQUIT_DATABASE_URL=postgres_url)
    assert again.code == Exit.MISTAKE
    assert "empty database" in again.err
