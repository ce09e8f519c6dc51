"""`acquit conformance` on the command line: clean, deviating, one loan or all."""

import asyncio
import json
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from adapters.calendars import CALENDARS, load_calendar
from adapters.products.files import read_products
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.calendar import DayWindow
from domain.loan.product import ReminderPlan
from tests.cli.test_ledger_proofs import Desk
from tests.support.booksbench import StillClock, apply_all
from tests.support.memory import RAIL, RULES, board, registering
from tests.support.tree import ROOT

HOURS = DayWindow(time(8), time(21), "Asia/Shanghai")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a desk with a loan whose first installment should have fallen due long ago."""
    (tmp_path / "home").mkdir()
    desk = Desk(tmp_path, {"ACQUIT_HOME": "home"})
    found = read_products(ROOT / "examples" / "products")
    product = replace(next(iter(found.values())).product, reminders=ReminderPlan((), HOURS))
    rules = replace(
        registering(product),
        calendars={**RULES.calendars, **{name: load_calendar(name) for name in CALENDARS}},
        rails={product.rail: RAIL},
    )

    async def make() -> None:
        await upgrade(f"sqlite:///{tmp_path / 'home' / 'books.db'}")
        engine = desk.engine()
        async with SqlBooks(engine, StillClock(), rules) as books:
            await apply_all(books, [board("L1", product)])
        await engine.dispose()

    asyncio.run(make())
    return desk


def test_deviations_end_with_code_1(desk: Desk) -> None:
    """The installment that never fell due is named with its rule; nothing else is."""
    said = desk.say("conformance", "--all", code=1)
    assert "falling due" in said
    facts = json.loads(desk.say("conformance", "L1", "--json", code=1))
    assert facts["installments"] == 3
    assert facts["counts"] == [
        {"step": "falling due", "kind": "missing", "rule": "due_on", "count": 1}
    ]
    assert [one["installment"] for one in facts["listed"]] == ["L1/1"]


def test_books_in_order_end_with_code_0(desk: Desk) -> None:
    """On the day before."""
    desk.now = StillClock().at
    assert "3 installments, 0 deviations" in desk.say("conformance", "--all")


def test_one_loan_or_all_must_be_said(desk: Desk) -> None:
    """Neither, both, or a loan that is not there is refused."""
    assert "one loan, or --all" in desk.say("conformance", code=2)
    assert "one loan, or --all" in desk.say("conformance", "L1", "--all", code=2)
    assert "a loan of these books" in desk.say("conformance", "L9", code=2)
