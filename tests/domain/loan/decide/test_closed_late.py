"""An installment that closes late, by money whose value date lies in a month that is over."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from domain.pricing.penalty import PenaltyRule
from tests.support import invariants
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import ACCOUNT, Scene

LINES = schedule(((200000, 0), (200000, 0)))
RULE = PenaltyRule(Decimal(18), 360, on_interest=False, grace_days=0)
# 2000.00 at 18 percent over 360 days: 1.00 a day from the day after 10 March.
WITH_PENALTY = replace(PRODUCT, penalty=RULE)
BANK = f"bank/{ACCOUNT}"


def test_money_of_a_month_that_is_over_closes_an_installment_as_of_its_value_date() -> None:
    """Paid on 30 March, known on 2 April: the days of April and the last of March bear nothing.

    The entries count on the days of the money; the installment closes on what lines prove, today.
    """
    s = Scene.boarded(product=WITH_PENALTY, lines=LINES)
    s.until(date(2026, 4, 2))
    assert s.books.item().owed.total == 202200
    before = s.mark
    s.pay(202000, value_on=date(2026, 3, 30), ref="T-1")
    suspense = f"suspense/{s.payment('T-1').id}"
    assert s.posted(before) == [
        ("payment_recorded", {"clearing/transfer": 202000, suspense: -202000}),
        ("penalty_reversed", {"owed/1/penalty": -200, "claim/funder-1": 200}),
        (
            "applied",
            {
                suspense: 202000,
                "owed/1/principal": -200000,
                "owed/1/penalty": -2000,
                "claim/funder-1": 202000,
                "payable/funder-1": -202000,
            },
        ),
    ]
    days = {entry.event: entry.value_on for entry in s.books.entries[before:]}
    assert days["payment_recorded"] == date(2026, 3, 30)
    proof = s.mark
    s.credit("T-1", 202000)
    assert s.posted(proof) == [
        ("settled", {BANK: 202000, "clearing/transfer": -202000}),
        ("direct_settlement", {"payable/funder-1": 202000, "held_by/funder-1": -202000}),
    ]
    s.until(date(2026, 4, 8))
    assert (s.state, s.books.item().owed.total) == ("CLOSED", 0)
    assert s.books.item().charged.penalty == 2000
    invariants.check(s.books)
