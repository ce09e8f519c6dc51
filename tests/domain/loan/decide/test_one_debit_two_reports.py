"""Worked cases of debits whose news do not agree, with postings: returns and references."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.rails.codes import load_returns
from domain.debit.attempt import AttemptState
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus, about_other_order
from domain.statement.statement import LineItem
from tests.domain.loan.decide.disputed import (
    BANK,
    LINES,
    OWED,
    PLAIN,
    asked_late,
    last_line,
    match,
    rule,
    scene,
)
from tests.support import invariants
from tests.support.doors import RecordPayment
from tests.support.memory import board

# --- returns ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["report", "line"])
@pytest.mark.parametrize(
    ("code", "state"), [("AM04", "RETRYING"), ("MD06", "DELINQUENT"), ("ZZ99", "DELINQUENT")]
)
def test_one_table_says_whether_a_return_may_be_tried_again(
    way: str, code: str, state: str
) -> None:
    """The same reason has the same meaning, whichever way it comes."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    if way == "report":
        s.returned(order, 10100, OutcomeClass.UNKNOWN_CODE, code=code)
    else:
        s.return_line(order, 10100, code=code)
    assert s.state == state


@pytest.mark.parametrize(("rail", "code"), [("ach", "R01"), ("ach", "R09"), ("bacs", "0")])
@pytest.mark.parametrize("ways", [("report",), ("line",), ("report", "line"), ("line", "report")])
def test_the_reason_of_every_rail_means_the_same_by_report_and_by_line(
    rail: str, code: str, ways: tuple[str, ...]
) -> None:
    """No funds at ACH and Bacs are tried again, also when only the bank's line tells it."""
    s = scene()
    s.books.rules = replace(s.books.rules, returns={"simbank": load_returns(rail)})
    order = s.present()
    s.apply_outcome(order)
    for way in ways:
        if way == "report":
            s.returned(order, 10100, OutcomeClass.UNKNOWN_CODE, code=code)
        else:
            s.return_line(order, 10100, code=code)
    assert s.state == "RETRYING"


def test_a_stricter_reason_that_comes_while_the_next_debit_is_out_forbids_the_one_after_it() -> (
    None
):
    """No funds by report, presented again, refused by the payer on the line: nothing follows."""
    s = scene()
    first = s.present()
    s.apply_outcome(first)
    s.returned(first, 10100)
    second = s.present()
    s.return_line(first, 10100, code="MD06")
    assert (s.state, s.books.item().attempts[0].code) == ("PRESENTED", "MD06")
    s.apply_outcome(second, OutcomeClass.NSF)
    assert s.books.item().attempts[1].state is AttemptState.DECLINED
    invariants.check(s.books)


def test_a_second_part_of_a_return_is_booked_as_well() -> None:
    """30.00 and then 20.00 of 101.00 come back: 50.00 are owed again."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, bank_ref="B1")
    s.credit(order, 10100, tx="B1")
    s.returned(order, 3000, bank_ref="B1")
    before = s.mark
    s.returned(order, 2000, bank_ref="B1")
    assert s.posted(before)[0] == (
        "returned",
        {
            "owed/1/principal": 2000,
            "payable/funder-1": 2000,
            "claim/funder-1": -2000,
            "clearing/simbank": -2000,
        },
    )
    assert s.books.item().owed.total == 5000
    s.settle()
    assert s.portion(f"R-{order}").is_proven
    invariants.check(s.books)


def test_a_return_under_an_unknown_booking_is_no_second_execution() -> None:
    """The only known execution came back: owed again, and no debit until its lines prove it."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, bank_ref="B1")
    s.credit(order, 10100, tx="B1")
    s.until(LINES[0].due_on + timedelta(days=10))
    assert s.state == "CLOSED"
    s.returned(order, 10100, bank_ref="B9")
    assert [r.id for r in s.books.loans["L1"].portions] == [f"R-{order}"]
    waits = s.books.view().next_action
    assert s.state == "RETRYING"
    assert waits is not None
    assert waits.reason == f"waits for the end of case booking/{order}/B9"
    s.return_line(order, 10100, tx="B9")
    assert (s.balances, f"booking/{order}/B9" in s.books.cases) == (OWED, False)
    assert s.present()


def test_a_return_line_of_more_than_was_taken_is_booked_and_its_rest_waits() -> None:
    """104.00 leave for a debit of 101.00 with the fee inside: returned; 3.00 wait for a person."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    before = s.mark
    s.return_line(order, 10400)
    line = last_line(s)
    assert [event for event, _ in s.posted(before)] == [
        "returned",
        "return_settled",
        "unmatched_line",
        "direct_settlement",
    ]
    assert s.books.item().owed.total == 10100
    case = s.books.cases[f"line/{line}"]
    assert (case.loan_id, case.number, case.amount_minor) == ("L1", 1, -300)
    before = s.mark
    assert match(s, line, order, 0, fee=300) == ""
    assert s.posted(before) == [
        ("return_identified", {f"suspense/line/{line}": -300, "rail_fees/simbank": 300})
    ]
    assert s.balances == {**OWED, BANK: -300, "rail_fees/simbank": 300}
    assert f"line/{line}" not in s.books.cases
    invariants.check(s.books)


def test_a_person_books_a_return_that_only_a_line_tells() -> None:
    """No reference and the fee inside: 104.00 by mandate only, matched as 101.00 and 3.00."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.until(LINES[0].due_on + timedelta(days=10))
    assert s.state == "CLOSED"
    s.return_line(None, 10400)
    line = last_line(s)
    assert s.books.cases[f"line/{line}"].loan_id == "L1"
    assert match(s, line, order, 10101, fee=300) == "match.payment"
    assert match(s, line, order, 10100, fee=301) == "match.amount"
    assert match(s, line, order, 10100, fee=300) == ""
    assert s.books.item().owed.total == 10100
    assert s.balances == {**OWED, BANK: -300, "rail_fees/simbank": 300}
    assert s.state != "CLOSED"
    invariants.check(s.books)


def test_a_transfer_that_its_bank_takes_back_is_owed_again() -> None:
    """A debit line under the payer's reference, before or after the payment was recorded."""
    for early in (False, True):
        s = scene()
        s.until(LINES[0].due_on)
        ways = [lambda s=s: s.credit("T-7", 10100), lambda s=s: s.pay(10100, ref="T-7")]
        ways.append(lambda s=s: s.line(LineItem("T-7", None, None, -10100)))
        for way in reversed(ways) if early else ways:
            way()
        assert (s.balances, s.state) == (OWED, "DUE")
        assert not any(key.startswith("line/") for key in s.books.cases)
        invariants.check(s.books)


def test_of_two_loans_that_fit_alike_a_return_line_chooses_none() -> None:
    """One mandate, two loans, equal debits, an unknown reference: it waits for a person."""
    s = scene()
    mandate = s.books.loans["L1"].mandate
    s.books.apply(board("L2", lines=LINES, product=PLAIN, mandate=mandate))
    for loan in ("L1", "L2"):
        order = s.present(loan=loan)
        s.apply_outcome(order)
        s.credit(order, 10100)
    before = {loan: s.books.item(1, loan).owed.total for loan in ("L1", "L2")}
    s.return_line("NOT-OURS", 10100)
    line = last_line(s)
    assert {loan: s.books.item(1, loan).owed.total for loan in ("L1", "L2")} == before
    assert s.books.lines[line].open_minor == -10100
    assert {(c.loan_id, c.number) for c in s.books.cases.values() if c.line == line} == {
        (None, None),
        ("L1", 1),
        ("L2", 1),
    }
    assert match(s, line, s.books.item(1).attempts[0].order_no, 10100) == ""
    assert not [c for c in s.books.cases.values() if c.line == line]
    assert s.books.item(1).owed.total == 10100
    invariants.check(s.books)


# --- references ------------------------------------------------------------------------------


def test_a_reference_used_every_month_pays_every_month() -> None:
    """RENT in March and RENT in April are two payments, each proven by its own line."""
    s = scene()
    ids = []
    for line in LINES[:2]:
        s.until(line.due_on)
        ids.append(s.pay(10100, number=line.number, ref="RENT"))
        s.credit("RENT", 10100)
    assert len(set(ids)) == 2
    assert [s.books.item(n).state.value for n in (1, 2)] == ["CLOSED", "SETTLED"]
    invariants.check(s.books)


def test_of_two_unproven_payments_of_one_reference_the_day_decides_or_nobody() -> None:
    """Equal amounts: the line's value day picks one; without it the line waits for a person."""
    s = scene()
    s.until(LINES[0].due_on)
    early, late = s.today - timedelta(days=2), s.today - timedelta(days=1)
    one = s.pay(5000, ref="RENT", value_on=early)
    two = s.pay(5000, ref="RENT", value_on=late)
    s.line(LineItem("RENT", None, None, 5000))
    line = last_line(s)
    assert s.books.lines[line].open_minor == 5000
    s.line(LineItem("RENT", None, None, 5000), value_on=late)
    assert s.portion(two).is_proven
    assert match(s, line, "RENT", 5000) == ""
    assert s.portion(one).is_proven


def test_a_person_is_asked_which_of_several_payments_is_meant() -> None:
    """Two of one reference want so much proof: named by id."""
    s = scene()
    ids = [s.pay(minor, ref="RENT") for minor in (6000, 7000)]
    s.line(LineItem(None, None, None, 5000))
    line = last_line(s)
    assert match(s, line, "RENT", 5000) == "match.several"
    assert match(s, line, ids[0], 5000) == ""
    s.line(LineItem(None, None, None, 7000))
    assert match(s, last_line(s), "RENT", 7000) == "", "only one of them wants just so much"


def test_a_transfer_named_like_a_payment_of_ours_is_not_replaced_by_it() -> None:
    """A payer writes R-{order}: the late success of that order is another payment."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    paid = s.pay(10100, ref=f"R-{order}")
    s.apply_outcome(order, minor=10100, source="webhook")
    assert {r.id for r in s.books.loans["L1"].portions} == {paid, f"R-{order}"}
    assert sum(r.amount_minor for r in s.books.loans["L1"].portions) == 20200
    invariants.check(s.books)


def test_the_same_payment_recorded_twice_is_refused_until_it_is_withdrawn() -> None:
    """Reference, amount and day together say that it is the same."""
    s = scene()
    s.pay(5000, ref="RENT", value_on=s.today)
    again: dict[str, Any] = {
        "reference": "RENT",
        "amount_minor": 5000,
        "currency": "CNY",
        "value_on": s.today,
    }
    assert rule(s.order(RecordPayment, **again)) == "payment.reference"


# --- what nothing follows from -------------------------------------------------------------------


def test_an_answer_about_another_order_keeps_its_code_and_names_that_order() -> None:
    """A rail's adapter makes it; whatever it says of that order, it is no outcome of ours."""
    said = about_other_order(Outcome(OutcomeClass.SUCCESS, "00", 10100), "X-9")
    assert (said.status, said.code, said.flaw) == (
        OutcomeStatus.UNKNOWN,
        "00",
        "it is about order X-9",
    )


def test_weaker_news_of_an_order_that_never_arrived_changes_nothing() -> None:
    """Not found once more, and no answer: it stays not executed."""
    s = scene()
    order = s.present()
    asked_late(s, order)
    before = s.books.item()
    for outcome_class in (OutcomeClass.NOT_FOUND, OutcomeClass.TECH):
        s.apply_outcome(order, outcome_class, source="webhook")
    assert s.books.item() == before


def test_a_surplus_payment_of_an_order_grows_and_its_attempt_does_not() -> None:
    """The second execution is reported in part and then whole: only that payment is raised."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, bank_ref="B1")
    s.apply_outcome(order, OutcomeClass.PARTIAL, 4000, "webhook", bank_ref="B2")
    s.apply_outcome(order, minor=10100, source="webhook", bank_ref="B2")
    assert [r.amount_minor for r in s.books.loans["L1"].portions] == [10100, 10100]
    assert s.balances[f"suspense/R-{order}#2"] == -10100
    assert s.books.item().attempts[0].confirmed_minor == 10100
    invariants.check(s.books)


def test_more_waiting_lines_than_a_payment_can_explain_wait_on() -> None:
    """Three credits and three debits of one reference, one payment: the rest stays open."""
    s = scene()
    s.until(LINES[0].due_on)
    for minor in (6000, 4100, 500, -6000, -4100, -700):
        s.line(LineItem("T-9", None, None, minor))
    s.pay(10100, ref="T-9")
    assert (s.balances.get("owed/1/principal"), s.state) == (10100, "DUE")
    assert sorted(line.open_minor for line in s.books.lines.values() if line.open_minor) == [
        -700,
        500,
    ]
    invariants.check(s.books)


def test_a_denial_of_money_that_a_line_has_proven_is_no_case() -> None:
    """The bank's booked line is the stronger word, whichever of the two comes first."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.apply_outcome(order, OutcomeClass.NSF, source="webhook")
    assert f"contradiction/{order}" not in s.books.cases
