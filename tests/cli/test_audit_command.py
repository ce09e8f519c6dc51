"""`acquit audit` judges books where no bank, server or worker runs."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.tree import run
from tests.support.tree import ROOT
from workers.reporting import Exit

SAMPLE = ROOT / "examples" / "tapes" / "sample.csv"


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Give a home whose books hold the loans of the sample tape, and nothing that runs."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ACQUIT_HOME", str(tmp_path))
    assert run(["db", "upgrade"]) == Exit.DONE
    assert run(["board", str(SAMPLE), "--past", "owed"]) == Exit.DONE
    capsys.readouterr()
    return tmp_path


def test_an_audit_without_a_bank_is_clean_and_a_comparison_needs_one(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only the bank's log can tell is neither counted nor passed over as nothing."""
    assert home.is_dir()
    assert run(["audit", "--json"]) == Exit.DONE
    report = json.loads(capsys.readouterr().out)
    assert report["clean"] is True
    assert report["installments"].keys() == {"SCHEDULED"}
    assert not {"reminders", "posts", "lost_payments"} & report.keys()
    assert run(["audit", "--against-bank"]) == Exit.UNAVAILABLE
    assert "start one with `acquit up`" in capsys.readouterr().err


def test_an_audit_that_finds_something_ends_with_code_1(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever changed a row is found: the item is named, and what is wrong with it."""
    with closing(sqlite3.connect(home / "books.db")) as books, books:
        books.execute("UPDATE subjects SET state = 'CLOSED' WHERE key = 'S-0001/2'")
    assert run(["audit"]) == Exit.NOT_CLEAN
    told = capsys.readouterr().out
    assert "closed and never charged" in told
    assert "NOT CLEAN: 2 findings" in told
    assert run(["audit", "--json"]) == Exit.NOT_CLEAN
    report = json.loads(capsys.readouterr().out)
    assert report["found"] == {"chain": 1, "closed_not_paid": 1}
    assert {finding["subject"] for finding in report["findings"]} == {"journal", "S-0001/2"}


def test_text_that_is_not_utf_8_is_found_and_no_fault_of_the_program(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verifying and auditing name the cell and end with code 1."""
    with closing(sqlite3.connect(home / "books.db")) as books, books:
        books.execute("UPDATE subjects SET view = CAST(x'ff' AS TEXT) WHERE key = 'S-0001/2'")
    named = "column view of subjects is not UTF-8 in row installment/S-0001/2"
    assert run(["ledger", "verify"]) == Exit.NOT_CLEAN
    assert named in capsys.readouterr().err
    assert run(["audit"]) == Exit.NOT_CLEAN
    assert named in capsys.readouterr().out
