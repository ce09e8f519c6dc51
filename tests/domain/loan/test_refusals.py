"""What a sender of terms reads when they are refused: the field, the value, and what would do.

These lines stand in API answers, on the command line and in the reports of tapes, so each is held
in full.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.errors import InvalidInput, InvariantBroken
from domain.loan.named_waterfalls import named
from domain.loan.split import ShareRule, SplitRules, split
from domain.loan.waterfall import Direction, Future, OpenItem, Waterfall, allocate
from domain.pricing.amounts import Amounts, Component
from domain.pricing.apr import AprMethod, disclose
from domain.pricing.cashflow import Flow, Odd, check_flows
from domain.pricing.daycount import DayCount, add_months
from domain.pricing.frequency import Frequency
from domain.pricing.interest import accrue
from domain.pricing.payoff import quote
from domain.pricing.penalty import PenaltyRule, penalty
from domain.pricing.prepay import prepay
from domain.pricing.restructure import Effect, reamortise, remaining_terms
from domain.pricing.schedule import Method, ScheduleLine, ScheduleTerms, build, check
from domain.pricing.solver import solve
from domain.pricing.timing import Payments, dated, of_dates
from domain.pricing.unitperiod import UnitPeriod
from tests.support.memory import PRODUCT

LENT, FIRST, SECOND = date(2024, 1, 15), date(2024, 2, 15), date(2024, 3, 15)
US = AprMethod.US_ACTUARIAL
HALF = Fraction(1, 2)


def terms(**changed: Any) -> ScheduleTerms:
    """120.00 at 12 percent in two equal installments, with something changed."""
    usual: dict[str, Any] = {
        "principal_minor": 12_000,
        "currency": "EUR",
        "annual_rate_percent": Decimal(12),
        "periods": 2,
        "method": Method.EQUAL_INSTALLMENT,
        "day_count": DayCount.MONTHS,
        "disbursed_on": LENT,
        "first_due_on": FIRST,
        "every": Frequency(1, "month"),
    }
    return ScheduleTerms(**(usual | changed))


def rule(**changed: Any) -> PenaltyRule:
    """18 percent over 360 days, with something changed."""
    usual: dict[str, Any] = {
        "annual_rate_percent": Decimal(18),
        "day_basis": 360,
        "on_interest": False,
        "grace_days": 0,
    }
    return PenaltyRule(**(usual | changed))


def row(number: int = 1, due_on: date = FIRST, **changed: Any) -> ScheduleLine:
    """The only line of a schedule of 100, with something changed."""
    line = ScheduleLine(number, due_on, days=31, principal=100, interest=1, fee=0, balance=0)
    return replace(line, **changed)


LINES = build(terms())
REFUSED: list[tuple[Callable[[], object], str]] = [
    # terms
    (
        lambda: terms(principal_minor=0),
        "principal: 0 is refused: from 1 to 1000000000000000 minor units",
    ),
    (lambda: terms(periods=1_201), "periods: 1201 is refused: from 1 to 1200"),
    (lambda: terms(principal_grace=2), "principal_grace: 2 is refused: from 0 to 1"),
    (lambda: terms(interest_free=3), "interest_free: 3 is refused: from 0 to 2"),
    (lambda: terms(anchor_day=32), "anchor_day: 32 is refused: from 1 to 31"),
    (
        lambda: terms(first_due_on=LENT),
        "first_due: 2024-01-15 is refused: after 2024-01-15",
    ),
    (
        lambda: terms(annual_rate_percent=Decimal(-1)),
        "rate: -1 is refused: 0 to 10000 percent a year",
    ),
    (
        lambda: terms(rate_changes=((SECOND, Decimal("NaN")),)),
        "rate_change: NaN is refused: 0 to 10000 percent a year",
    ),
    (
        lambda: terms(rate_changes=((LENT, Decimal(1)),)),
        "rate_change: 2024-01-15 is refused: dates in order, each after 2024-01-15",
    ),
    (
        lambda: terms(method=Method.FLAT, drawdowns=((FIRST, 1),)),
        "drawdown: 'flat' is refused: a method with interest on the balance",
    ),
    (
        lambda: terms(drawdowns=((SECOND, 1), (FIRST, 1))),
        "drawdown: 2024-02-15 is refused: dates in order, each after 2024-01-15",
    ),
    (
        lambda: terms(drawdowns=((FIRST, 0),)),
        "drawdown: 0 is refused: from 1 to 1000000000000000 minor units",
    ),
    (
        lambda: terms(drawdowns=((FIRST, 12_000),)),
        "principal less drawdowns: 0 is refused: from 1 to 1000000000000000 minor units",
    ),
    (
        lambda: terms(balloon_minor=12_001),
        "balloon: 12001 is refused: from 0 to 12000 minor units",
    ),
    (
        lambda: terms(method=Method.FLAT, balloon_minor=1),
        "balloon: 1 is refused: none for flat",
    ),
    (
        lambda: terms(method=Method.BALLOON),
        "balloon: 0 is refused: above zero for method balloon",
    ),
    (
        lambda: terms(round_installment_to_minor=-1),
        "round_installment_to: -1 is refused: from 0 to 12000 minor units",
    ),
    (
        lambda: terms(method=Method.BULLET, round_installment_to_minor=1),
        "round_installment_to: 1 is refused: none for bullet",
    ),
    (
        lambda: terms(installment_minor=-1),
        "installment: -1 is refused: from 0 to 1000000000000000 minor units",
    ),
    (
        lambda: terms(method=Method.FLAT, installment_minor=1),
        "installment: 1 is refused: none for flat",
    ),
    (
        lambda: build(terms(last_due_on=FIRST)),
        "last_due: 2024-02-15 is refused: after 2024-02-15",
    ),
    (
        lambda: build(terms(drawdowns=((SECOND, 1),))),
        "drawdown: 2024-03-15 is refused: before the last due date 2024-03-15",
    ),
    (
        lambda: build(terms(method=Method.EXPLICIT)),
        "method: 'explicit' is refused: rows given by the lender, then checked",
    ),
    # frequencies and dates
    (lambda: Frequency(0, "month"), "every: '0 month' is refused: 1 to 120"),
    (
        lambda: Frequency.parse("monthly"),
        "every: 'monthly' is refused: half-month, or a number with m, w or d, such as 1m",
    ),
    (
        lambda: Frequency(1, "day").date_at(date(9999, 12, 31), 1),
        "date: '9999-12-31 + 1 days' is refused: a year from 1 to 9999",
    ),
    (
        lambda: add_months(date(9999, 12, 31), 1),
        "date: '9999-12-31 + 1 months' is refused: a year from 1 to 9999",
    ),
    (lambda: UnitPeriod(13, "month"), "unit_period: '13m' is refused: at most one year"),
    (
        lambda: UnitPeriod.parse("fortnight"),
        "unit_period: 'fortnight' is refused: month, week, half-month, day, year, or such as 2m",
    ),
    (
        lambda: accrue(1, Decimal(1), FIRST, LENT, DayCount.ACT_360),
        "to: 2024-01-15 is refused: not before 2024-02-15",
    ),
    (
        lambda: accrue(1, Decimal(10_001), LENT, FIRST, DayCount.ACT_360),
        "rate: 10001 is refused: 0 to 10000 percent a year",
    ),
    # rows given by the lender
    (lambda: check((), 100), "rows: 0 is refused: at least one row"),
    (lambda: check((row(2),), 100), "row 1 number: 2 is refused: 1: dense, from 1"),
    (
        lambda: check((row(principal=40, balance=60), row(2, due_on=LENT)), 100),
        "row 2 due_on: 2024-01-15 is refused: not before 2024-02-15",
    ),
    (lambda: check((row(days=-1),), 100), "row 1 days: -1 is refused: not negative"),
    (lambda: check((row(principal=-1),), 100), "row 1 principal: -1 is refused: not negative"),
    (lambda: check((row(interest=-1),), 100), "row 1 interest: -1 is refused: not negative"),
    (lambda: check((row(fee=-1),), 100), "row 1 fee: -1 is refused: not negative"),
    (
        lambda: check((row(principal=103),), 100),
        "row 1 principal: 103 is refused: principal sums to 100, exceeded by 3",
    ),
    (lambda: check((row(balance=7),), 100), "row 1 balance: 7 is refused: principal left over: 0"),
    (
        lambda: check((row(principal=40, balance=60),), 100),
        "principal: 40 is refused: principal of all rows sums to 100",
    ),
    # early repayment and new terms
    (
        lambda: quote(terms(), LINES, date(2024, 1, 14)),
        "as_of: 2024-01-14 is refused: not before the disbursement on 2024-01-15",
    ),
    (
        lambda: quote(terms(), LINES, FIRST, paid_through=2),
        "paid_through: 2 is refused: from 0 to 1",
    ),
    (
        lambda: prepay(terms(), LINES, FIRST, 99_999, Effect.SHORTER_TERM),
        "amount: 99999 is refused: minor units above 0 (interest accrued), below 6030 (payoff)",
    ),
    (
        lambda: remaining_terms(terms(), LINES, SECOND, 1),
        "as_of: 2024-03-15 is refused: before the last due date 2024-03-15",
    ),
    (
        lambda: remaining_terms(terms(), LINES, date(2024, 1, 14), 1),
        "as_of: 2024-01-14 is refused: not before the disbursement on 2024-01-15",
    ),
    (
        lambda: reamortise(terms(), LINES, FIRST, 1, Effect.NEXT_INSTALLMENTS),
        ("effect: 'next-installments' is refused: shorter-term or smaller-installment"),
    ),
    (
        lambda: reamortise(
            terms(method=Method.INTEREST_ONLY),
            build(terms(method=Method.INTEREST_ONLY)),
            *(FIRST, 1, Effect.SHORTER_TERM),
        ),
        ("effect: 'shorter-term' is refused: smaller-installment for method interest-only"),
    ),
    # flows, clocks and rates
    (lambda: Flow(1, -1), "period: '-1 + 0' is refused: 0 to 40000 and a fraction of one"),
    (lambda: Flow(1, 2, HALF * 2), "period: '2 + 1' is refused: 0 to 40000 and a fraction of one"),
    (lambda: check_flows([Flow(1, 0)] * 20_001), "flows: 20001 is refused: at most 20000"),
    (
        lambda: check_flows([Flow(1, 0)]),
        "advance: 0 is refused: at least one amount advanced to the borrower",
    ),
    (lambda: check_flows([Flow(-1, 0)]), "payment: 0 is refused: at least one payment"),
    (
        lambda: solve([Flow(-100, 0), Flow(50, 1, HALF)], Odd.SIMPLE),
        (
            "flows: '2 from period 0 to 3/2' is refused: a rate at which their present value is "
            "zero; there is none"
        ),
    ),
    (
        lambda: solve(
            [Flow(-1_000, 0), Flow(2_300, 1), Flow(-1_320, 2)], Odd.SIMPLE, negative=True
        ),
        (
            "flows: '3 from period 0 to 2' is refused: one rate at which their present value is "
            "zero; there are at least 2"
        ),
    ),
    (lambda: disclose(Decimal(1), 13), "decimals: 13 is refused: 0 to 12"),
    (lambda: Payments(0), "amount: 0 is refused: above zero"),
    (lambda: Payments(1, 0), "count: 0 is refused: from 1 to 20000"),
    (
        lambda: dated([Payments(1)], [Payments(1, on=FIRST)], US),
        "advance: 'undated' is refused: a date, since others have one",
    ),
    (
        lambda: dated([Payments(1, on=LENT)], [Payments(1)], US),
        "payment: 'undated' is refused: a date, since others have one",
    ),
    (
        lambda: of_dates([(FIRST, 1)], US),
        "advance: 0 is refused: at least one amount advanced to the borrower",
    ),
    (
        lambda: of_dates([(FIRST, -1), (LENT, 1)], US),
        "date: 2024-01-15 is refused: not before the first advance on 2024-02-15",
    ),
    (
        lambda: of_dates([(LENT, -1), (LENT, 1)], US),
        "payment: 2024-01-15 is refused: a payment after the advance",
    ),
    # penalty, waterfall and shares
    (lambda: rule(day_basis=364), "day_basis: 364 is refused: 360 or 365"),
    (lambda: rule(grace_days=-1), "grace_days: -1 is refused: from 0 to 3660"),
    (
        lambda: rule(annual_rate_percent=Decimal(-1)),
        "penalty rate: -1 is refused: 0 to 10000 percent a year",
    ),
    (
        lambda: rule(steps=((1, Decimal(-1)),)),
        "penalty rate: -1 is refused: 0 to 10000 percent a year",
    ),
    (
        lambda: rule(cap_rate_percent=Decimal(-1)),
        "cap rate: -1 is refused: 0 to 10000 percent a year",
    ),
    (
        lambda: rule(steps=((9, Decimal(1)), (9, Decimal(2)))),
        "steps: [9, 9] is refused: days past due above zero, ascending, each once",
    ),
    (lambda: rule(cap_minor=-1), "cap: -1 is refused: not negative"),
    (lambda: rule(cap_fraction=-HALF), "cap: -1/2 is refused: not negative"),
    (
        lambda: penalty(Amounts(1), rule(), LENT, LENT, date(2034, 1, 24)),
        "to: 2034-01-24 is refused: at most 3660 days from 2024-01-16",
    ),
    (
        lambda: Waterfall((), Direction.VERTICAL, Future.NEXT),
        "order: '' is refused: each component once, at least one",
    ),
    (
        lambda: replace(named("fee,cost"), in_advance=(Component.FEE, Component.FEE)),
        "in_advance: 'fee,fee' is refused: each component once, at least one",
    ),
    (
        lambda: replace(named("fee"), principal_first_from_dpd=0),
        "principal_first_from_dpd: 0 is refused: 1 or more",
    ),
    (lambda: allocate((), -1, named("fee"), LENT), "amount: -1 is refused: not negative"),
    (
        lambda: allocate([OpenItem(1, LENT, Amounts())] * 2, 1, named("fee"), LENT),
        "items: [1, 1] is refused: each installment once",
    ),
    (
        lambda: allocate([OpenItem(1, LENT, Amounts())], 1, named("fee"), LENT, [9, 8]),
        "designated: [8, 9] is refused: open installments: [1]",
    ),
    (
        lambda: ShareRule("bank", Component.FEE, Fraction(2)),
        "share: 2 is refused: a fraction from 0 to 1",
    ),
    (
        lambda: ShareRule("bank", Component.FEE, HALF, cap_minor=-1),
        "share: 'bank' is refused: fixed amount and cap are not negative",
    ),
    (
        lambda: SplitRules(tuple(ShareRule(p, Component.FEE, HALF) for p in "abc"), "a"),
        "shares of fee: 3/2 is refused: sum to at most 1",
    ),
    (
        lambda: SplitRules(tuple(ShareRule(p, Component.FEE, HALF) for p in "aa"), "a"),
        "shares of fee: ['a', 'a'] is refused: each party once",
    ),
]

BROKEN: list[tuple[Callable[[], object], str]] = [
    (
        lambda: OpenItem(3, LENT, Amounts(fee=-1)),
        (
            "installment 3 owes less than nothing: "
            "Amounts(principal=0, interest=0, fee=-1, penalty=0, cost=0)"
        ),
    ),
    (
        lambda: split(Amounts(fee=-1), SplitRules((), "bank")),
        "charged fee is negative: -1",
    ),
]


@pytest.mark.parametrize(
    ("ask", "answer"), REFUSED, ids=[line.partition(" is refused")[0] for _, line in REFUSED]
)
def test_a_refusal_names_field_value_and_rule(ask: Callable[[], object], answer: str) -> None:
    """In words that a sender can act on."""
    with pytest.raises(InvalidInput) as refused:
        ask()
    assert str(refused.value) == answer


@pytest.mark.parametrize(("ask", "answer"), BROKEN, ids=[line for _, line in BROKEN])
def test_a_broken_invariant_says_what_contradicts_itself(
    ask: Callable[[], object], answer: str
) -> None:
    """In words that somebody who is called at night can act on."""
    with pytest.raises(InvariantBroken) as broken:
        ask()
    assert str(broken.value) == answer


def test_a_waterfall_of_a_product_names_every_component() -> None:
    """What no money could pay would be debited again and again, and wait as a surplus."""
    said = "waterfall.order: 'fee' is refused: each component once: principal, interest, fee,"
    with pytest.raises(InvalidInput, match=re.escape(said)):
        replace(PRODUCT, waterfall=named("fee"))
