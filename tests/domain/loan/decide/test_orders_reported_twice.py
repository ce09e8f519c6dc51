"""Worked cases of orders whose answers do not agree with one another or with a line."""

from datetime import timedelta

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.change import Change, Ordered
from tests.domain.loan.decide.disputed import BANK, HELD, LINES, asked_late, rule, scene
from tests.support import invariants
from tests.support.doors import RetryNow

# --- a line of more, of less ---------------------------------------------------------------------


def test_part_reported_and_the_whole_on_the_line_is_one_payment_and_no_second_debit() -> None:
    """40.00 reported, line of 101.00: the payment is raised and pays its installment."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PARTIAL, 4000)
    before = s.mark
    s.credit(order, 10100)
    assert s.posted(before) == [
        ("raised", {"clearing/simbank": 6100, f"suspense/R-{order}": -6100}),
        (
            "applied",
            {
                f"suspense/R-{order}": 6100,
                "owed/1/principal": -6100,
                "claim/funder-1": 6100,
                "payable/funder-1": -6100,
            },
        ),
        ("settled", {BANK: 10100, "clearing/simbank": -10100}),
        ("direct_settlement", {"payable/funder-1": 10100, "held_by/funder-1": -10100}),
    ]
    assert (s.balances, s.state) == (HELD, "SETTLED")
    assert s.books.item().attempts[0].confirmed_minor == 10100
    s.until(LINES[1].due_on)
    assert (s.state, len(s.books.item().attempts)) == ("CLOSED", 1)


def test_more_on_the_line_than_was_ordered_waits_in_suspense_with_a_case() -> None:
    """Line of 150.00 for a debit of 101.00: its own installment first, the rest waits."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 15000)
    assert s.balances == {**HELD, BANK: 15000, f"suspense/R-{order}": -4900}
    assert {f"overtaken/{order}", f"surplus/R-{order}/L1"} <= s.books.cases.keys()
    invariants.check(s.books)


def test_a_line_of_the_whole_while_the_rest_is_being_debited_waits_for_that_final_outcome() -> None:
    """61.00 is out when the line shows 101.00: declined, it pays; nothing is debited again."""
    s = scene()
    first = s.present()
    s.apply_outcome(first, OutcomeClass.PARTIAL, 4000)
    second = s.present()
    s.credit(first, 10100)
    assert s.balances[f"suspense/R-{first}"] == -6100
    s.apply_outcome(second, OutcomeClass.NSF)
    assert (s.balances, s.state) == (HELD, "SETTLED")


def test_no_debit_leaves_while_the_amount_of_an_order_is_in_dispute() -> None:
    """40.00 reported, 30.00 on the line: the rest is not debited until the bank shows the money."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PARTIAL, 4000)
    s.credit(order, 3000)
    assert s.books.cases[f"amount/{order}"].kind == "contradiction"
    due = s.books.view().next_action
    assert due is not None
    assert due.reason == f"waits for the end of case amount/{order}"
    assert rule(s.order(RetryNow)) == "debit.case_open"
    waited = s.action()
    assert isinstance(waited, Change)
    assert not isinstance(waited.answer, Ordered)
    s.credit(order, 1000)
    assert f"amount/{order}" not in s.books.cases
    assert s.present()
    assert s.books.item().attempts[-1].amount_minor == 6100


# --- not found after accepted ----------------------------------------------------------------


@pytest.mark.parametrize("outcome_class", [OutcomeClass.PENDING, OutcomeClass.DUPLICATE])
def test_an_acknowledged_order_cannot_be_proven_never_to_have_arrived(
    outcome_class: OutcomeClass,
) -> None:
    """It stays unknown, with a case; no second order leaves in the same minute or later."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, outcome_class)
    asked_late(s, order)
    attempt = s.books.item().attempts[0]
    assert (attempt.state, s.state) == (AttemptState.UNKNOWN, "IN_DOUBT")
    assert s.books.cases[f"contradiction/{order}"].kind == "contradiction"
    assert len(s.books.item().attempts) == 1


def test_an_order_thought_never_to_have_arrived_is_asked_after_again_when_it_is_found() -> None:
    """Not found, then pending: the outcome of the same order is open, before any other is made."""
    s = scene()
    order = s.present()
    asked_late(s, order)
    assert s.state == "RETRYING"
    s.apply_outcome(order, OutcomeClass.PENDING, source="webhook")
    assert (s.state, s.books.item().attempts[0].acknowledged) == ("IN_DOUBT", True)
    s.apply_outcome(order, source="webhook")
    assert (s.state, len(s.books.item().attempts)) == ("CLEARING", 1)


def test_an_order_found_beside_a_later_one_is_a_case_and_stops_the_next() -> None:
    """Two orders at the rail at once: the second goes on, and nothing is made after it."""
    s = scene()
    first = s.present()
    asked_late(s, first)
    second = s.present()
    s.apply_outcome(first, OutcomeClass.PENDING, source="webhook")
    assert s.books.item().attempts[0].state is AttemptState.NOT_EXECUTED
    s.apply_outcome(second, OutcomeClass.NSF)
    waits = s.books.view().next_action
    assert waits is not None
    assert waits.reason == f"waits for the end of case contradiction/{first}"
    s.apply_outcome(first, OutcomeClass.NSF, source="webhook")
    assert f"contradiction/{first}" not in s.books.cases
    assert s.books.item().attempts[0].state is AttemptState.DECLINED


def test_an_order_found_after_its_money_came_is_no_news() -> None:
    """Late success, then pending: nothing is in doubt."""
    s = scene()
    order = s.present()
    asked_late(s, order)
    s.apply_outcome(order, source="webhook")
    s.apply_outcome(order, OutcomeClass.PENDING, source="webhook")
    assert f"contradiction/{order}" not in s.books.cases
    assert s.state == "CLEARING"


# --- answers that cannot be true -------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome_class", "minor", "currency"),
    [
        (OutcomeClass.SUCCESS, 0, None),
        (OutcomeClass.SUCCESS, -10100, None),
        (OutcomeClass.PARTIAL, 0, "CNY"),
        (OutcomeClass.SUCCESS, 10**15 + 1, None),
        (OutcomeClass.SUCCESS, 10100, "EUR"),
        (OutcomeClass.NSF, 4000, None),
    ],
)
def test_money_that_cannot_be_true_is_a_case_and_the_order_stays_unknown(
    outcome_class: OutcomeClass, minor: int, currency: str | None
) -> None:
    """Zero, negative, too large, another currency, or taken and refused at once."""
    s = scene()
    order = s.present()
    before = s.mark
    s.apply_outcome(order, outcome_class, minor, currency=currency, batch_ref="odd")
    attempt = s.books.item().attempts[0]
    assert (attempt.state, s.state) == (AttemptState.UNKNOWN, "IN_DOUBT")
    assert (attempt.batch_ref, attempt.acknowledged) == (None, False)
    assert s.posted(before) == []
    assert f"unbelieved/{order}" in s.books.cases
    s.apply_outcome(order)
    assert s.state == "CLEARING"
    assert f"unbelieved/{order}" not in s.books.cases


def test_an_answer_about_another_order_is_a_case_until_the_final_outcome() -> None:
    """It says nothing of ours: not even that the rail does not know it."""
    s = scene()
    order = s.present()
    s.books.at += timedelta(hours=2)
    s.apply_outcome(order, OutcomeClass.UNKNOWN_CODE, source="inquiry", flaw="it is about order X")
    assert s.state == "IN_DOUBT"
    assert s.books.cases[f"unbelieved/{order}"].kind == "unknown_code"
    s.apply_outcome(order, OutcomeClass.NSF)
    assert f"unbelieved/{order}" not in s.books.cases


def test_impossible_money_of_a_refused_order_stops_the_next_debit() -> None:
    """Something may have been taken: nobody debits again before it is known."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    s.apply_outcome(order, minor=10100, currency="EUR", source="webhook")
    waits = s.books.view().next_action
    assert waits is not None
    assert waits.reason == f"waits for the end of case unbelieved/{order}"
    s.apply_outcome(order, minor=10100, source="webhook")
    assert f"unbelieved/{order}" not in s.books.cases


@pytest.mark.parametrize(
    ("minor", "currency"), [(0, None), (-1, None), (10**15 + 1, None), (10100, "EUR")]
)
def test_a_return_that_cannot_be_true_is_a_case_and_takes_nothing_back(
    minor: int, currency: str | None
) -> None:
    """Zero, negative, too large, or in another currency."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    before = s.mark
    s.returned(order, minor, currency=currency)
    assert s.posted(before) == []
    assert f"unbelieved_return/{order}" in s.books.cases
    assert s.state == "CLEARING"
