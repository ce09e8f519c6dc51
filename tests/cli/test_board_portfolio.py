"""A thousand real loans in progress are boarded, added up by a stranger, refused when off, left.

Amounts, terms and paid figures are those of the sample; the days are moved to the present.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.sql.engine import books_engine
from adapters.sql.schema.tables import subjects
from domain.loan.lifecycle import State
from tests.support.sampleprogress import HOLDER, ProgressTape, write_progress
from tests.support.tree import ROOT

SAMPLE = ROOT.parent / "shared" / "data" / "loans" / "lendingclub-2018q1.csv"
LOANS = 1_000
PAID = ("paid_principal", "paid_interest", "paid_penalty")


@dataclass(frozen=True)
class Portfolio:
    """The books of a thousand loans, and the tape that they came by."""

    folder: Path
    tape: ProgressTape

    def acquit(self, *words: str, code: int = 0, home: str = "home") -> str:
        """What a command prints; its errors where it is refused."""
        ended = subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=ROOT,
            env={**os.environ, "ACQUIT_HOME": str(self.folder / home), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stderr or ended.stdout
        return ended.stdout if code == 0 else ended.stderr

    @property
    def file(self) -> str:
        """The tape."""
        return str(self.folder / "tape.csv")


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Portfolio:
    """Give the books after `acquit board`: half a minute of processor time."""
    if not SAMPLE.is_file():
        pytest.skip("the sample loans are not here (../shared/data/loans)")
    folder = tmp_path_factory.mktemp("portfolio")
    tape = write_progress(SAMPLE, folder / "tape.csv", today=datetime.now(UTC).date(), limit=LOANS)
    found = Portfolio(folder, tape)
    found.acquit("db", "upgrade")
    report = json.loads(found.acquit("board", found.file, "--json"))
    assert (report["loans"], report["fault_count"], report["result"]["boarded"]) == (1000, 0, 1000)
    assert [each["control"] for each in report["in_progress"]] == ["agrees"]
    return found


def test_an_independent_program_adds_the_openings_up_to_the_control_row(
    portfolio: Portfolio,
) -> None:
    """What the holder had, what was written off and what is owed, by hledger from the journal."""
    program = shutil.which("hledger")
    if program is None:
        pytest.skip("hledger is not installed: apt-get install hledger")
    journal = portfolio.folder / "books.journal"
    portfolio.acquit("ledger", "export", "--output", str(journal))
    subprocess.run([program, "-f", journal, "check"], check=True, timeout=120)
    out = subprocess.run(
        [program, "-f", journal, "balance", "--depth", "1", "--flat", "--no-total", "-O", "csv"],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    lines = [line.replace('"', "").split(",") for line in out.splitlines()[1:]]
    sums = {name: Decimal(text.split()[0]) for name, text in lines}
    stated = portfolio.tape.sums
    paid = sum(Decimal(stated[name]) for name in PAID)
    assert sums["opening"] == paid == -sums["held_by"]
    assert sums["written_off"] == Decimal(stated["written_off_principal"])
    assert sums["owed"] + sums["written_off"] == -sums["claim"]
    assert "payable" not in sums
    assert HOLDER in portfolio.acquit("ledger", "balances", "opening/")


async def _installments(portfolio: Portfolio) -> list[Any]:
    engine = books_engine(f"sqlite+aiosqlite:///{portfolio.folder / 'home' / 'books.db'}")
    of = subjects.c
    rows = select(of.loan_id, of.state, of.due_on, of.next_action_kind, of.opened)
    async with engine.connect() as conn:
        found = list(await conn.execute(rows))
    await engine.dispose()
    return found


def test_only_what_falls_due_after_the_cut_over_will_be_debited_or_reminded(
    portfolio: Portfolio,
) -> None:
    """The past is closed without a driver, overdue and waits for a person, or written off."""
    items, as_of = asyncio.run(_installments(portfolio)), portfolio.tape.as_of
    past = [item for item in items if item.due_on <= as_of]
    assert {item.state for item in past} == {State.CLOSED, State.DELINQUENT, State.WRITTEN_OFF}
    assert not any(item.next_action_kind or item.opened for item in past)
    assert {item.state for item in items if item.due_on > as_of} == {State.SCHEDULED}
    by_loan = Counter(item.loan_id for item in items if item.state == State.SCHEDULED)
    ended = {item.loan_id for item in items} - by_loan.keys()
    closed = {item.loan_id for item in items if item.state == State.CLOSED}
    assert len(ended & closed) >= len(ended) - 2  # two were written off before anything was paid


def test_the_books_are_intact_and_whole(portfolio: Portfolio) -> None:
    """Chain, kept rows and everything that must always hold."""
    assert "the books are intact" in portfolio.acquit("ledger", "verify")
    report = json.loads(portfolio.acquit("audit", "--json"))
    assert (report["clean"], report["open_cases"]) == (True, {})


def test_the_same_tape_again_and_the_way_back_change_nothing(portfolio: Portfolio) -> None:
    """Every loan is known; what is handed over sums to what came, to the cent."""
    again = json.loads(portfolio.acquit("board", portfolio.file, "--json"))
    assert again["result"] == {"boarded": 0, "known": LOANS, "refused": [], "failed": []}
    back, told = (str(portfolio.folder / name) for name in ("back.csv", "back_history.csv"))
    said = json.loads(
        portfolio.acquit(
            *("handover", back, "--history", told, "--holder", "acquit", "--json"),
            *("--evidence", "test"),
        )
    )
    (sums,) = said["totals"]
    for name in (*PAID, "balance", "written_off_principal"):
        assert Decimal(sums[name]) == Decimal(portfolio.tape.sums[name]), name
    taken = json.loads(
        portfolio.acquit("board", back, "--history", told, "--dry-run", "--json", home="other")
    )
    assert (taken["loans"], taken["faults"]) == (LOANS, [])


@pytest.mark.parametrize(
    ("column", "value"),
    [("balance", "0.01"), ("paid_interest", "-0.01"), ("loans", "1")],
)
def test_totals_that_are_off_by_one_unit_keep_all_out(
    portfolio: Portfolio, column: str, value: str
) -> None:
    """The fault names line, field, value and what the rows sum to; nothing is boarded."""
    few = portfolio.folder / "few.csv"
    today = datetime.now(UTC).date()
    loans = write_progress(SAMPLE, few, today=today, limit=50).loans
    head, *rows, total = few.read_text(encoding="utf-8").splitlines()
    place, cells = head.split(",").index(column), total.split(",")
    cells[place] = str(Decimal(cells[place]) + Decimal(value))
    few.write_text("\n".join([head, *rows, ",".join(cells)]) + "\n", encoding="utf-8")
    said = portfolio.acquit("board", str(few), code=2)
    assert f"line {loans + 2}: {column}: '{cells[place]}' is refused: the rows " in said
    assert "nothing is boarded" in said
