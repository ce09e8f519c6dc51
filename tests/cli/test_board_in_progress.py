"""`acquit board` of loans in progress: the example, as the guide describes it."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.tree import run
from workers.clock import SandboxClock
from workers.reporting import Exit
from workers.stackfile import StackRecord, write_stack

TAPES = Path(__file__).resolve().parents[2] / "examples" / "tapes"
TAPE, HISTORY = TAPES / "in_progress.csv", TAPES / "in_progress_history.csv"
MONDAY = datetime(2026, 6, 22, 2, tzinfo=UTC)
"""Ten in the morning in Shanghai, two days after the cut-over."""

Board = Callable[..., tuple[int, str, str]]


@pytest.fixture
def board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Board:
    """Give `acquit board` for a sandbox whose day is that Monday; code, output and errors."""
    write_stack(tmp_path, record())
    SandboxClock.begin(tmp_path, MONDAY).close()
    monkeypatch.setenv("ACQUIT_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(("board", *words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def record() -> StackRecord:
    """A sandbox whose books and servers are not there: a dry run needs none."""
    nowhere = "http://127.0.0.1:9"
    return StackRecord(
        mode="sandbox",
        database_url="sqlite+aiosqlite:////nowhere/books.db",
        temporal_address="127.0.0.1:9",
        simulator_url=nowhere,
    )


def test_the_example_is_read_with_its_history_and_its_control_rows(board: Board) -> None:
    """Its figures are those that its columns add up to by hand, and the first week is known."""
    code, said, errors = board(str(TAPE), "--history", str(HISTORY), "--dry-run", "--json")
    report = json.loads(said)
    assert (code, errors, report["faults"], report["loans"]) == (0, "", [], 8)
    yuan, dollars = report["in_progress"]
    assert yuan == {
        "currency": "CNY",
        "loans": 7,
        "paid_principal": "3850.00",
        "paid_interest": "297.48",
        "paid_fee": "0.00",
        "paid_penalty": "2.50",
        "waived_principal": "0.00",
        "waived_interest": "8.27",
        "waived_fee": "0.00",
        "waived_penalty": "1.50",
        "written_off_principal": "1100.00",
        "written_off_interest": "29.60",
        "written_off_fee": "0.00",
        "written_off_penalty": "4.00",
        "balance": "3450.00",
        "penalty_accrued": "0.35",
        "advance": "0.00",
        "unplaced": "10.00",
        "control": "agrees",
    }
    assert (dollars["balance"], dollars["advance"]) == ("4000.00", "350.00")
    assert dollars["control"] == "agrees"
    first = report["first_days"][0]
    assert (first["day"], first["debited"]) == ("2026-06-22", {"CNY": "108.73"})
    # Nothing of the 8.35 that the former system charged: two days on 60.00 and on 108.27.
    assert first["penalties"] == {"CNY": "0.14"}


def test_people_are_shown_the_same_figures(board: Board) -> None:
    """One table for each currency; sums of zero are left out."""
    code, said, _ = board(str(TAPE), "--history", str(HISTORY), "--dry-run")
    assert code == 0
    assert "7 loans in progress in CNY; control row: agrees" in said
    assert "3450.00" in said
    assert "waived_fee" not in said
    assert "1 loans in progress in USD; control row: agrees" in said


@pytest.mark.parametrize(
    ("change", "words", "control", "fault"),
    [
        (("3850.00", "3850.01"), (), "differs", "line 10: paid_principal: '3850.01' is refused: "),
        (("", ""), ("--limit", "3"), "not checked, as the tape was not read whole", ""),
    ],
)
def test_a_total_that_is_off_boards_nothing_and_a_part_is_not_compared(
    board: Board,
    tmp_path: Path,
    change: tuple[str, str],
    words: tuple[str, ...],
    control: str,
    fault: str,
) -> None:
    """The fault says what the rows sum to; with --limit nobody can know."""
    tape = tmp_path / "tape.csv"
    tape.write_text(TAPE.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    asked = (str(tape), "--history", str(HISTORY), "--dry-run", "--json", *words)
    code, said, errors = board(*asked)
    report: dict[str, Any] = json.loads(said)
    assert report["in_progress"][0]["control"] == control
    assert code == (2 if fault else 0)
    shown = board(str(tape), "--history", str(HISTORY), "--dry-run", *words)[2]
    assert fault in shown
    assert ("nothing is boarded" in errors) == bool(fault)


def test_a_history_without_its_tape_is_named_by_its_own_lines(board: Board, tmp_path: Path) -> None:
    """The fault of a history is told apart from one of the tape, in text and for programs."""
    history = tmp_path / "history.csv"
    text = HISTORY.read_text(encoding="utf-8").replace("P-0003,3,paid", "P-0003,13,paid")
    history.write_text(text, encoding="utf-8")
    code, said, _ = board(str(TAPE), "--history", str(history), "--dry-run", "--json")
    (fault,) = json.loads(said)["faults"]
    assert (code, fault["file"], fault["line"]) == (2, "history", 7)
    assert (fault["field"], fault["value"], fault["rule"]) == ("installment", "13", "1 to 12")
    shown = board(str(TAPE), "--history", str(history), "--dry-run")[2]
    assert "history line 7: installment: '13' is refused: 1 to 12" in shown
    assert board(str(TAPE), "--history", "nowhere.csv", "--dry-run")[0] == 2


def test_what_is_past_due_and_what_is_to_be_debited_is_told_by_age(board: Board) -> None:
    """Of two late loans one asks for its debit: its sum, with the penalty up to the cut-over."""
    asked = (str(TAPE), "--history", str(HISTORY), "--dry-run")
    report = json.loads(board(*asked, "--json")[1])
    found = {(it["currency"], it["days_past_due"]): it for it in report["arrears"]}
    assert list(found)[:5] == [("CNY", days) for days in ("0", "1-30", "31-60", "61-90", "over 90")]
    assert found["CNY", "1-30"] == {
        "currency": "CNY",
        "days_past_due": "1-30",
        "loans": 2,
        "installments": 2,
        "past_due": "168.62",
        "asked_installments": 1,
        "asked": "108.62",
        "not_debited_installments": 0,
        "not_debited": "0.00",
    }
    assert (found["CNY", "0"]["loans"], found["USD", "0"]["loans"]) == (5, 1)
    assert report["next_debits"] == {"compared": 1, "agreed": 1, "exceptions": []}
    assert (report["not_debited"], report["unknown_codes"]) == ([], [])
    said = board(*asked)[1]
    assert "Past due today" in said
    assert "1 of 1 agree with the tape's next debit" in said


def test_a_code_that_nobody_knows_is_named_with_what_it_keeps_from_being_debited(
    board: Board, tmp_path: Path
) -> None:
    """The plan of attempts is over after it; the codes that are near to it are named."""
    tape, history = tmp_path / "tape.csv", tmp_path / "history.csv"
    text = HISTORY.read_text(encoding="utf-8")
    assert "returned,AM04" in text
    history.write_text(text.replace("returned,AM04", "returned,AM-4"), encoding="utf-8")
    rows = list(csv.DictReader(TAPE.read_text(encoding="utf-8").splitlines()))
    with tape.open("w", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        past = {"P-0003": "owed"}
        writer.writerows({**row, "past": past.get(row["loan_id"], row["past"])} for row in rows)
    asked = (str(tape), "--history", str(history), "--dry-run")
    report = json.loads(board(*asked, "--json")[1])
    (code,) = report["unknown_codes"]
    assert (code["code"], code["returned"], code["debits"]) == ("AM-4", True, 1)
    assert code["nearest"][0] == {"code": "AM04", "class": "NSF"}
    (barred,) = report["not_debited"]
    assert barred["rule"]
    (late,) = (it for it in report["arrears"] if it["not_debited_installments"])
    assert late["not_debited"] == "60.00"
    said = board(*asked)[1]
    assert f"{barred['loan_id']}, installment {barred['number']}: past is owed" in said
    assert "which simbank does not have; nearest: AM04 (NSF)" in said


def test_a_next_debit_that_differs_is_shown_and_keeps_no_loan_out(
    board: Board, tmp_path: Path
) -> None:
    """Both sums and both days stand beside each other."""
    tape = tmp_path / "tape.csv"
    text = TAPE.read_text(encoding="utf-8")
    assert "2026-07-10,107.00" in text
    tape.write_text(text.replace("2026-07-10,107.00", "2026-07-10,99.00"), encoding="utf-8")
    code, said, _ = board(str(tape), "--history", str(HISTORY), "--dry-run")
    assert code == 0
    assert "Next debits that differ: 1 of 1" in said
    assert "99.00 on 2026-07-10" in said


def test_a_part_that_the_control_row_does_not_agree_with_is_not_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--partial boards the loan in spite of a total that is off; the exit code says that it is."""
    today, home = datetime.now(UTC).date(), ("--home", str(tmp_path / "home"))
    columns = "loan_id,principal,annual_rate,periods,disbursed_on,product,as_of"
    lent = today - timedelta(days=10)
    loan = f"C-1,1200.00,12,12,{lent},cn-personal,{today - timedelta(days=1)},old,list,1200.00"
    total = "TOTAL:CNY,1200.00,,,,,,,,1200.01"
    tape = tmp_path / "tape.csv"
    tape.write_text(f"{columns},holder,evidence,balance\n{loan}\n{total}\n", encoding="utf-8")
    assert run((*home, "db", "upgrade")) == 0
    assert run((*home, "board", str(tape))) == Exit.MISTAKE
    capsys.readouterr()
    assert run((*home, "board", str(tape), "--partial")) == Exit.NOT_CLEAN
    said = capsys.readouterr()
    assert "1 loans boarded" in said.out
    assert "the control row does not agree" in said.err
