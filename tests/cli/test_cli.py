"""The command line as a program: exit codes, one line for each mistake, never a traceback."""

import errno
import gc
import io
import json
import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from cli import tree as cli
from cli.tree import COMMANDS, run
from domain.errors import Conflict, InvariantBroken, Unavailable
from workers.clock import SandboxClock
from workers.reporting import Exit, complain
from workers.stackfile import StackRecord, write_stack

ROOT = Path(__file__).resolve().parents[2]
OWED = ("--past", "owed")
"""The sample's due dates lie in the past of most days on which it is boarded."""
TERMS = "loan_id,principal,annual_rate,periods,disbursed_on,first_due_on,product"
SAMPLE = ROOT / "examples" / "tapes" / "sample.csv"
CAMT = ROOT.parent / "shared" / "data" / "statements" / "camt"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Acquit(Protocol):
    def __call__(self, *argv: str, home: Path) -> Done: ...


@pytest.fixture
def acquit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Acquit:
    """Give the command line, run in this process: starting Python each time is most of the wait."""
    monkeypatch.setenv("COLUMNS", "200")

    def command(*argv: str, home: Path) -> Done:
        monkeypatch.setenv("ACQUIT_HOME", str(home))
        capsys.readouterr()
        code = run(argv)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return command


def program(*argv: str, home: Path, **more: str) -> Done:
    """Run the program as a user would."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.tree", *argv],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "ACQUIT_HOME": str(home), **more},
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_help_names_every_command_and_the_exit_codes(acquit: Acquit, tmp_path: Path) -> None:
    """A new user finds all there is in one place."""
    done = acquit("--help", home=tmp_path)
    assert done.returncode == 0
    known = {name for names in COMMANDS.values() for name in names} | {"schedule"}
    assert {name for name in known if f" {name} " not in done.stdout} == set()
    assert "70 unexpected error" in done.stdout


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["bord"], "No such command"),
        (["board", "nowhere.csv", "--dry-run"], "nowhere.csv"),
        (["board", str(SAMPLE), "--map", "nowhere.toml", "--dry-run"], "nowhere.toml"),
        (["board", str(SAMPLE)], "home"),
        (["ledger", "verify"], "acquit demo"),
        (["demo", "--json", "nowhere/x.json"], "output: 'nowhere/x.json' is refused"),
        (["worker", "bookz"], "one of all, api, workflows, books"),
        (["db", "upgrade", "--revision", "zzz"], "revision: 'zzz' is refused: head, or"),
        (["story", "L1/x"], "LOAN/NUMBER"),
        (["clock", "advance", "--days", "99999999999"], "3660"),
        (["clock", "advance", "--hours", "99999999999999"], "87840"),
        (["statements", "read", str(SAMPLE)], "refused"),
        (["statements", "read", str(ROOT)], "file"),
        (["--home", str(SAMPLE), "demo"], "a folder, or a name that is free"),
        (["allocate", "--state", "/dev/zero", "--amount", "1", "--order", "x"], "a regular file"),
        (["apr", "--method", "eu", "--flows", "/bin/sh"], "this holds binary data"),
        (["apr", "--method", "eu", "--nonsense", "3"], "No such option: --nonsense"),
    ],
)
def test_a_mistake_ends_with_code_2_and_one_clear_line(
    acquit: Acquit, tmp_path: Path, argv: list[str], said: str
) -> None:
    """Field, value and rule on standard error; nothing on standard output; no traceback."""
    done = acquit(*argv, home=tmp_path / "none")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_program_itself_leaves_with_the_code_of_its_command(tmp_path: Path) -> None:
    """Through the real exit door: flushed output, the right code, no traceback."""
    done = program("board", str(SAMPLE), *OWED, "--dry-run", "--json", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["loans"] == 8
    wrong = program("story", "L1/x", home=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("acquit: loan: 'L1/x' is refused: ")


def test_help_cuts_nothing_at_80_columns(tmp_path: Path) -> None:
    """Option names stand whole, and so does the first sentence of every command."""
    shown = program("--help", home=tmp_path, COLUMNS="80")
    assert shown.returncode == 0
    listed = shown.stdout.partition("Commands:")[2]
    assert "audit" in listed
    assert "..." not in listed
    words = " ".join(listed.split())
    assert "installments that are neither scheduled nor ended, or those of some states" in words
    shown = program("loan", "check", "--help", home=tmp_path, COLUMNS="80")
    assert "--map" in program("board", "--help", home=tmp_path, COLUMNS="80").stdout
    assert "…" not in shown.stdout


def test_a_full_disk_is_reported_as_such(tmp_path: Path) -> None:
    """Output that cannot be written ends with one line and the documented code."""
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123  (a device of the system)
        done = subprocess.run(
            [sys.executable, "-m", "cli.tree", "--home", str(tmp_path), "codes", "--help"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == Exit.UNAVAILABLE
    assert done.stderr.startswith("acquit: the disk is full: ")
    assert "Traceback" not in done.stderr


def test_examples_are_read_as_the_readme_says(acquit: Acquit, tmp_path: Path) -> None:
    """The sample statement adds up, and the sample state pays the oldest installment first."""
    read = acquit(
        "statements",
        "read",
        str(ROOT / "examples/statements/day.camt053.xml"),
        "--json",
        home=tmp_path,
    )
    assert read.returncode == 0, read.stderr
    (statement,) = json.loads(read.stdout)["statements"]
    assert (statement["sum"], statement["closing"], statement["lines"]) == (
        "1511.00",
        "26511.00",
        3,
    )
    state = str(ROOT / "examples/states/open.json")
    words = ("allocate", "--state", state, "--amount", "1020", "--order", "cn-civil-code", "--json")
    paid = acquit(*words, home=tmp_path)
    assert paid.returncode == 0, paid.stderr
    numbers = [part["number"] for part in json.loads(paid.stdout)["allocations"]]
    assert numbers == [3, 3, 3, 4]


def test_a_dry_run_reports_and_needs_no_books(acquit: Acquit, tmp_path: Path) -> None:
    """Reading a tape needs no stack."""
    done = acquit("board", str(SAMPLE), *OWED, "--dry-run", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["loans"], report["fault_count"], report["result"]) == (8, 0, None)
    assert report["comparison"]["exceptions"] == []


def test_boarding_is_all_or_nothing_unless_partial_and_happens_once(
    acquit: Acquit, tmp_path: Path
) -> None:
    """A bad row keeps the good ones out; --partial lets them in; again changes nothing."""
    tape = tmp_path / "tape.csv"
    good = SAMPLE.read_text(encoding="utf-8")
    tape.write_text(good.replace("S-0002,8000", "S-0002,-8000"), encoding="utf-8")
    home = tmp_path / "home"
    assert acquit("db", "upgrade", home=home).returncode == 0
    reported = acquit("board", str(tape), *OWED, home=home)
    assert reported.stderr.splitlines() == [
        "acquit: line 3: principal: '-8000' is refused: above zero",
        "acquit: 1 bad rows, so nothing is boarded; see --partial",
    ]
    refused = acquit("board", str(tape), *OWED, "--json", home=home)
    assert refused.returncode == 2
    report = json.loads(refused.stdout)
    assert [(f["line"], f["field"]) for f in report["faults"]] == [(3, "principal")]
    assert report["result"] is None
    partial = acquit("board", str(tape), *OWED, "--partial", "--json", home=home)
    assert partial.returncode == 0, partial.stderr
    assert json.loads(partial.stdout)["result"]["boarded"] == 7
    again = acquit("board", str(SAMPLE), *OWED, "--json", home=home)
    result = json.loads(again.stdout)["result"]
    assert (result["boarded"], result["known"], result["failed"]) == (1, 7, [])


def test_past_installments_are_boarded_only_by_an_explicit_word(
    acquit: Acquit, tmp_path: Path
) -> None:
    """The refusal names loan, count and first day; a dry run says what the word brings."""
    home, old = tmp_path / "home", tmp_path / "old.csv"
    old.write_text(f"{TERMS}\nP-1,12000,9.6,360,2023-01-16,2023-02-16,cn-personal\n", "utf-8")
    assert acquit("db", "upgrade", home=home).returncode == 0
    reported = acquit("board", str(old), "--json", home=home)
    assert reported.returncode == 2
    faults = json.loads(reported.stdout)["faults"]
    assert [(fault["line"], fault["field"]) for fault in faults] == [(2, "schedule.past")]
    assert "the first on 2023-02-16; say past: ignore" in faults[0]["rule"]
    dry = json.loads(
        acquit("board", str(old), "--dry-run", "--past", "owed", "--json", home=home).stdout
    )
    assert sum(day["debits"] for day in dry["first_days"]) > 40
    assert dry["first_days"][0]["penalties"].keys() == {"CNY"}
    quiet = json.loads(
        acquit("board", str(old), "--dry-run", "--past", "ignore", "--json", home=home).stdout
    )
    assert sum(day["debits"] for day in quiet["first_days"]) <= 1
    assert (
        json.loads(acquit("installments", "--state", "SCHEDULED", "--json", home=home).stdout)[
            "installments"
        ]
        == []
    )
    wrong = acquit("board", str(old), "--past", "never", home=home)
    assert (wrong.returncode, wrong.stderr.count("refuse, ignore, owed")) == (2, 1)
    done = acquit("board", str(old), "--past", "ignore", "--json", home=home)
    assert json.loads(done.stdout)["result"]["boarded"] == 1
    again = acquit("board", str(old), "--json", home=home)
    assert json.loads(again.stdout)["result"]["known"] == 1


def test_a_loan_that_the_books_refuse_leaves_no_other_in(acquit: Acquit, tmp_path: Path) -> None:
    """Another content under a loan's name is found before the first loan is boarded."""
    home = tmp_path / "home"
    assert acquit("db", "upgrade", home=home).returncode == 0
    lines = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    one = tmp_path / "one.csv"
    one.write_text("".join([lines[0], lines[3]]), encoding="utf-8")
    assert acquit("board", str(one), *OWED, home=home).returncode == 0
    other = tmp_path / "other.csv"
    changed = lines[3].replace("30000,7.2", "30000,7.1").replace(",1345.90,", ",,")
    other.write_text("".join([*lines[:3], changed, *lines[4:]]), encoding="utf-8")
    reported = acquit("board", str(other), *OWED, "--json", home=home)
    assert reported.returncode == 2
    report = json.loads(reported.stdout)
    assert [(f["line"], f["field"], f["value"]) for f in report["faults"]] == [
        (4, "loan_id", "S-0003")
    ]
    assert report["result"] is None
    assert acquit("story", "S-0001", home=home).returncode == 2
    part = acquit("board", str(other), *OWED, "--partial", "--json", home=home)
    assert json.loads(part.stdout)["result"]["boarded"] == 7


def test_weekly_installments_moved_to_one_banking_day_are_boarded(
    acquit: Acquit, tmp_path: Path
) -> None:
    """Nine days of closure move two of them to the first banking day: lawful, and all get in."""
    home = tmp_path / "home"
    assert acquit("db", "upgrade", home=home).returncode == 0
    text = (ROOT / "examples" / "products" / "cn-personal.toml").read_text(encoding="utf-8")
    weekly = tmp_path / "weekly.toml"
    weekly.write_text(text.replace('every = "1m"', 'every = "1w"'), encoding="utf-8")
    tape = tmp_path / "weekly.csv"
    # 16 February 2026 and 23 February 2026 lie in the Spring Festival (15 to 23 February).
    row = "W-1,8000,12,8,2026-01-19,2026-01-26,cn-personal"
    tape.write_text(f"{TERMS}\n{row}\n", encoding="utf-8")
    reported = [
        acquit("board", str(tape), "--product", str(weekly), *OWED, *more, "--json", home=home)
        for more in (["--dry-run"], [])
    ]
    assert [done.returncode for done in reported] == [0, 0]
    assert json.loads(reported[1].stdout)["result"]["boarded"] == 1
    found = acquit("installments", "--state", "SCHEDULED", "--json", home=home)
    due = [row["due_on"] for row in json.loads(found.stdout)["installments"]]
    assert len(due) == 8
    assert len(set(due)) == 7


def test_what_the_books_hold_can_be_looked_at(acquit: Acquit, tmp_path: Path) -> None:
    """Story, clock, ledger and export work on books without a running stack."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    acquit("board", str(SAMPLE), *OWED, home=home)
    story = acquit("story", "S-0001/2", home=home)
    assert story.returncode == 0, story.stderr
    assert "Loan S-0001 (sample): 12000.00 CNY" in story.stdout
    assert "next #2:" in story.stdout
    whole = json.loads(acquit("story", "S-0001", "--json", home=home).stdout)
    [opening] = [one for one in whole["events"] if one["command"] == "board_loan"]
    assert {one["kind"] for one in opening["effects"]} == {"move"}
    assert "after" in acquit("story", "S-0001", "--after", "nowhere", home=home).stderr
    assert len(whole["standing"]) == len(whole["next"]) == 12
    assert acquit("story", "S-0001/13", home=home).returncode == 2
    assert acquit("trail", "nothing", home=home).returncode == 2
    verify = json.loads(acquit("ledger", "verify", "--json", home=home).stdout)
    assert verify["chain_ok"] is True
    assert verify["transitions"] == 147
    exported = acquit("ledger", "export", home=home).stdout
    assert exported.startswith(f"; acquit ledger export, chain head {verify['head']} as kept")
    out = tmp_path / "journal.csv"
    assert acquit("ledger", "export", "--format", "csv", "-o", str(out), home=home).returncode == 0
    assert out.read_text(encoding="utf-8").startswith("seq,event,")
    clock = json.loads(acquit("clock", "show", "--json", home=home).stdout)
    assert clock["mode"] is None
    alone = acquit("audit", "--json", home=home)
    assert (alone.returncode, alone.stderr) == (Exit.DONE, "")
    assert json.loads(alone.stdout)["ledger"]["head"] == verify["head"]
    assert acquit("audit", "--against-bank", home=home).returncode == Exit.UNAVAILABLE
    for wrong in (["2020-01-01"], ["soon"], [], ["2030-01-01", "--days", "3"]):
        assert acquit("clock", "advance", *wrong, home=home).returncode == 2


def test_what_is_open_can_be_listed(acquit: Acquit, tmp_path: Path) -> None:
    """By state, the longest waiting first; open cases by kind and loan; a wrong state is named."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    acquit("board", str(SAMPLE), *OWED, home=home)
    found = acquit("installments", "--state", "scheduled", "--limit", "3", "--json", home=home)
    page = json.loads(found.stdout)
    rows = page["installments"]
    assert [row["state"] for row in rows] == ["SCHEDULED"] * 3
    assert rows[0]["loan_id"] == "S-0001"
    assert rows[0]["days"] >= 0
    asked = ("installments", "--state", "SCHEDULED")
    rest = acquit(*asked, "--limit", "3", "--after", page["after"], "--json", home=home)
    more = json.loads(rest.stdout)["installments"]
    seen = {(row["loan_id"], row["number"]) for row in (*rows, *more)}
    assert len(seen) == len(rows) + len(more)
    narrowed = acquit(*asked, "--borrower", rows[0]["borrower"], "--loan", "S-0001", home=home)
    assert f"S-0001/{rows[0]['number']}" in narrowed.stdout
    assert "--after" in acquit(*asked, "--limit", "3", home=home).stderr
    for words, field in (
        (("--after", "x"), "after"),
        (("--owed-least", "5"), "owed_least"),
        (("--owed-least", "5 CNY", "--owed-most", "9 EUR"), "owed_most"),
        (("--action-by", "soon"), "action_by"),
        (("--action-by", "2026-01-01T10:00"), "action_by"),
        (("--action", "SING"), "action"),
    ):
        wrong = acquit(*asked, *words, home=home)
        assert wrong.returncode == 2
        assert field in wrong.stderr
    assert json.loads(acquit("installments", "--json", home=home).stdout)["installments"] == []
    none = json.loads(acquit("cases", "--json", "--kind", "surplus", home=home).stdout)
    assert none == {"cases": [], "count": 0, "after": ""}
    assert "Open cases: 0" in acquit("cases", home=home).stdout
    assert acquit("installments", "--state", "LOST", home=home).returncode == 2


@pytest.mark.parametrize(
    ("option", "typed", "rule"),
    [
        ("--kind", "surpluss", "one of contradiction,"),
        ("--loan", "S-0009", "a loan that is boarded"),
    ],
)
def test_a_misspelt_filter_is_not_answered_with_nothing(
    acquit: Acquit, tmp_path: Path, option: str, typed: str, rule: str
) -> None:
    """No case waits for a kind or loan that is not there; whoever mistypes it is answered so."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    done = acquit("cases", option, typed, home=home)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option[2:]}: '{typed}' is refused: {rule}" in done.stderr


def test_an_order_is_given_once_or_refused_by_name(acquit: Acquit, tmp_path: Path) -> None:
    """Applied, answered again under its id, refused by rule with code 1, faulty with code 2."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    acquit("board", str(SAMPLE), *OWED, home=home)
    who = ["--actor", "ops-7", "--reason", "the borrower called", "--json"]
    hold = ["order", "S-0001/2", "hold", "what=contact", *who, "--id", "h-1"]
    first = json.loads(acquit(*hold, home=home).stdout)
    assert (first["answer"], first["replayed"], first["state"]) == ("held", False, "SCHEDULED")
    assert json.loads(acquit(*hold, home=home).stdout)["replayed"] is True
    terms = ["line=A/S/1", "reference=T-1", "amount_minor=100"]
    match = acquit("order", "S-0001/2", "match_line", *terms, *who, home=home)
    assert (match.returncode, json.loads(match.stdout)["refused_by"]) == (1, "match.line")
    approved = acquit("order", "S-0001/2", "unhold", *who, "--approver", "ops-8", home=home)
    assert json.loads(approved.stdout)["answer"] == "unheld"
    unknown = acquit("order", "S-0001/99", "unhold", *who, home=home)
    assert json.loads(unknown.stdout)["refused_by"] == "installment.unknown"
    for wrong in (
        ["S-0001", "unhold"],
        ["S-0001/2", "holt"],
        ["S-0001/2", "hold", "what"],
        ["S-0001/2", "hold", "what=everything"],
        ["S-0001/2", "unhold", "kind=hold"],
        ["S-0001/2", "waive", "component=interest", "amount_minor=0"],
        ["S-0001/2", "record_payment", "reference=T", "amount_minor=ten"],
    ):
        assert acquit("order", *wrong, *who, home=home).returncode == 2, wrong
    reported = acquit(
        "order", "S-0001/2", "waive", "component=fee", "amount_minor=-5", *who, home=home
    )
    assert reported.stderr == "acquit: amount_minor: '-5' is refused: more than zero\n"


def test_a_statement_that_does_not_add_up_gives_code_1(acquit: Acquit, tmp_path: Path) -> None:
    """The file is reported whole, and what is wrong with it on standard error."""
    if not CAMT.is_dir():
        pytest.skip("the sample statements are not here (../shared/data/statements)")
    done = acquit(
        "statements", "read", str(CAMT / "camt053.v2.five.decimals.xml"), "--json", home=tmp_path
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["statements"][0]["faults"]
    where = "253EURNL26VAYB8060476890"
    assert done.stderr == f"acquit: {where}: balance_differs: stated 27.05, counted 27.00\n"
    nothing = acquit("statements", "read", str(CAMT / "camt053.v2.minimal.xml"), home=tmp_path)
    assert nothing.stderr.splitlines()[-1] == f"acquit: {where}: closing_missing"
    good = acquit(
        "statements", "read", str(CAMT / "camt053.v2.multi.statement.xml"), "--lines", home=tmp_path
    )
    assert good.returncode == 0
    assert "Booked lines" in good.stdout


def test_a_surprise_ends_with_code_70_and_names_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One short line for the user, the traceback in the log."""

    def broken(_wanted: str | None) -> None:
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(cli, "build", broken)
    assert run([f"--home={tmp_path}", "audit"]) == Exit.FAULT
    said = capsys.readouterr().err
    assert "RuntimeError: the sky fell" in said
    assert "Traceback" not in said
    log = tmp_path / "logs" / "acquit-errors.log"
    assert "Traceback" in log.read_text(encoding="utf-8")


def test_an_interrupt_ends_with_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no fault."""

    def interrupted(_wanted: str | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "build", interrupted)
    assert run(["audit"]) == Exit.INTERRUPTED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Conflict("one id, two contents"), Exit.MISTAKE),
        (Unavailable("no bank"), Exit.UNAVAILABLE),
        (InvariantBroken("the books contradict themselves"), Exit.FAULT),
        (PermissionError(13, "no", "secret.csv"), Exit.MISTAKE),
        (ValueError("x"), Exit.FAULT),
    ],
)
def test_only_mistakes_of_the_user_are_mistakes(error: Exception, code: Exit) -> None:
    """A broken invariant is ours, never the user's."""
    assert complain(error) is code


def test_a_reader_that_goes_away_is_no_crash(tmp_path: Path) -> None:
    """`acquit ... | head` must not end in a traceback."""
    command = f"{sys.executable} -m cli.tree board {SAMPLE} --dry-run --json | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "ACQUIT_HOME": str(tmp_path)},
    )
    assert done.stdout.strip() == "{"
    assert "Traceback" not in done.stderr


class Gone(io.StringIO):
    """A pipe whose reader leaves after the first line."""

    def write(self, text: str) -> int:
        if self.getvalue():
            raise BrokenPipeError(errno.EPIPE, "gone")
        return super().write(text)

    def flush(self) -> None:
        if self.getvalue():
            raise BrokenPipeError(errno.EPIPE, "gone")


def test_an_export_whose_reader_goes_away_ends_without_a_word(
    acquit: Acquit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Streams of the books are closed in order: no word about generators, no log of an error."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    acquit("board", str(SAMPLE), *OWED, home=home)
    terms = ["reference=T-1", "amount_minor=10000", "currency=CNY", "value_on=2026-01-20"]
    paid = acquit(
        *["order", "S-0001/1", "record_payment", *terms, "--actor", "o", "--reason", "r"], home=home
    )
    assert paid.returncode == 0, paid.stderr
    monkeypatch.setattr(sys, "stdout", Gone())
    gc.collect()  # what tests before this one left behind is not of this export
    caplog.clear()
    with caplog.at_level(logging.ERROR):
        assert run(["ledger", "export"]) == Exit.NOT_CLEAN  # Click's code for it
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert capsys.readouterr().err == ""
    assert not (home / "logs" / "acquit-errors.log").exists()


def test_a_clock_whose_stack_is_down_says_so_and_how_to_start_it(
    acquit: Acquit, tmp_path: Path
) -> None:
    """After a demo the books are there and the servers are not: no unexpected error, code 69."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    books = f"sqlite+aiosqlite:///{home / 'books.db'}"
    record = StackRecord(
        mode="sandbox",
        database_url=books,
        temporal_address="127.0.0.1:9",
        simulator_url="http://127.0.0.1:9",
    )
    write_stack(home, record)
    SandboxClock.begin(home).close()
    done = acquit("clock", "advance", "--days", "1", home=home)
    assert done.returncode == Exit.UNAVAILABLE
    assert done.stderr == (
        "acquit: Temporal at 127.0.0.1:9 does not answer: ConnectionRefused; "
        "the stack is not up, start it with `acquit up`\n"
    )
