"""`acquit trail`: the way of one payment, in words, as JSON and as a picture."""

import asyncio
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from adapters.calendars.loader import load_calendar
from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from cli.tree import run
from domain.loan.view import installment
from tests.support.booksbench import StillClock, apply_all, confirm, intend, line, order_of, roll
from tests.support.memory import PRODUCT, RULES, board
from workers.settings import Settings

DUE = date(2026, 3, 10)
ACCOUNT = "bank/ACCT-FUNDER-1-CNY"


@pytest.fixture
def proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """Give books in which one debit was taken and proven by a line, and its order number."""
    monkeypatch.setenv("COLUMNS", "300")
    url = Settings(home=tmp_path).books_url()

    async def made() -> str:
        await upgrade(url)
        engine, clock = books_engine(url), StillClock()
        rules = replace(RULES, calendars={**RULES.calendars, "CN": load_calendar("CN")})
        queries = SqlQueries(engine, clock, rules)
        async with SqlBooks(engine, clock, rules) as books:
            await books.apply(board("L1", replace(PRODUCT, calendar="CN")))
            clock.to(DUE)
            await books.apply(roll("L1", DUE))
            view = await queries.view(installment("L1", 1))
            assert view is not None
            assert view.next_action is not None
            order_no = order_of(await intend(books, "L1", 1, view.next_action.key))
            await books.apply(confirm(order_no, 10100))
            clock.to(date(2026, 3, 13))
            both = [line(order_no, 10100, day=DUE), line("NOBODY", 700, day=DUE, name="2")]
            await apply_all(books, both)
        await engine.dispose()
        return order_no

    return tmp_path, asyncio.run(made())


def told(capsys: pytest.CaptureFixture[str], home: Path, *words: str) -> str:
    """What the command printed; it ended well."""
    capsys.readouterr()
    code = run(["--home", str(home), "trail", *words])
    out = capsys.readouterr()
    assert code == 0, out.err
    return out.out


def test_it_says_where_the_money_lay_for_whom_and_how_long(
    proven: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Two hops over the rail and the account; the share is held; what it paid is named."""
    home, order_no = proven
    said = told(capsys, home, order_no)
    assert f"2 hops over 2 accounts of cash: clearing/simbank > {ACCOUNT}" in said
    assert "paid 100.00 CNY of principal: L1/1" in said
    (flow,) = json.loads(told(capsys, home, order_no, "--json"))["flows"]
    dwelt = {stay["account"]: stay["dwell_days"] for stay in flow["stays"]}
    assert dwelt["clearing/simbank"] == 3
    assert dwelt[ACCOUNT] > 0, "it lies there until today"
    assert [hop["to"] for hop in flow["hops"]] == ["clearing/simbank", ACCOUNT]
    assert flow["stays"][-1]["account"] == "held_by/funder-1"


def test_the_picture_is_drawn_once_and_never_over_something_else(
    proven: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second drawing needs --replace; the file is an SVG."""
    home, order_no = proven
    picture = tmp_path / "way.svg"
    told(capsys, home, order_no, "--svg", str(picture))
    assert ET.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert run(["--home", str(home), "trail", order_no, "--svg", str(picture)]) == 2
    assert "--replace" in capsys.readouterr().err
    told(capsys, home, order_no, "--svg", str(picture), "--replace")


def test_a_picture_needs_one_payment_and_all_of_it(
    proven: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that holds a part of the postings, and a line that nobody knows, draw nothing."""
    home, order_no = proven
    picture = tmp_path / "way.svg"
    for words in ([order_no, "--limit", "2"], ["ACCT-FUNDER-1-CNY/S1/2"]):
        assert run(["--home", str(home), "trail", *words, "--svg", str(picture)]) == 2
        assert "one payment for a picture" in capsys.readouterr().err
    assert not picture.exists()
    assert json.loads(told(capsys, home, order_no, "--limit", "2", "--json"))["flows"] == []
