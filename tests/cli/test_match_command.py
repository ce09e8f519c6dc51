"""`acquit match` and `acquit payment-instructions`: what waits, why, and what people decide."""

import asyncio
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.calendars.loader import load_calendar
from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from cli.tree import run
from domain.matching.model import Tolerance
from domain.matching.reference import creditor_reference
from domain.statement.statement import Party
from tests.support.booksbench import StillClock, apply_all, line, roll
from tests.support.doors import BookLine, RecordPayment
from tests.support.memory import PRODUCT, RULES, TESTER, board
from workers.settings import Settings

DUE = date(2026, 3, 10)
WHO = ("--actor", "ops-7", "--reason", "the sender said so")
ACCOUNT = "ACCT-FUNDER-1-CNY"
TOLERANT = replace(PRODUCT, calendar="CN", matching=Tolerance(300, 3, 80))


def booked(name: str, ref: str | None, minor: int, **changes: Any) -> BookLine:
    """A line of one item."""
    made = line(ref or "", minor, day=DUE, name=name)
    item = replace(made.line.items[0], end_to_end_id=ref, **changes)
    return replace(made, line=replace(made.line, items=(item,)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Books with a loan that owes 101.00, a transfer reported for it, and three lines that wait."""
    monkeypatch.setenv("COLUMNS", "300")
    url = Settings(home=tmp_path).books_url()
    payment = RecordPayment(
        id="pay",
        actor=TESTER,
        reason="reported by the borrower",
        loan_id="L1",
        number=1,
        reference="Zhang Wei",
        amount_minor=5000,
        currency="CNY",
        value_on=DUE,
    )

    async def made() -> None:
        await upgrade(url)
        engine, clock = books_engine(url), StillClock()
        rules = replace(RULES, calendars={**RULES.calendars, "CN": load_calendar("CN")})
        async with SqlBooks(engine, clock, rules) as books:
            await books.apply(board("L1", TOLERANT))
            clock.to(DUE)
            await apply_all(books, [roll("L1", DUE), payment])
            likely = booked("1", None, 4900, counterparty=Party(name="ZHANG, Wei"))
            theirs = booked("3", None, 700, remittance=(creditor_reference("L1"),))
            await apply_all(books, [likely, booked("2", "X-9", 300), theirs])
        await engine.dispose()

    asyncio.run(made())
    return tmp_path


class Told:
    """Runs commands and reads what they print."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._home, self._capsys = home, capsys
        self.code, self.err = 0, ""

    def __call__(self, *words: str) -> str:
        """What a command printed."""
        self._capsys.readouterr()
        self.code = run(["--home", str(self._home), *words])
        out, self.err = self._capsys.readouterr()
        return out

    def json(self, *words: str) -> Any:
        """What a command printed as JSON."""
        return json.loads(self(*words, "--json"))


@pytest.fixture
def told(home: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Give a way to run commands in that home."""
    return Told(home, capsys)


def line_of(name: str) -> str:
    """The id of a line."""
    return f"{ACCOUNT}/S1/{name}"


def test_each_piece_that_waits_has_status_cause_owner_and_suggestion(told: Told) -> None:
    """The list says of each line how it stands, since when, who has it and what is suggested."""
    rows = {row["line"]: row for row in told.json("match")["lines"]}
    likely, unknown, loans = (rows[line_of(name)] for name in "123")
    assert (likely["status"], likely["by"], likely["is_proposal"]) == ("matched", "near_name", True)
    assert likely["suggestion"].startswith("accept: ")
    assert likely["fee_minor"] == 100
    assert (unknown["status"], unknown["cause"]) == ("unidentified", "unknown_reference")
    assert (unknown["remedy"], unknown["owner"]) == ("force", "reconciliation")
    assert unknown["case"] == f"line/{line_of('2')}"
    assert unknown["days"] > 0
    assert unknown["return_by"] == "2026-03-15"  # five days after its case was opened
    assert (likely["return_by"], loans["return_by"]) == (None, None)
    assert (loans["by"], loans["about"]) == ("loan_reference", ["loan/L1"])
    table = told("match", "--account", ACCOUNT, "--day", DUE.isoformat(), "--limit", "1")
    assert line_of("1") in table
    assert line_of("2") not in table
    assert "go on with --after" in told.err
    assert told.json("match", "--status", "over")["lines"] == []


def test_a_proposal_is_accepted_once(told: Told) -> None:
    """What is proposed is posted with its fee; a line without a proposal cannot be accepted."""
    assert "matched" in told("match", "accept", line_of("1"), *WHO)
    assert told.code == 0
    left = {row["line"] for row in told.json("match")["lines"]}
    assert left == {line_of("2"), line_of("3")}
    told("match", "accept", line_of("2"), *WHO)
    assert told.code == 2
    assert "a line for which a match is proposed" in told.err


def test_a_forced_match_needs_reason_and_approver(told: Told) -> None:
    """By hand against the passes: refused without an approver, posted with one."""
    force = ("match", "force", line_of("2"), "L1/1", "reference=X-9", "amount_minor=300")
    told(*force, *WHO)
    assert told.code == 1
    assert "match.approver" in told.err
    assert told.json(*force, *WHO, "--approver", "lead-1")["answer"] == "matched"
    told(*force[:3], *WHO)
    assert told.code == 2
    told(*force[:3], "L1", *WHO)
    assert told.code == 2


def test_matching_runs_on_demand(told: Told) -> None:
    """The passes post what they find, here the money with the reference of a loan."""
    assert told("match", "run").strip() == "1 ordered, 0 refused, 1 suggested"
    assert told.json("match", "run") == {"ordered": 0, "refused": 0, "suggested": 1}


def test_what_no_line_shows_is_listed_as_missing(told: Told) -> None:
    """A reported transfer that no line shows by its day is missing, with its age."""
    told("match", "accept", line_of("1"), *WHO)
    assert told.json("match", "--missing") == {"missing": [], "after": ""}
    told("order", "L1/1", "undo_match", f"line={line_of('1')}", "reference=Zhang Wei", *WHO)
    (row,) = told.json("match", "--missing")["missing"]
    assert (row["loan_id"], row["amount"], row["kind"]) == ("L1", "50.00", "payment")
    assert row["days"] > 0
    assert "payment/" in told("match", "--missing", "--limit", "1")
    assert "go on with --after" in told.err


@pytest.mark.parametrize(
    "words", [("wrong",), ("accept",), ("accept", "L"), ("--status", "wrong"), ("--day", "x")]
)
def test_what_cannot_be_read_is_refused_by_field(told: Told, words: tuple[str, ...]) -> None:
    """A wrong verb, status or day, and a decision without line or actor, are named."""
    told("match", *words)
    assert told.code == 2


def test_payment_instructions_say_what_to_write(told: Told) -> None:
    """Account, reference with check digits and amount are printed; an unknown loan is refused."""
    facts = told.json("payment-instructions", "L1")
    assert facts["reference"] == creditor_reference("L1")
    assert facts["due_minor"] >= 5100  # and penalty for the days since
    assert facts["currency"] == "CNY"
    assert facts["virtual_account"] is None
    text = told("payment-instructions", "L1")
    assert facts["reference_spaced"] in text
    assert "none: the account has no prefix" in text
    told("payment-instructions", "L9")
    assert told.code == 2
