"""What a clear ends is what was known when it was given: later facts bar anew, earlier ones not."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.debit.mandate import Bar
from domain.debit.outcome import OutcomeClass
from domain.loan.change import Change, Lacks
from domain.loan.lifecycle import State
from domain.registry import decide
from domain.statement.statement import LineItem
from tests.domain.loan.decide.test_barred_mandates import (
    CALM,
    HARD,
    bar_of,
    clear,
    mandate,
    rule,
    scene,
)
from tests.support import invariants
from tests.support.doors import ReplaceMandate, RetryNow, UndoMatch
from tests.support.memory import TESTER, board
from tests.support.openings import WHOLE, opening, ordered, paid
from tests.support.scene import Scene

NEW: dict[str, Any] = {"valid_from": date(2026, 1, 1)}


def cleared_scene() -> tuple[Scene, str]:
    """L1 with an order that lacked funds; its mandate was barred by L2's order, and cleared."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    first, other = s.present(1), s.present(1, "L2")
    s.apply_outcome(first, OutcomeClass.NSF, code="AM04")
    s.apply_outcome(other, OutcomeClass.MANDATE, code="MD01")
    s.until(date(2026, 3, 11))
    assert isinstance(clear(s), Change)
    s.until(date(2026, 3, 12))
    return s, first


@pytest.mark.parametrize(("outcome_class", "code"), HARD)
def test_hard_news_after_a_clear_bars_whatever_was_known_of_its_order(
    outcome_class: OutcomeClass, code: str
) -> None:
    """Refused or returned, of an order that had ended long before somebody cleared the mandate."""
    s, first = cleared_scene()
    s.apply_outcome(first, outcome_class, code=code, source="webhook")
    assert bar_of(s) == Bar(outcome_class, code, first)
    assert rule(s.order(RetryNow, 1)) == f"class.{outcome_class}"
    s, first = cleared_scene()
    s.apply_outcome(first, source="webhook")
    s.returned(first, 10100, outcome_class, code=code)
    assert bar_of(s) == Bar(outcome_class, code, first)
    assert rule(s.order(RetryNow, 1)) == f"class.{outcome_class}"
    invariants.check(s.books)


@pytest.mark.parametrize("first", [OutcomeClass.MANDATE, OutcomeClass.ACCOUNT])
def test_a_refusal_of_another_class_is_another_fact(first: OutcomeClass) -> None:
    """It bars behind the first one, again after a clear, and whatever the code that sorts last."""
    second = ({OutcomeClass.MANDATE, OutcomeClass.ACCOUNT} - {first}).pop()
    codes = {OutcomeClass.MANDATE: "MD01", OutcomeClass.ACCOUNT: "AC04"}
    s = scene(L1=mandate("M-1"), L2=mandate("M-2"))
    order = s.present(1)
    s.apply_outcome(order, first, code=codes[first], source="webhook")
    s.apply_outcome(order, second, code=codes[second], source="webhook")
    roots = s.books.mandate_roots
    assert [bar.outcome_class for bar in roots["M-1"].terms.bars] == [first, second]
    assert [bar.outcome_class for bar in roots["M-2"].terms.bars] == [OutcomeClass.ACCOUNT]
    text = s.books.cases["barred/M-1"].text
    assert all(f"{one} {codes[one]} of order {order}" in text for one in (first, second))
    assert isinstance(clear(s), Change)
    assert bar_of(s) is None
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order, first, code=codes[first])
    assert isinstance(clear(s), Change)
    s.apply_outcome(order, second, code=codes[second], source="webhook")
    assert bar_of(s) == Bar(second, codes[second], order)


def test_a_refused_account_behind_an_earlier_bar_bars_mandates_to_come() -> None:
    """The first bar of the mandate was about its authority alone."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    mine, other = s.present(1), s.present(1, "L2")
    s.apply_outcome(mine, OutcomeClass.MANDATE, code="MD01")
    s.apply_outcome(other, OutcomeClass.ACCOUNT, code="AC04")
    assert isinstance(s.books.apply(board("L4", product=CALM, mandate=mandate("M-4"))), Change)
    assert s.books.loans["L4"].mandate.bars == (Bar(OutcomeClass.ACCOUNT, "AC04", other),)
    answer = s.give(
        ReplaceMandate, mandate="M-1", loan="L1", ref="M-9", account_token="acct-1", **NEW
    )
    assert rule(answer) == "mandate.account"


def test_what_was_known_when_the_mandate_was_cleared_neither_bars_nor_forbids_again() -> None:
    """The same refusal in other words, the same return by its line, other news of the order."""
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order, OutcomeClass.ACCOUNT, code="AC04")
    assert isinstance(clear(s), Change)
    s.apply_outcome(order, OutcomeClass.ACCOUNT, code="AC06", source="webhook")
    assert bar_of(s) is None
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order, bank_ref="A")
    s.returned(order, 10100, OutcomeClass.ACCOUNT, code="AC04", bank_ref="A")
    assert isinstance(clear(s), Change)
    s.line(LineItem(order, None, "A", -10100, 0, "AC06"))
    assert bar_of(s) is None
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.apply_outcome(order, OutcomeClass.MANDATE, code="MD01", source="webhook")
    assert isinstance(clear(s), Change)
    s.until(date(2026, 3, 12))
    s.returned(order, 10100, OutcomeClass.NSF)
    s.return_line(order, 10100)
    assert s.state == State.DELINQUENT
    assert isinstance(s.order(RetryNow, 1), Change)
    invariants.check(s.books)


def test_a_clear_ends_a_stop_of_the_payer_and_a_later_one_counts() -> None:
    """A class that bars no mandate still forbids debits of its installment."""
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order, OutcomeClass.MANDATE, code="MD01")
    assert isinstance(clear(s), Change)
    s.apply_outcome(order, OutcomeClass.PAYER_STOP, code="MS02", source="webhook")
    assert bar_of(s) is None
    assert rule(s.order(RetryNow, 1)) == "class.PAYER_STOP"
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.line(LineItem(order, "M-1", None, -10100, 0))
    s.apply_outcome(order, OutcomeClass.MANDATE, code="MD01", source="webhook")
    assert rule(s.order(RetryNow, 1)) == "class.MANDATE"
    assert isinstance(clear(s), Change)
    assert isinstance(s.order(RetryNow, 1), Change)


def test_a_line_without_a_reason_forbids_until_the_mandate_is_cleared() -> None:
    """Nobody knows yet why the money went back."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    order, other = s.present(1), s.present(1, "L2")
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.line(LineItem(order, "M-1", None, -10100, 0))
    assert rule(s.order(RetryNow, 1)) == "class.LATE_RETURN"
    s.apply_outcome(other, OutcomeClass.DISPUTE, code="R10")
    assert isinstance(clear(s), Change)
    assert isinstance(s.order(RetryNow, 1), Change)


def test_more_money_that_goes_back_for_a_cleared_reason_bars_again() -> None:
    """A second return of a part, and a return of another execution, are facts of their own."""
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order, bank_ref="A")
    s.returned(order, 4000, OutcomeClass.MANDATE, code="MD01", bank_ref="A")
    assert isinstance(clear(s), Change)
    s.returned(order, 6100, OutcomeClass.MANDATE, code="MD01", bank_ref="A")
    assert bar_of(s) == Bar(OutcomeClass.MANDATE, "MD01", order)
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order, bank_ref="A")
    s.apply_outcome(order, bank_ref="B", source="webhook")
    s.returned(order, 10100, OutcomeClass.MANDATE, code="MD01", bank_ref="A")
    assert isinstance(clear(s), Change)
    s.returned(order, 10100, OutcomeClass.MANDATE, code="MD01", bank_ref="B")
    assert bar_of(s) == Bar(OutcomeClass.MANDATE, "MD01", order)


def test_a_return_that_was_undone_is_no_known_fact() -> None:
    """Its line was about something else: a true return for the same reason bars."""
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order)
    s.credit(order, 10100, tx="A")
    s.line(LineItem(order, None, None, -10100, 0, "MD06"), id="X")
    assert s.books.item().attempts[0].hard
    s.order(UndoMatch, 1, line="X", reference=f"R-{order}")
    assert s.books.item().attempts[0].hard == ()
    s.returned(order, 10100, OutcomeClass.ACCOUNT, code="AC04")
    assert bar_of(s) == Bar(OutcomeClass.ACCOUNT, "AC04", order)


def test_an_order_of_another_mandate_keeps_its_reason_when_this_one_is_cleared() -> None:
    """What was refused under the mandate that the loan had before forbids nothing now."""
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    s.apply_outcome(order, OutcomeClass.MANDATE, code="MD01")
    more = {"loan": "L1", "ref": "M-2", "account_token": "acct-2", **NEW}
    assert isinstance(s.give(ReplaceMandate, mandate="M-1", **more), Change)
    assert isinstance(s.order(RetryNow, 1), Change)
    second = s.present(1)
    s.apply_outcome(second, OutcomeClass.DISPUTE, code="R10")
    assert isinstance(clear(s, "M-2"), Change)
    first, last = s.books.item().attempts
    assert [it.is_cleared for it in (*first.hard, *last.hard)] == [False, True]


def test_a_barred_mandate_that_a_loan_comes_under_again_has_its_case_again() -> None:
    """Its case ended with its last loan; nobody else would look at the bar."""
    s = scene(L1=mandate("M-1"))
    s.apply_outcome(s.present(1), OutcomeClass.MANDATE, code="MD01")
    more = {"loan": "L1", "ref": "M-2", "account_token": "acct-2", **NEW}
    assert isinstance(s.give(ReplaceMandate, mandate="M-1", **more), Change)
    assert "barred/M-1" not in s.books.cases
    assert isinstance(s.books.apply(board("L5", product=CALM, mandate=mandate("M-1"))), Change)
    assert s.books.loans["L5"].mandate.bar is not None
    assert "barred/M-1" in s.books.cases


def test_a_death_bars_every_mandate_of_the_payer_and_no_other_payers() -> None:
    """On whatever account, also one that is signed later; each is cleared by itself."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-2", "acct-2"))
    other = replace(board("L3", product=CALM, mandate=mandate("M-3")), borrower="b-2")
    assert isinstance(s.books.apply(other), Change)
    order = s.present(1)
    s.apply_outcome(order, OutcomeClass.DECEASED, code="MD07")
    bar = Bar(OutcomeClass.DECEASED, "MD07", order)
    roots = s.books.mandate_roots
    assert [roots[ref].terms.bars for ref in ("M-1", "M-2", "M-3")] == [(bar,), (bar,), ()]
    assert {"barred/M-1", "barred/M-2"} <= s.books.cases.keys()
    more = {"loan": "L2", "ref": "M-9", "account_token": "acct-9", **NEW}
    assert isinstance(s.give(ReplaceMandate, mandate="M-2", **more), Change)
    assert s.books.loans["L2"].mandate.bars == (bar,)
    assert isinstance(clear(s, "M-9"), Change)
    assert s.books.loans["L2"].mandate.bar is None
    assert bar_of(s) == bar


def test_a_new_mandate_asks_for_the_other_mandates_of_its_payer() -> None:
    """The order to replace one names no payer."""
    s = scene(L1=mandate("M-1"))
    order = ReplaceMandate(
        id="r", actor=TESTER, reason="r", mandate="M-1", loan="L1", ref="M-2",
        account_token="acct-2", **NEW,
    )  # fmt: skip
    few = replace(s.books._aggregates(), named_payers=frozenset())
    with pytest.raises(Lacks) as lacks:
        decide(few, order)
    assert lacks.value.payers == {"b-1"}
    assert isinstance(decide(replace(few, named_payers=frozenset({"b-1"})), order), Change)


def test_an_old_refusal_that_is_brought_over_after_a_clear_is_news() -> None:
    """Nobody who cleared the mandate knew of it, though it is dated before."""
    s, _ = cleared_scene()
    s.until(date(2026, 4, 20))
    hard = ordered(2, outcome_class=OutcomeClass.MANDATE, code="14", mandate_ref="M-1")
    said = opening(payments=(paid((1, WHOLE)),), attempts=(hard,), as_of=s.today)
    answer = s.books.apply(replace(board("L5", product=CALM, mandate=mandate("M-1")), opening=said))
    assert isinstance(answer, Change), answer
    assert bar_of(s) == Bar(OutcomeClass.MANDATE, "14", "OLD-1")


def test_terms_of_a_sender_bar_nothing_and_clear_nothing() -> None:
    """Bars are facts of the books."""
    bar = Bar(OutcomeClass.MANDATE, "MD01", "X")
    terms = replace(mandate("M-1"), bars=(bar,))
    s = scene(L1=terms)
    assert s.books.mandate_roots["M-1"].terms.bars == ()
    assert bar_of(s) is None
