"""`acquit outbox`: what waits, what is a dead letter, and what people do about it."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from tests.cli.test_cli import OWED, SAMPLE, Acquit, acquit
from tests.support.booksbench import StillClock
from tests.support.doors import RecordDeadLetter
from tests.support.memory import RULES, TESTER

__all__ = ["acquit"]  # a fixture
WHO = ("--actor", "ops-7", "--reason", "the cause is mended")


@pytest.fixture
def home(acquit: Acquit, tmp_path: Path) -> Path:
    """Books whose first message is a dead letter with its case, and whose second waits."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    acquit("board", str(SAMPLE), *OWED, home=home)
    [file] = home.glob("*.db")
    with sqlite3.connect(file) as conn:
        conn.execute("DELETE FROM outbox")
        conn.execute(
            "INSERT INTO outbox (id, topic, stream, body, tries, dead_at, deaths, last_error)"
            " VALUES (1, 'wake', 'a', '{}', 250, 1, 1, 'Conflict'),"
            " (2, 'notice', 'b', '{}', 0, NULL, 0, NULL)"
        )
    conn.close()

    async def report() -> None:
        engine = books_engine(f"sqlite:///{file}")
        async with SqlBooks(engine, StillClock(), RULES) as books:
            await books.apply(
                RecordDeadLetter(
                    id="d",
                    actor=TESTER,
                    message=1,
                    death=1,
                    topic="wake",
                    error="Conflict",
                    tries=250,
                    meaning="a driver was not told",
                )
            )
        await engine.dispose()

    asyncio.run(report())
    return home


def test_a_dead_letter_is_found_and_tried_again(acquit: Acquit, home: Path) -> None:
    """Listed, shown with its case, ordered; the same id is the same order."""
    page = json.loads(acquit("outbox", "list", "--state", "dead", "--json", home=home).stdout)
    assert ([row["id"] for row in page["messages"]], page["after"]) == ([1], "")
    shown = acquit("outbox", "show", "1", home=home).stdout
    for part in ("wake to a, dead", "250 failed tries, the last by Conflict", "case outbox/1"):
        assert part in shown
    done = acquit("outbox", "retry", "1", *WHO, "--id", "r-1", home=home)
    assert done.returncode == 0, done.stderr
    assert "tried again; message 1 is OPEN (order r-1)" in done.stdout
    again = acquit("outbox", "retry", "1", *WHO, "--id", "r-1", "--json", home=home)
    assert json.loads(again.stdout)["replayed"] is True
    row = json.loads(acquit("outbox", "show", "1", "--json", home=home).stdout)
    assert (row["state"], row["tries"]) == ("waiting", 0)


def test_a_dead_letter_is_dropped(acquit: Acquit, home: Path) -> None:
    """Its case ends, and a further order is refused by name."""
    done = acquit("outbox", "drop", "1", *WHO, home=home)
    assert done.returncode == 0, done.stderr
    assert "Open cases: 0" in acquit("cases", home=home).stdout
    refused = acquit("outbox", "retry", "1", *WHO, home=home)
    assert refused.returncode == 1
    assert "refused by message.ended" in refused.stderr
    assert acquit("ledger", "verify", home=home).returncode == 0


@pytest.mark.parametrize(
    ("message", "rule", "why"),
    [
        ("2", "message.waiting", "message 2 is waiting to be delivered"),
        ("99", "message.unknown", "message 99 is not in the outbox"),
    ],
)
@pytest.mark.parametrize("verb", ["retry", "drop"])
def test_an_order_about_a_message_that_is_no_dead_letter_is_refused_by_rule(
    acquit: Acquit, home: Path, verb: str, message: str, rule: str, why: str
) -> None:
    """Exit code 1; the refusal names the message and how far it has come."""
    refused = acquit("outbox", verb, message, *WHO, home=home)
    assert refused.returncode == 1, refused.stdout
    assert f"refused by {rule}: {why}" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--state", "lost"), "state"),
        (("list", "--topic", "song"), "topic"),
        (("list", "--after", "x"), "after"),
        (("show", "99"), "message"),
    ],
)
def test_what_is_wrong_is_said_by_field(
    acquit: Acquit, home: Path, words: tuple[str, ...], said: str
) -> None:
    """An unknown state, topic, cursor or message."""
    found = acquit("outbox", *words, home=home)
    assert found.returncode == 2
    assert said in found.stderr


def test_a_long_list_goes_on_where_it_ended(acquit: Acquit, home: Path) -> None:
    """The note says how."""
    first = acquit("outbox", "list", "--limit", "1", home=home)
    cursor = first.stderr.split("--after ")[1].split()[0]
    rest = acquit("outbox", "list", "--after", cursor, "--json", home=home)
    assert [row["id"] for row in json.loads(rest.stdout)["messages"]] == [2]


def test_messages_of_long_ago_are_removed(acquit: Acquit, home: Path) -> None:
    """Delivered in 1970: gone. The dead letter and the one that waits stay."""
    [file] = home.glob("*.db")
    with sqlite3.connect(file) as conn:
        conn.execute(
            "INSERT INTO outbox (id, topic, stream, body, delivered_at)"
            " VALUES (3, 'wake', 'c', '{}', 1)"
        )
    conn.close()
    assert "1 messages removed" in acquit("db", "prune", "--days", "30", home=home).stdout
    page = json.loads(acquit("outbox", "list", "--json", home=home).stdout)
    assert [row["id"] for row in page["messages"]] == [1, 2]
