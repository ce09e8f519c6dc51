"""Paid and not closed: each item with what it lacks, who must supply it, and what comes next."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from domain.audit.backlog import Figures, OpenItem, figures, open_items
from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.loan.aggregate import HoldKind
from domain.loan.lifecycle import State
from domain.loanclosure.rules import LegKind
from tests.support.closures import ALL, ONE, ClosingScene, closing, only
from tests.support.doors import LegStatus
from tests.support.memory import later
from tests.support.payouts import pooled

_K = LegKind
DAY = ONE[0].due_on


def items(s: ClosingScene) -> list[OpenItem]:
    """What is paid and not closed of the loan."""
    return [*open_items(s.books.loans["L1"], s.books.cases, s.books.rules, s.books.at)]


def codes(item: OpenItem) -> list[tuple[str, str]]:
    """What an item lacks, and of whom."""
    return [(lack.code, lack.who) for lack in item.lacks]


def test_nothing_is_listed_before_it_is_paid_or_after_it_is_closed() -> None:
    """Only what owes nothing and is not closed is unclosed."""
    s = ClosingScene.boarded(product=closing(only(_K.STOP_CHARGES)), lines=ONE)
    assert items(s) == []
    s.paid()
    assert s.state == "CLOSED"
    assert items(s) == []


def test_reported_money_waits_for_its_line_and_is_late_after_its_days() -> None:
    """The order says what was tried; the deadline is the product's."""
    s = ClosingScene.boarded(product=closing(), lines=ONE)
    order = s.present()
    s.apply_outcome(order)
    [one] = items(s)
    assert (one.key, one.state, one.amount_minor, one.currency) == (
        "L1/1",
        "CLEARING",
        10100,
        "CNY",
    )
    assert codes(one) == [("unproven", "bank"), ("return_window", "calendar"), ("held", "funder-1")]
    assert one.lacks[0].tried == f"order {order} CONFIRMED, 0 inquiries"
    assert "statement" in one.next_step
    assert (one.age_days, one.is_late) == (0, False)
    later(s.books, s.books.at + timedelta(days=12))
    [late] = items(s)
    assert (late.age_days, late.is_late) == (12, True)
    assert late.due_on == one.due_on


def test_a_case_and_a_hold_are_named_with_what_they_are() -> None:
    """A case by its key, in both gates; a hold is the operator's."""
    s = ClosingScene.boarded(product=closing(), lines=ONE)
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.books.cases["C"] = Case("C", CaseKind.COMPLAINT, "x", loan_id="L1", number=1)
    loan = s.books.loans["L1"]
    held = replace(loan.installment(1), hold=HoldKind.ALL)
    s.books.loans["L1"] = replace(loan, installments=(held,))
    [one] = items(s)
    assert codes(one)[1:] == [("hold", "operator"), ("case", "complaints")]
    assert [lack.tried for lack in one.lacks if lack.code == "case"] == ["C"]


def test_a_released_item_waits_for_its_payee() -> None:
    """A pooled share is due to be sent on; a waived one has no payment and no share."""
    s = ClosingScene.boarded(product=closing(only(_K.STOP_CHARGES), pooled()), lines=ONE)
    s.until(DAY)
    s.pay(10100, ref="T-1")
    s.line_on_k("T-1", 10100)
    s.until(s.today + timedelta(days=6))
    item, loan = items(s)
    assert (item.state, item.number) == ("RELEASED", 1)
    assert {code for code, _ in codes(item)} == {"remittance"}
    assert codes(loan) == [("installments", "calendar")]
    assert (loan.key, loan.number, loan.amount_minor) == ("L1", None, 10100)


def test_an_installment_without_money_counts_from_its_due_date() -> None:
    """Nothing was paid: it was waived."""
    s = ClosingScene.boarded(product=closing(), lines=ONE)
    s.until(DAY)
    s.waived()
    found = [one for one in items(s) if one.number == 1]
    assert [one.paid_on for one in found] == [DAY] * len(found)
    loan = s.books.loans["L1"]
    item = replace(loan.installment(1), state=State.SETTLED, attempts=())
    s.books.loans["L1"] = replace(loan, installments=(item,))
    assert items(s)[0].paid_on == DAY


def test_a_closure_names_its_legs_and_whoever_does_them() -> None:
    """How often each was asked for and about, and the code of a rejection."""
    s = ClosingScene.released(ALL)
    s.news(s.ask(_K.TELL_BUREAU), LegStatus.REJECTED, code="B07")
    [one] = items(s)
    assert codes(one) == [
        ("end_mandate", "rail"),
        ("release_guarantor", "operations"),
        ("tell_bureau", "bureau-1"),
        ("issue_certificate", "issuer"),
        ("tell_borrower", "carrier"),
    ]
    bureau = one.lacks[2].tried
    assert bureau == "rejected, 1 requests, 0 inquiries, code B07"
    assert one.next_step == "end mandate by rail; see `acquit closure`"
    assert not one.is_late
    later(s.books, s.books.at + timedelta(days=20))
    assert items(s)[0].is_late


def test_an_overdue_leg_makes_the_loan_late() -> None:
    """Though the days of its installments are not over."""
    s = ClosingScene.released(only(_K.RELEASE_GUARANTOR))
    s.act()
    assert [one.is_late for one in items(s)] == [True]


def test_a_closure_that_waits_for_its_seal_says_so() -> None:
    """Nothing of the loan is missing any more."""
    s = ClosingScene.released(only(_K.STOP_CHARGES, seals=True))
    [one] = items(s)
    assert (codes(one), one.state) == ([("seal", "books")], "UNSEALED")
    assert "checkpoint" in one.next_step


def test_a_closure_that_waits_for_a_case_names_its_team() -> None:
    """The owner of the open cases about the loan."""
    s = ClosingScene.boarded(product=closing(only(_K.STOP_CHARGES)), lines=ONE)
    s.books.cases["C"] = Case("C", CaseKind.SURPLUS, "x", loan_id="L1", currency="CNY")
    s.paid()
    [one] = items(s)
    assert codes(one) == [("case", "operations")]


def test_what_is_taken_back_lacks_its_legs_alone() -> None:
    """The loan is owed again: what it lacks otherwise is not of its closure."""
    s = ClosingScene.released(only(_K.TELL_BUREAU))
    s.done(_K.TELL_BUREAU)
    s.returned(s.books.item().attempts[-1].order_no, 10100)
    [one] = items(s)
    assert (one.state, codes(one)) == ("REVOKING", [("correct_bureau", "bureau-1")])


def test_an_item_that_lacks_nothing_is_closed_by_the_next_look() -> None:
    """Its gates are passed by the next command on its loan."""
    s = ClosingScene.boarded(product=closing(), lines=ONE)
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    later(s.books, s.books.at + timedelta(days=9))
    [one] = items(s)
    assert (one.lacks, one.next_step) == ((), "nothing is missing: the next look closes it")


@pytest.mark.parametrize("late", [0, 1])
def test_the_figures_of_closing(late: int) -> None:
    """Counts, ages, parties, and rates over what was closed and what is late."""
    s = ClosingScene.boarded(product=closing(), lines=ONE)
    order = s.present()
    s.apply_outcome(order)
    [one] = items(s)
    loan = replace(one, number=None, age_days=3)
    many = [replace(one, age_days=age, is_late=age < late) for age in range(40)]
    found = figures([*many, loan], closed_in_time=8, closed=9, reopened=2)
    assert found == Figures(
        count=41,
        late=late,
        amounts={"CNY": 40 * 10100},
        by_party={"bank": 41, "calendar": 41, "funder-1": 41},
        p95_age_days=37,
        max_age_days=39,
        closed=9,
        in_time_rate=Fraction(8, 9 + late),
        reopened_rate=Fraction(2, 50),
    )


def test_figures_of_nothing_have_no_rates() -> None:
    """Nothing was counted: there is no rate, and no age."""
    assert figures([], 0, 0, 0) == Figures(0, 0, {}, {}, 0, 0, 0, None, None)
    assert date(2026, 3, 10) == DAY
