"""`acquit unclosed`: what is paid and not closed, explained; reported for the day; healed."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from cli import heal
from domain.errors import Unavailable
from domain.loanclosure.rules import LegKind
from tests.cli.test_cli import Acquit, acquit
from tests.support.booksbench import StillClock
from tests.support.closures import ONE, closing, only
from tests.support.doors import RecordPayment, RollDay
from tests.support.memory import PLAIN, RULES, TESTER, board

__all__ = ["acquit"]  # a fixture


@pytest.fixture
def home(acquit: Acquit, tmp_path: Path) -> Path:
    """Books with a loan that is paid by money which no bank line proves, since March."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    [file] = home.glob("*.db")
    asyncio.run(_fill(f"sqlite:///{file}"))
    return home


async def _fill(url: str) -> None:
    clock = StillClock()
    clock.to(ONE[0].due_on)
    day, engine = clock.at.date(), books_engine(url)
    rules = replace(RULES, calendars={**RULES.calendars, "CN": PLAIN})
    async with SqlBooks(engine, clock, rules) as books:
        who = {"actor": TESTER, "reason": "a test"}
        product = replace(closing(only(LegKind.STOP_CHARGES)), calendar="CN")
        await books.apply(board("L1", product, ONE))
        await books.apply(RollDay(id="roll", loan_id="L1", day=day, **who))  # type: ignore[arg-type]
        paid = {"loan_id": "L1", "number": 1, "reference": "T", "currency": "CNY"}
        await books.apply(RecordPayment(id="pay", amount_minor=10100, value_on=day, **paid, **who))  # type: ignore[arg-type]
    await engine.dispose()


def test_what_is_paid_and_not_closed_is_explained_and_reported(
    acquit: Acquit, home: Path, tmp_path: Path
) -> None:
    """Age, amount, who must supply what, and a file of the day with a chart; late is exit 1."""
    done = acquit("unclosed", "--json", "--report", str(tmp_path / "reports"), home=home)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert (found["count"], found["late"], found["amounts"]) == (1, 1, {"CNY": "101.00"})
    [item] = found["items"]
    assert (item["loan"], item["number"], item["state"]) == ("L1", 1, "CLEARING")
    assert [it["code"] for it in item["lacks"]] == ["unproven", "held"]
    assert item["age_days"] > 30
    assert (found["in_time_rate"], found["reopened_rate"]) == (0.0, 0.0)
    [kept] = (tmp_path / "reports").glob("unclosed-*.json")
    assert json.loads(kept.read_text())["count"] == 1
    [chart] = (tmp_path / "reports").glob("unclosed-*.svg")
    assert "Paid and not closed" in ET.parse(chart).getroot()[0].text  # type: ignore[operator]
    told = acquit("unclosed", home=home).stdout
    assert "L1/1" in told
    assert "LATE" in told
    assert "1 open, 1 late" in told


def test_healing_lists_what_was_done_by_which_rule(
    acquit: Acquit, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Temporal the other rules go on; a loan whose day has come is rolled once."""

    async def away(*_: Any) -> None:
        raise Unavailable("Temporal does not answer")

    monkeypatch.setattr(heal, "healed", away)
    first = json.loads(acquit("unclosed", "--heal", "--json", home=home).stdout)["healed"]
    assert [one["rule"] for one in first] == ["wake", "roll", "remit"]
    assert first[0]["fault"] == "Temporal does not answer"
    told = acquit("unclosed", "--heal", "--late", home=home)
    assert "healed by rule roll: loans rolled into today, 0" in told.stdout
