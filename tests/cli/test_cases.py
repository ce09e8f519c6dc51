"""`acquit cases` and `acquit case`: people see what waits, take it, note it and end it."""

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from tests.cli.test_cli import OWED, SAMPLE, Acquit, acquit
from tests.support.booksbench import StillClock, line
from tests.support.doors import RaiseOperator
from tests.support.memory import RULES, TESTER

__all__ = ["acquit"]  # a fixture
KEY = "operator/S-0001/1"
WHO = ("--actor", "ops-7", "--reason", "looked into it")


@pytest.fixture
def home(acquit: Acquit, tmp_path: Path) -> Path:
    """Books with the sample tape and one case that waits for a person."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    acquit("board", str(SAMPLE), *OWED, home=home)
    [file] = home.glob("*.db")

    async def ask() -> None:
        engine = books_engine(f"sqlite:///{file}")
        async with SqlBooks(engine, StillClock(), RULES) as books:
            given = {"actor": TESTER, "reason": "cannot go on", "loan_id": "S-0001", "number": 1}
            await books.apply(RaiseOperator(id="ask", **given))  # type: ignore[arg-type]
        await engine.dispose()

    asyncio.run(ask())
    return home


def test_a_case_is_worked_on_by_a_person(acquit: Acquit, home: Path) -> None:
    """Listed, taken, noted, resolved, opened again; the same id is the same order."""
    [row] = json.loads(acquit("cases", "--json", home=home).stdout)["cases"]
    assert (row["key"], row["kind"], row["about"]) == (KEY, "needs_operator", "S-0001/1")
    assert row["owner"] == "operations"
    taken = acquit("case", "assign", KEY, "assignee=ann", *WHO, "--id", "a-1", home=home)
    assert taken.returncode == 0, taken.stderr
    assert f"assigned to ann; {KEY} is ASSIGNED (order a-1)" in taken.stdout
    again = acquit("case", "assign", KEY, "assignee=ann", *WHO, "--id", "a-1", "--json", home=home)
    assert json.loads(again.stdout)["replayed"] is True
    assert (
        json.loads(acquit("cases", "--owner", "ann", "--json", home=home).stdout)["cases"][0]["key"]
        == KEY
    )
    assert acquit("case", "note", KEY, *WHO, home=home).returncode == 0
    shown = acquit("case", KEY, home=home)
    assert shown.returncode == 0, shown.stderr
    for part in ("ASSIGNED, ann of operations", "cannot go on", "looked into it", "Give the order"):
        assert part in shown.stdout
    done = acquit("case", "resolve", KEY, "resolution=corrected", "cause=human", *WHO, home=home)
    assert done.returncode == 0, done.stderr
    assert "Open cases: 0" in acquit("cases", home=home).stdout
    assert KEY in acquit("cases", "--resolved", home=home).stdout, "to name it in an order"
    [ended] = json.loads(acquit("cases", "--resolved", "--json", home=home).stdout)["cases"]
    assert (ended["state"], ended["cause"], ended["due"]) == ("RESOLVED", "human", "corrected")
    assert acquit("case", "reopen", KEY, *WHO, home=home).returncode == 0
    whole = json.loads(acquit("case", KEY, "--json", home=home).stdout)
    assert (whole["state"], whole["generation"], len(whole["notes"])) == ("OPEN", 2, 1)
    assert [event["effects"][0]["event"] for event in whole["story"]] == [
        "case_opened",
        "case_assigned",
        "case_noted",
        "case_resolved",
        "case_reopened",
    ]
    assert "a case was given to a person" in acquit("story", "S-0001", home=home).stdout
    assert json.loads(acquit("ledger", "verify", "--json", home=home).stdout)["chain_ok"] is True


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("close", KEY), 2, "VERB: 'close' is refused: one of assign, note, wait, resolve, reopen"),
        (("assign", KEY, "assignee=a", "--to", "settlement", *WHO), 2, "only of transfer"),
        (("transfer", KEY, *WHO), 2, "to"),
        (("transfer", KEY, "--to", "nobody", *WHO), 1, "refused by case.team"),
        (("assign",), 2, "KEY"),
        (("no/such/case",), 2, "the key of a case"),
        (("assign", KEY, *WHO), 2, "assignee"),
        (("assign", KEY, "assignee=ann"), 2, "actor: '' is refused: who orders"),
        (("note", KEY, "--actor", "a"), 2, "reason: '' is refused"),
        (("assign", "no/such", "assignee=a", *WHO), 1, "refused by case.unknown"),
        (("wait", KEY, "until=2001-01-01", *WHO), 1, "refused by case.wait"),
        (("wait", KEY, "until=soon", *WHO), 2, "until"),
        (("resolve", KEY, "resolution=cleared", *WHO), 2, "resolution"),
        (("reopen", KEY, *WHO), 1, "refused by case.open"),
    ],
)
def test_a_wrong_order_about_a_case_is_named_and_changes_nothing(
    acquit: Acquit, home: Path, words: tuple[str, ...], code: int, named: str
) -> None:
    """Field, value and rule; or the rule of the books that refuses it."""
    before = acquit("cases", "--json", home=home).stdout
    done = acquit("case", *words, home=home)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert named in done.stderr
    assert acquit("cases", "--json", home=home).stdout == before


def test_an_ended_case_is_found_by_a_note_and_says_why_it_was_opened(
    acquit: Acquit, home: Path
) -> None:
    """By words of its note, cause code, team and days; shown with what it points to."""
    moved = acquit("case", "transfer", KEY, "--to", "settlement", *WHO, home=home)
    assert moved.returncode == 0, moved.stderr
    assert f"transferred to settlement; {KEY} is OPEN" in moved.stdout
    noted = ("--actor", "ops-7", "--reason", "the Bank called back")
    assert acquit("case", "note", KEY, *noted, home=home).returncode == 0
    acquit("case", "resolve", KEY, "resolution=no_fault", *WHO, home=home)
    for narrowed in (
        ("--text", "BANK cal"),
        ("--code", "asked_for", "--all"),
        ("--team", "settlement", "--resolved"),
        ("--resolution", "no_fault"),
        ("--text", "bank", "--cause", "system", "--opened-from", "2020-01-01"),
    ):
        found = json.loads(acquit("cases", *narrowed, "--json", home=home).stdout)
        assert [row["key"] for row in found["cases"]] == [KEY], narrowed
    assert "Open and resolved cases: 0" in acquit("cases", "--text", "nowhere", home=home).stdout
    whole = json.loads(acquit("case", KEY, "--json", home=home).stdout)
    assert (whole["cause_code"], whole["resolution"]) == ("asked_for", "no_fault")
    assert {"to": "command", "name": "ask"} in whole["links"]
    shown = acquit("case", KEY, home=home).stdout
    assert "cause: system, asked_for" in shown
    assert "see command ask" in shown
    for wrong, rule in (
        (("--text", "!!"), "1 to 10 words"),
        (("--cause", "weather"), "one of system"),
        (("--opened-to", "soon"), "YYYY-MM-DD"),
        (("--resolution", "lost"), "one of cleared"),
    ):
        refused = acquit("cases", *wrong, home=home)
        assert (refused.returncode, rule in refused.stderr) == (2, True), refused.stderr


def test_the_list_takes_a_cursor_and_narrows_to_what_is_late(acquit: Acquit, home: Path) -> None:
    """A wrong cursor is named; what is late is listed with its lateness."""
    wrong = acquit("cases", "--after", "nobody", home=home)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "after: 'nobody' is refused: a cursor as a page of the same list gave it" in wrong.stderr
    late = json.loads(acquit("cases", "--late", "--json", home=home).stdout)["cases"]
    assert [row["late"] for row in late] in ([], [True])


def test_the_help_names_what_can_be_ordered(acquit: Acquit, tmp_path: Path) -> None:
    """Each verb with its terms, as the books define them."""
    told = acquit("case", "--help", home=tmp_path).stdout
    for part in ("assign", "assignee", "resolve", "resolution=", "wait", "until", "reopen", "note"):
        assert part in told
    assert "cleared" not in told, "the books alone say that"


@pytest.mark.parametrize("words", [("case", "a\udcff"), ("cases", "--owner", "a\udcff")])
def test_a_word_that_is_no_text_is_named(
    acquit: Acquit, home: Path, words: tuple[str, ...]
) -> None:
    """Bytes of another encoding are a mistake of whoever typed them, not a fault of ours."""
    done = acquit(*words, home=home)
    assert done.returncode == 2
    assert r"argument: 'a\udcff' is refused: text in UTF-8" in done.stderr


def test_the_lines_that_a_case_stands_for_are_listed_in_pages(acquit: Acquit, home: Path) -> None:
    """Each with its amount and text, in order; the case says how many of them are open."""
    [file] = home.glob("*.db")

    async def flood() -> None:
        engine = books_engine(f"sqlite:///{file}")
        async with SqlBooks(engine, StillClock(), RULES) as books:
            lines = [line("?", 500, day=date(2026, 3, 10), name=f"{n:04}") for n in range(203)]
            await books.apply_many([replace(one, file="f" * 64) for one in lines])
        await engine.dispose()

    asyncio.run(flood())
    [row] = [
        row
        for row in json.loads(acquit("cases", "--json", "--limit", "500", home=home).stdout)[
            "cases"
        ]
        if row["key"].startswith("items/")
    ]
    key = row["key"]
    assert (row["amount"], row["kind"]) == ("15.00", "unmatched_line")
    shown = acquit("case", key, home=home).stdout
    assert "3 of 3 lines are open; list them with --items" in shown
    page = acquit("case", key, "--items", "--limit", "2", home=home)
    assert f"{key}: 3 of 3 lines are open" in page.stdout
    assert "0200" in page.stdout
    assert "go on with --after" in page.stderr
    first = json.loads(acquit("case", key, "--items", "--limit", "2", "--json", home=home).stdout)
    after = ("--after", first["after"])
    rest = json.loads(acquit("case", key, "--items", *after, "--json", home=home).stdout)
    [last] = rest["items"]
    assert (len(first["items"]), rest["after"]) == (2, "")
    assert last["line"].endswith("/0202")
    assert (last["amount"], last["currency"], last["cleared_at"]) == ("5.00", "CNY", None)
    assert json.loads(acquit("case", KEY, "--items", "--json", home=home).stdout)["items"] == []
    with closing(sqlite3.connect(file)) as conn, conn:
        conn.execute("UPDATE case_items SET cleared_at = added_at WHERE line LIKE '%/0201'")
    left = json.loads(acquit("case", key, "--items", "--open", "--json", home=home).stdout)
    assert [item["line"][-4:] for item in left["items"]] == ["0200", "0202"]
    unknown = acquit("case", "no/such", "--items", home=home)
    assert (unknown.returncode, "the key of a case" in unknown.stderr) == (2, True)


def test_a_code_or_team_that_nobody_knows_is_no_empty_list(acquit: Acquit, home: Path) -> None:
    """A slip of the pen is a mistake by field and rule; a team without cases has an empty list."""
    for option, name in (("--code", "askedfor"), ("--team", "setlement")):
        done = acquit("cases", option, name, home=home)
        assert (done.returncode, name in done.stderr) == (2, True)
    for option, name in (("--code", "said_anew"), ("--team", "settlement")):
        assert acquit("cases", option, name, home=home).returncode == 0
