"""Sending an order again: only while it is still wanted, allowed, and not paid another way."""

from dataclasses import replace
from datetime import date, timedelta

from domain.debit.attempt import AttemptState
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal, Superseded
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change, Ordered
from domain.loan.view import ActionKind
from tests.support import invariants
from tests.support.doors import Hold, RecordUnsent, RenewSend
from tests.support.memory import PRODUCT
from tests.support.scene import Scene

QUIET = replace(PRODUCT, reminders=replace(PRODUCT.reminders, rules=()))


def unsent(**terms: object) -> tuple[Scene, str]:
    """An order of which nothing left, to be sent again ten minutes later."""
    s = Scene.boarded(product=QUIET, **terms)
    order = s.present()
    s.give(RecordUnsent, order_no=order, sends=1)
    return s, order


def test_an_order_that_never_left_is_withdrawn_when_a_transfer_has_paid() -> None:
    """The borrower paid while the rail was down: the order is not sent, the money is applied."""
    s, order = unsent()
    paid = s.pay(10100)
    assert s.portion(paid).waiting_minor == 10100
    change = s.action()
    assert isinstance(change, Change)
    assert isinstance(change.answer, Superseded), "the order would have taken the money twice"
    attempt = s.books.item().attempts[0]
    assert (attempt.order_no, attempt.state) == (order, AttemptState.RECALLED)
    assert s.state == "CLEARING"
    assert s.portion(paid).waiting_minor == 0
    invariants.check(s.books)


def test_an_order_that_never_left_is_made_anew_for_what_a_transfer_left_open() -> None:
    """Paid in part: the next order has its own number and takes the rest alone."""
    s, order = unsent()
    s.pay(4000)
    s.action()
    change = s.action()
    assert isinstance(change, Change)
    assert isinstance(change.answer, Ordered)
    assert change.answer.order.order_no != order
    assert change.answer.order.amount_minor == 6100
    invariants.check(s.books)


def test_an_order_that_never_left_is_not_sent_past_the_end_of_its_mandate() -> None:
    """The authority ended on the due date, and the rail opened again a day later."""
    due = date(2026, 3, 10)
    mandate = Mandate("M-L1", "simbank", "merchant-1", "acct-1", date(2026, 1, 1), due)
    s, order = unsent(mandate=mandate)
    s.books.at += timedelta(days=1)
    assert isinstance(s.action(), Change)
    assert s.books.item().attempts[0].state is AttemptState.RECALLED
    s.action()
    assert s.state == "DELINQUENT"
    assert [a.order_no for a in s.books.item().attempts] == [order]


def test_a_doubtful_order_is_not_sent_again_when_held_or_while_money_waits() -> None:
    """Asking goes on and ends it by evidence; a second POST would be a new debit."""
    for stop in ("hold", "money"):
        s = Scene.boarded(product=QUIET)
        order = s.present()
        s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
        s.books.at += timedelta(minutes=5)
        if stop == "hold":
            s.order(Hold, what=HoldKind.DEBIT)
        else:
            s.pay(10100)
        refusal = s.order(RenewSend, order_no=order)
        assert isinstance(refusal, Refusal), stop
        assert refusal.rule in {"debit.held", "debit.money_waits"}
        assert s.books.view().next_action.kind is ActionKind.INQUIRE  # type: ignore[union-attr]


def test_no_order_is_sent_again_while_another_of_its_installment_is_in_question() -> None:
    """The first took a part, its line shows less: the second, which never left, waits."""
    s = Scene.boarded(product=replace(QUIET, penalty=None))
    first = s.present()
    s.apply_outcome(first, OutcomeClass.PARTIAL, 4000)
    second = s.present()
    s.give(RecordUnsent, order_no=second, sends=1)
    s.credit(first, 3000)
    action = s.books.view().next_action
    assert action is not None
    assert action.kind is ActionKind.INQUIRE
    s.books.at += timedelta(minutes=5)
    refused = s.order(RenewSend, order_no=second)
    assert isinstance(refused, Refusal)
    assert refused.rule == "debit.case_open"
    s.credit(first, 1000)
    action = s.books.view().next_action
    assert action is not None
    assert action.kind is ActionKind.PRESENT
