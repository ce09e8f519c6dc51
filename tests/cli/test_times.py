"""Every list of the command line shows times by one rule, with their offset."""

import asyncio
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapters.calendars.loader import load_calendar
from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from cli.times import Zones
from cli.tree import run
from tests.support.booksbench import StillClock, apply_all, line, roll
from tests.support.doors import RaiseOperator
from tests.support.memory import PRODUCT, RULES, TESTER, board
from tests.support.tree import ROOT, python_files
from workers.settings import Settings

_OFFSET = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?([+-]\d\d:\d\d)?")
DUE = date(2026, 3, 10)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give books with one loan in Shanghai that waits for a person, and a line of a stranger."""
    monkeypatch.setenv("COLUMNS", "300")
    url = Settings(home=tmp_path).books_url()

    async def made() -> None:
        await upgrade(url)
        engine, clock = books_engine(url), StillClock()
        rules = replace(RULES, calendars={**RULES.calendars, "CN": load_calendar("CN")})
        async with SqlBooks(engine, clock, rules) as books:
            await books.apply(board("L1", replace(PRODUCT, calendar="CN")))
            clock.to(DUE)
            given = {"actor": TESTER, "reason": "cannot go on", "loan_id": "L1", "number": 1}
            ask = RaiseOperator(id="ask", **given)  # type: ignore[arg-type]
            await apply_all(books, [roll("L1", DUE), line("NOBODY", 700, day=DUE), ask])
        await engine.dispose()

    asyncio.run(made())
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offsets"),
    [
        (["installments"], {"+08:00"}),
        (["story", "L1"], {"+08:00"}),
        (["mandate", "M-L1"], {"+08:00"}),
        (["cases", "--loan", "L1"], {"+08:00"}),
        (["cases", "--loan", "-"], {"+00:00"}),
        (["case", "operator/L1/1"], {"+08:00"}),
        (["case", "line/ACCT-FUNDER-1-CNY/S1/1"], {"+00:00"}),
        (["trail", "ACCT-FUNDER-1-CNY/S1/1"], {"+00:00"}),
        (["outbox", "list"], {"+00:00"}),
    ],
)
def test_times_are_in_the_zone_of_the_loan_or_else_in_utc(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], offsets: set[str]
) -> None:
    """Of a loan in that of its product; what is about no loan in UTC; always with the offset."""
    capsys.readouterr()
    assert run(["--home", str(home), *words]) == 0
    assert set(_OFFSET.findall(capsys.readouterr().out)) == offsets


def test_what_is_about_loans_of_several_zones_is_in_utc() -> None:
    """A mandate may stand over loans of two countries: neither's time is the mandate's."""
    zones = Zones({"L1": "Asia/Shanghai", "L2": "Asia/Shanghai", "L3": "Europe/Paris"})
    named = {str(zones.of(*loans)) for loans in (("L1",), ("L1", "L2"))}
    assert named == {"Asia/Shanghai"}
    assert {str(zones.of(*loans)) for loans in (("L1", "L3"), ("L9",), (), (None,))} == {"UTC"}


def test_no_list_has_a_rule_of_its_own() -> None:
    """Commands write instants through `cli.times`, so that no two of them differ."""
    direct = [
        path.relative_to(ROOT).as_posix()
        for path in python_files("cli")
        if path.name != "times.py" and "instant_text" in path.read_text()
    ]
    assert direct == []
