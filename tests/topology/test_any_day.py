"""The job of the topology runs in real time: on any day it takes the same course."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

from adapters.products.files import read_products
from adapters.rails.simbank.profile import SIMBANK
from domain.debit.presentment import taking_orders
from domain.loan.change import Change
from tests.support.base import BASES
from tests.support.memory import MemoryBooks
from tests.support.scene import Scene
from tests.topology.scene import PAID, SHANGHAI, loans, product_files
from workers.accounts import accounts_of
from workers.compose import rulebook
from workers.rails import rails_of
from workers.settings import Settings

FIRST = date(2027, 12, 1)
DAYS = [FIRST + timedelta(days=day) for day in range(0, 400, 2)]
"""A leap day, both clock changes, long holidays, and days beyond every confirmed calendar."""
BASE_DAYS = [at.astimezone(SHANGHAI).date() for at in BASES.values()]
HOURS = (taking_orders(SIMBANK).opens, time(21, 44))
"""The first and the last at which these tests begin."""


def test_a_loan_due_today_is_debited_today_whatever_day_it_is(tmp_path: Path) -> None:
    """Weekend, holiday, month end or leap day: the debit goes out at once, under one number.

    The bank decides by that number; the amount follows from the days of the first period, and
    nothing of these tests depends on it.
    """
    products, orders = product_files(tmp_path), set()
    rails = rails_of(Settings(), None)
    rules = rulebook(rails, accounts_of(Settings(), rails, read_products(products)))
    for index, day in enumerate([*DAYS, *BASE_DAYS]):
        now = datetime.combine(day, HOURS[index % 2], SHANGHAI)
        s = Scene(MemoryBooks(at=now, rules=rules))
        (boarded,) = loans(products, 1, today=day)
        assert isinstance(s.books.apply(boarded), Change), day
        order = s.present(loan=boarded.loan_id)
        assert s.books.at == now, f"{day}: the debit waits until {s.books.at}"
        s.apply_outcome(order)
        item = s.books.item(1, boarded.loan_id)
        assert (item.state in PAID, item.attempts[0].value_on) == (True, day)
        orders.add(order)
    assert len(orders) == 1
