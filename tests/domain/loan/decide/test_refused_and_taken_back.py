"""Orders that are said to have failed and to have been taken: the strictest reason decides."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.debit.retry import NoRetry
from domain.loan.retrying import not_debitable, severity
from tests.domain.loan.test_handover import stated
from tests.support import invariants
from tests.support.doors import UndoMatch
from tests.support.memory import schedule
from tests.support.scene import Scene

LINES = schedule(((10000, 100), (10000, 100), (10000, 100)))
WHOLE = 10100
News = Callable[[Scene, str], object]


def scene() -> tuple[Scene, str]:
    """A loan of 101.00 a month whose first debit is out; its order number."""
    s = Scene.boarded(lines=LINES)
    return s, s.present()


def taken(s: Scene, order: str) -> None:
    """The rail reports that the whole was taken."""
    s.apply_outcome(order, bank_ref="B1", source="webhook")


def refused(outcome_class: OutcomeClass, code: str) -> News:
    """The rail reports that it refused the order."""
    return lambda s, order: s.apply_outcome(order, outcome_class, code=code, source="webhook")


def back(code: str) -> News:
    """The rail reports that the whole came back."""
    return lambda s, order: s.returned(order, WHOLE, bank_ref="B1", code=code)


SHORT, CLOSED = refused(OutcomeClass.NSF, "AM04"), refused(OutcomeClass.ACCOUNT, "AC04")


@pytest.mark.parametrize(
    ("news", "state"),
    [
        ((taken, SHORT, back("AM04")), "RETRYING"),
        ((taken, SHORT, back("MD06")), "DELINQUENT"),
        ((taken, CLOSED, back("AM04")), "DELINQUENT"),
        ((taken, CLOSED, SHORT, back("AM04")), "DELINQUENT"),
        ((SHORT, CLOSED), "DELINQUENT"),
        ((SHORT, SHORT), "RETRYING"),
    ],
)
def test_the_strictest_of_refusals_and_returns_decides_whether_a_machine_tries_again(
    news: tuple[News, ...], state: str
) -> None:
    """In any order of the reports, and where the strictest forbids it, not even a person does."""
    for several in permutations(news):
        s, order = scene()
        for one in several:
            one(s, order)
        assert (s.state, s.books.item().owed.total) == (state, WHOLE)
        no = not_debitable(s.books.loans["L1"], s.books.item(), s.books.rules)
        assert isinstance(no, NoRetry) == (state == "DELINQUENT")
        invariants.check(s.books)


@pytest.mark.parametrize("places", list(permutations(range(2))))
def test_a_refusal_forbids_a_retry_of_what_an_order_has_not_taken(places: tuple[int, ...]) -> None:
    """60.00 of 101.00 were taken, and the account is said to be closed."""
    s, order = scene()
    for place in places:
        if place:
            CLOSED(s, order)
        else:
            s.apply_outcome(order, OutcomeClass.PARTIAL, 6000, bank_ref="B1", source="webhook")
    assert (s.state, s.books.item().owed.total) == ("DELINQUENT", 4100)
    invariants.check(s.books)


@pytest.mark.parametrize("code", ["AM04", "MD06"])
def test_an_order_thought_not_executed_was_presented_where_its_money_came_back(code: str) -> None:
    """It counts among the presentments, and its reason decides."""
    s, order = scene()
    s.books.at += timedelta(hours=2)
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
    assert s.books.item().attempts[0].state is AttemptState.NOT_EXECUTED
    taken(s, order)
    back(code)(s, order)
    assert s.state == ("DELINQUENT" if code == "MD06" else "RETRYING")
    said = stated(s).opening
    assert said is not None
    assert [(it.state, it.code) for it in said.attempts] == [(AttemptState.RETURNED, code)]
    if s.state == "RETRYING":
        action = s.books.view().next_action
        assert action is not None
        assert "presented 1 of" in action.reason
    invariants.check(s.books)


def test_a_refused_mandate_is_a_case_where_only_the_return_says_so() -> None:
    """The order was first said to be refused for want of funds."""
    s, order = scene()
    for one in (SHORT, taken):
        one(s, order)
    s.returned(order, WHOLE, OutcomeClass.MANDATE, code="MD01")
    assert s.state == "DELINQUENT"
    assert "mandate/L1/1" in s.books.cases


def last_line(s: Scene) -> str:
    """The id of the newest line."""
    return next(reversed(s.books.lines))


def test_the_reason_of_late_money_that_came_back_is_forgotten_with_its_line() -> None:
    """What is left is the refusal, after which a machine tries again."""
    s, order = scene()
    for one in (SHORT, taken):
        one(s, order)
    s.credit(order, WHOLE, tx="B1")
    s.return_line(order, WHOLE, tx="B1", code="MD06")
    assert s.state == "DELINQUENT"
    s.order(UndoMatch, line=last_line(s), reference=f"R-{order}")
    assert s.state == "SETTLED"
    assert s.books.item().attempts[0].other_returned_for is None
    back("AM04")(s, order)
    assert s.state == "RETRYING"
    invariants.check(s.books)


@pytest.mark.parametrize("undone", [0, 1])
def test_of_two_returns_the_reason_of_the_one_that_is_undone_is_forgotten(undone: int) -> None:
    """Both executions of an order came back by lines alone, one of them by the payer's will."""
    s, order = scene()
    codes = ["AM04", "AM04"]
    codes[undone] = "MD06"
    payments = (f"R-{order}", f"R-{order}#2")
    lines = {}
    for ref in ("B1", "B2"):
        s.apply_outcome(order, bank_ref=ref, source="webhook")
        s.credit(order, WHOLE, tx=ref)
    for place in (1, 0):
        s.return_line(order, WHOLE, tx=f"B{place + 1}", code=codes[place])
        lines[place] = last_line(s)
    attempt = s.books.item().attempts[0]
    assert (s.state, attempt.state, attempt.code) == ("DELINQUENT", "RETURNED", "MD06")
    s.order(UndoMatch, line=lines[undone], reference=payments[undone])
    attempt = s.books.item().attempts[0]
    if undone:
        assert (attempt.state, attempt.code) == ("RETURNED", "AM04")
    else:
        assert attempt.state == "CONFIRMED"
        assert attempt.other_returned_for == (OutcomeClass.NSF, "AM04")
    invariants.check(s.books)


def test_what_forbids_even_a_person_to_debit_is_stricter_than_what_forbids_a_machine() -> None:
    """Whatever their codes are called."""
    reasons = [
        (OutcomeClass.NSF, "Z"),
        (OutcomeClass.UNKNOWN_CODE, "Y"),
        (OutcomeClass.RISK_REJECT, "X"),
        (OutcomeClass.MANDATE, "W"),
    ]
    assert sorted(reasons, key=severity) == reasons
