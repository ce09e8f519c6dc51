"""A hard refusal bars every other debit under its mandate, until a person or a new one ends it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.mandate import Bar, Mandate
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change, Lacks
from domain.loan.lifecycle import State
from domain.registry import decide
from tests.support import invariants
from tests.support.doors import (
    ClearMandate,
    RecordOutcome,
    RecordUnsent,
    RenewSend,
    ReplaceMandate,
    RetryNow,
    RollDay,
)
from tests.support.memory import PRODUCT, MemoryBooks, board
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid
from tests.support.scene import Scene

CALM = replace(PRODUCT, penalty=None, reminders=replace(PRODUCT.reminders, rules=()))
HARD = [
    (OutcomeClass.ACCOUNT, "AC04"),
    (OutcomeClass.MANDATE, "MD01"),
    (OutcomeClass.DECEASED, "MD07"),
    (OutcomeClass.DISPUTE, "R10"),
]


def mandate(ref: str, account: str = "acct-1") -> Mandate:
    """A mandate to debit an account."""
    return Mandate(ref, "simbank", "merchant-1", account, date(2026, 1, 1))


def scene(**loans: Mandate) -> Scene:
    """Loans of one payer, each under a mandate."""
    s = Scene(MemoryBooks())
    for loan_id, terms in loans.items():
        assert isinstance(s.books.apply(board(loan_id, product=CALM, mandate=terms)), Change)
    return s


def clear(s: Scene, ref: str = "M-1", **more: Any) -> Change | Refusal:
    """A person says that the next debit will not be refused as well."""
    given = {"proof": "letter of the bank", "approver": "ops-8", **more}
    return s.give(ClearMandate, mandate=ref, **given)


def bar_of(s: Scene) -> Bar | None:
    """Why nothing is debited of L1."""
    return s.books.loans["L1"].mandate.bar


def rule(answer: Change | Refusal) -> str:
    """The rule by which something was refused."""
    assert isinstance(answer, Refusal), answer
    return answer.rule


@pytest.mark.parametrize(("outcome_class", "code"), HARD)
def test_a_hard_refusal_bars_the_next_installment_and_other_loans(
    outcome_class: OutcomeClass, code: str
) -> None:
    """What is due becomes delinquent at once, what is to come when its day has come; one case."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    s.until(date(2026, 3, 10))
    s.give(RollDay, loan_id="L2", day=s.today)
    order = s.present(1)
    s.apply_outcome(order, outcome_class, code=code)
    bar = Bar(outcome_class, code, order)
    assert s.books.mandate_roots["M-1"].terms.bar == bar
    assert {loan.mandate.bar for loan in s.books.loans.values()} == {bar}
    assert s.books.cases["barred/M-1"].text.endswith(f"{outcome_class} {code} of order {order}")
    s.until(date(2026, 4, 13))
    s.give(RollDay, loan_id="L2", day=s.today)
    states = [s.books.item(n, name).state for name in ("L1", "L2") for n in (1, 2)]
    assert set(states) == {State.DELINQUENT}
    assert [len(s.books.item(n, "L2").attempts) for n in (1, 2)] == [0, 0]
    assert rule(s.order(RetryNow, 2)) == "mandate.barred"
    assert rule(s.order(RetryNow, 2, "L2")) == "mandate.barred"
    assert [key for key in s.books.cases if key.startswith("barred/")] == ["barred/M-1"]
    moves = [it.event for it in s.books.transitions if it.event == "mandate_barred"]
    assert len(moves) == 1
    invariants.check(s.books)


def test_a_return_bars_like_a_refusal_and_again_after_it_was_cleared() -> None:
    """News of another order bars anew; what was known when somebody cleared it does not."""
    s = scene(L1=mandate("M-1"))
    first = s.present(1)
    s.apply_outcome(first)
    s.returned(first, 10100, OutcomeClass.PAYER_STOP, code="R08")
    assert bar_of(s) is None
    s.returned(first, 10100, OutcomeClass.MANDATE, code="R07", bank_ref="B")
    assert bar_of(s) == Bar(OutcomeClass.MANDATE, "R07", first)
    assert isinstance(clear(s), Change)
    second = s.present(2)
    s.apply_outcome(second, OutcomeClass.MANDATE, code="MD01")
    assert bar_of(s) == Bar(OutcomeClass.MANDATE, "MD01", second)
    assert s.books.cases["barred/M-1"].generation == 2


def test_only_what_is_about_authority_account_or_payer_bars() -> None:
    """A lack of funds, a stop of one debit or a fault of ours says nothing of the next debit."""
    for outcome_class in set(OutcomeClass) - {it for it, _ in HARD}:
        s = scene(L1=mandate("M-1"))
        s.apply_outcome(s.present(1), outcome_class)
        assert s.books.loans["L1"].mandate.bar is None, outcome_class


def test_a_refused_account_bars_every_mandate_to_debit_it_and_no_other() -> None:
    """Also one that is registered later; a refused mandate bars no other one of the account."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-2"), L3=mandate("M-3", "acct-2"))
    s.apply_outcome(s.present(1), OutcomeClass.ACCOUNT, code="AC04")
    roots = s.books.mandate_roots
    assert [roots[ref].terms.bar is not None for ref in ("M-1", "M-2", "M-3")] == [1, 1, 0]
    assert s.books.loans["L2"].mandate.bar == roots["M-2"].terms.bar
    assert isinstance(s.books.apply(board("L4", product=CALM, mandate=mandate("M-4"))), Change)
    assert s.books.loans["L4"].mandate.bar == roots["M-1"].terms.bar
    other = scene(L1=mandate("M-1"), L2=mandate("M-2"))
    other.apply_outcome(other.present(1), OutcomeClass.MANDATE, code="MD01")
    assert other.books.loans["L2"].mandate.bar is None
    invariants.check(s.books)


def test_a_loan_that_joins_a_barred_mandate_is_barred_with_it() -> None:
    """Its sender does not know of the bar, and says nothing else of the terms."""
    s = scene(L1=mandate("M-1"))
    s.apply_outcome(s.present(1), OutcomeClass.MANDATE, code="MD01")
    assert isinstance(s.books.apply(board("L2", product=CALM, mandate=mandate("M-1"))), Change)
    assert s.books.loans["L2"].mandate == s.books.loans["L1"].mandate


def test_a_person_clears_a_mandate_with_proof_and_a_second_person() -> None:
    """Debits go out again by plan or order; also of the installment that was refused."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    assert rule(clear(s)) == "mandate.clear"
    s.apply_outcome(s.present(1), OutcomeClass.MANDATE, code="MD02")
    assert rule(s.order(RetryNow, 1)) == "class.MANDATE"
    assert rule(clear(s, approver=None)) == "order.approver"
    assert rule(clear(s, approver="t1")) == "order.approver"
    assert isinstance(clear(s), Change)
    assert "barred/M-1" not in s.books.cases
    assert s.books.loans["L2"].mandate.bar is None
    said = [it.detail for it in s.books.transitions if it.event == "mandate_cleared"]
    assert said[0].endswith(": letter of the bank")
    assert isinstance(s.order(RetryNow, 1), Change)
    assert s.present(1)
    assert s.present(2)
    invariants.check(s.books)


def test_a_new_mandate_ends_the_bar_for_its_loan_alone() -> None:
    """The case ends with the last loan; a mandate of a refused account is none of another one."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    s.apply_outcome(s.present(1), OutcomeClass.ACCOUNT, code="AC04")

    def new(loan: str, account: str, ref: str = "M-2") -> Change | Refusal:
        words: dict[str, Any] = {
            "mandate": "M-1",
            "loan": loan,
            "ref": ref,
            "account_token": account,
        }
        return s.give(ReplaceMandate, **words, valid_from=date(2026, 1, 1))

    assert rule(new("L1", "acct-1")) == "mandate.account"
    assert isinstance(new("L1", "acct-9"), Change)
    assert s.books.loans["L1"].mandate.bar is None
    assert s.books.loans["L2"].mandate.bar is not None
    assert "barred/M-1" in s.books.cases
    assert isinstance(s.order(RetryNow, 1), Change)
    assert isinstance(new("L2", "acct-9"), Change)
    assert "barred/M-1" not in s.books.cases


def test_an_order_that_never_left_is_not_sent_under_a_barred_mandate() -> None:
    """It is inquired about instead, and a send that was asked for is refused by name."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    mine, other = s.present(1), s.present(1, "L2")
    s.give(RecordUnsent, order_no=other, sends=1)
    s.apply_outcome(mine, OutcomeClass.DECEASED, code="MD07")
    action = s.books.view(1, "L2").next_action
    assert action is not None
    assert action.kind == "INQUIRE"
    s.until(date(2026, 3, 11))
    answer = s.order(RenewSend, 1, "L2", order_no=other)
    assert rule(answer) == "mandate.barred"


def test_hard_refusals_that_are_brought_over_bar_from_the_first_day() -> None:
    """For every installment, and for loans that were under the mandate before."""
    closed = ordered(2, outcome_class=OutcomeClass.ACCOUNT, code="14")
    s = Scene(MemoryBooks(at=APRIL))
    said = opening(payments=(paid((1, WHOLE)),), attempts=(closed,))
    assert isinstance(
        s.books.apply(
            replace(
                board("L2", mandate=mandate("M-L1")),
                opening=opening(payments=(paid((1, WHOLE), (2, WHOLE)),)),
            )
        ),
        Change,
    )
    assert isinstance(s.books.apply(replace(board(mandate=mandate("M-L1")), opening=said)), Change)
    assert s.books.loans["L1"].mandate.bar == Bar(OutcomeClass.ACCOUNT, "14", "OLD-1")
    assert s.books.loans["L2"].mandate.bar is not None
    s.until(date(2026, 5, 12))
    assert s.books.item(3).state is State.DELINQUENT
    assert s.books.item(3).attempts == ()
    old = replace(closed, mandate_ref="M-OLD")
    s = Scene(MemoryBooks(at=APRIL))
    assert isinstance(
        s.books.apply(replace(board(), opening=replace(said, attempts=(old,)))), Change
    )
    assert s.books.loans["L1"].mandate.bar is None


def test_a_decision_asks_for_the_mandates_and_accounts_that_it_lacks() -> None:
    """Whoever gave it what the command names alone gives it more, and asks again."""
    s = scene(L1=mandate("M-1"))
    order = s.present(1)
    command = RecordOutcome(
        id="o",
        actor=board().actor,
        rail="simbank",
        order_no=order,
        outcome=Outcome(OutcomeClass.ACCOUNT, "AC04"),
        source="webhook",
    )
    whole = s.books._aggregates()
    with pytest.raises(Lacks) as lacks:
        decide(replace(whole, named_mandates=frozenset()), command)
    assert lacks.value.mandates == {"M-1"}
    with pytest.raises(Lacks) as lacks:
        decide(
            replace(whole, named_mandates=frozenset({"M-1"}), named_accounts=frozenset()), command
        )
    assert lacks.value.accounts == {"acct-1"}
    named: dict[str, Any] = {
        "named_mandates": frozenset({"M-1"}),
        "named_accounts": frozenset({"acct-1"}),
    }
    change = decide(replace(whole, **named), command)
    assert isinstance(change, Change)
    assert change.mandate_roots["M-1"].terms.bar is not None


def test_an_attempt_that_was_refused_stays_refused() -> None:
    """The bar changes nothing of the order itself."""
    s = scene(L1=mandate("M-1"))
    s.apply_outcome(s.present(1), OutcomeClass.DECEASED, code="MD07")
    assert s.books.item().attempts[0].state is AttemptState.DECLINED


def test_a_second_refusal_changes_nothing_of_a_bar_and_a_loan_that_left_is_not_cleared() -> None:
    """The first reason stands, with one case; what went under another mandate keeps its terms."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    mine, other = s.present(1), s.present(1, "L2")
    s.apply_outcome(mine, OutcomeClass.MANDATE, code="MD01")
    s.apply_outcome(other, OutcomeClass.DECEASED, code="MD07")
    assert bar_of(s) == Bar(OutcomeClass.MANDATE, "MD01", mine)
    words: dict[str, Any] = {"mandate": "M-1", "loan": "L1", "ref": "M-2"}
    s.give(ReplaceMandate, **words, account_token="acct-2", valid_from=date(2026, 1, 1))
    assert isinstance(clear(s), Change)
    assert s.books.loans["L1"].mandate.cleared_at is None
    assert s.books.loans["L2"].mandate.cleared_at == s.books.at
