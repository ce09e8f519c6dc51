"""`acquit threeway`, `daily-audit` and `signoff`: a day is matched, audited, and answered for."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.calendars import CALENDARS, load_calendar
from adapters.products.files import read_products
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from tests.cli.test_ledger_proofs import Desk
from tests.support.booksbench import StillClock, apply_all
from tests.support.doors import RecordPayment
from tests.support.memory import RAIL, RULES, TESTER, board, registering
from tests.support.tree import ROOT

HEAD = "rail,order_no,currency,amount,value_on\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a desk with a loan on which a transfer was reported today, and no line has come."""
    (tmp_path / "home").mkdir()
    (tmp_path / "reports").mkdir()
    desk = Desk(tmp_path, {"ACQUIT_HOME": "home"}, StillClock().at)
    product = next(iter(read_products(ROOT / "examples" / "products").values())).product
    calendars = {name: load_calendar(name) for name in CALENDARS}
    rules = replace(
        registering(product),
        calendars={**RULES.calendars, **calendars},
        rails={product.rail: RAIL},
    )
    paid = RecordPayment(
        id="pay",
        actor=TESTER,
        reason="reported by the borrower",
        loan_id="L1",
        number=1,
        reference="T-1",
        amount_minor=5_000,
        currency=product.currency,
        value_on=desk.now.date(),
    )

    async def make() -> None:
        await upgrade(f"sqlite:///{tmp_path / 'home' / 'books.db'}")
        engine = desk.engine()
        async with SqlBooks(engine, StillClock(), rules) as books:
            await apply_all(books, [board("L1", product), paid])
        await engine.dispose()

    asyncio.run(make())
    return desk


def test_a_day_is_matched_with_a_report(desk: Desk, tmp_path: Path) -> None:
    """The transfer waits for its line in time; an order that only the rail has is unexplained."""
    day = desk.now.date().isoformat()
    said = desk.say("threeway", "--date", day)
    assert "1 differences, 0 unexplained" in said
    assert "within the time of settlement" in said
    (tmp_path / "r.csv").write_text(f"{HEAD}simbank,X,CNY,1.00,{day}\n")
    words = ("threeway", "--date", day, "--report", "r.csv")
    facts = json.loads(desk.say(*words, "--json", code=1))
    assert facts["counts"] == {"awaits_line": 1, "not_in_ledger": 1}
    assert (facts["unexplained"], len(facts["digest"])) == (1, 64)
    assert "NOTHING" in desk.say(*words, code=1)
    assert "a date" in desk.say("threeway", "--date", "march", code=2)
    (tmp_path / "r.csv").write_text("rail\n")
    assert "order_no" in desk.say(*words, code=2)


def test_a_clean_day_is_signed_off(desk: Desk) -> None:
    """It is audited, listed as unsigned, signed, and listed with who signed."""
    day = desk.now.date().isoformat()
    sign = ("signoff", day, "--role", "finance", "--actor", "fin-3", "--reason", "seen")
    assert "one that was audited" in desk.say(*sign, code=2)
    assert ": clean," in desk.say("daily-audit", "--date", day)
    assert "NOBODY" in desk.say("daily-audit", "--list", "5")
    assert "signed off by finance/fin-3" in desk.say(*sign)
    (row,) = json.loads(desk.say("daily-audit", "--list", "5", "--json"))
    assert (row["day"], row["clean"], row["signed_by"]) == (day, True, "finance/fin-3")
    signed = json.loads(desk.say(*sign, "--json"))
    assert (signed["digest"], signed["forced"]) == (row["digest"], False)


def test_a_day_with_unexplained_differences_needs_two(desk: Desk, tmp_path: Path) -> None:
    """Refused, unless one orders it and another one approves."""
    day = desk.now.date().isoformat()
    (tmp_path / "reports" / f"{day}.csv").write_text(f"{HEAD}simbank,X,CNY,1.00,{day}\n")
    said = desk.say("daily-audit", "--date", day, "--reports", "reports", "--json", code=1)
    assert json.loads(said)["unexplained"] == 1
    sign = ("signoff", day, "--role", "audit", "--actor", "aud-1", "--reason", "bank asked")
    assert "1 unexplained differences" in desk.say(*sign, code=2)
    assert "another person" in desk.say(*sign, "--force", "--approver", "aud-1", code=2)
    done = json.loads(desk.say(*sign, "--force", "--approver", "fin-9", "--json"))
    assert (done["forced"], done["approver"]) == (True, "fin-9")


def test_yesterday_is_audited_unless_a_day_is_named(desk: Desk) -> None:
    """As the schedule does."""
    facts = json.loads(desk.say("daily-audit", "--json"))
    assert facts["day"] == "2026-03-01"
