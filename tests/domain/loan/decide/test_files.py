"""Debit orders that wait in a file: taken out before its cut, and left alone after it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import OutcomeClass
from domain.debit.presentment import next_cut, taking_orders
from domain.errors import InvalidInput
from domain.kernel.change import Done, Refusal
from domain.kernel.command import Scope
from domain.kernel.subject import Subject
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change
from domain.loan.view import ActionKind
from tests.support import invariants
from tests.support.doors import (
    Hold,
    IntendDebit,
    RecordFiled,
    RecordUnsent,
    RenewSend,
    ReplaceMandate,
    RetryNow,
    WithdrawDebit,
)
from tests.support.memory import (
    DRIVER,
    PLAIN,
    PRODUCT,
    RAIL,
    RULES,
    TESTER,
    MemoryBooks,
    board,
    later,
)
from tests.support.scene import Scene

FILES = replace(RAIL, cuts=(time(11), time(16)), idempotent=False)
CALM = replace(PRODUCT, penalty=None, reminders=replace(PRODUCT.reminders, rules=()))
CUT = datetime(2026, 3, 10, 3, tzinfo=UTC)
"""11:00 in Shanghai on the first due date; orders go out at 9:30."""
NEXT = datetime(2026, 3, 10, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def filed(**terms: object) -> Scene:
    """A loan whose first debit waits in the file of eleven o'clock."""
    s = Scene(MemoryBooks(rules=replace(RULES, rails={"simbank": FILES})))
    assert isinstance(s.books.apply(board(product=CALM, **terms)), Change)  # type: ignore[arg-type]
    put_in_file(s)
    return s


def put_in_file(s: Scene) -> Change:
    """The driver presents: the order is put in the next file."""
    change = s.action()
    assert isinstance(change, Change)
    assert isinstance(change.answer, Done), "nothing is sent by itself"
    return change


def attempt(s: Scene, number: int = 1) -> Attempt:
    """An attempt of the first installment as it is now."""
    return s.books.item().attempts[number - 1]


def moves(s: Scene, order_no: str) -> list[tuple[str, str]]:
    """What became of one order, from the journal: event and state."""
    return [(it.event, it.target) for it in s.books.transitions if it.order_no == order_no]


def refusal(answer: Change | Refusal) -> str:
    """The rule by which an order was refused."""
    assert isinstance(answer, Refusal)
    return answer.rule


def test_an_intent_waits_in_the_file_of_the_next_cut() -> None:
    """It has its number and its file, was never sent, and the driver asks only after the cut."""
    s = filed()
    waits = attempt(s)
    assert (waits.state, waits.sends, waits.cut_at) == (AttemptState.INTENDED, 0, CUT)
    assert (waits.batch_ref, waits.send_until) == ("simbank-20260310T0300", CUT)
    assert (waits.leaves_at, waits.waits_in_file(CUT)) == (CUT, False)
    view = s.books.view()
    assert (view.state, view.detail.attempt_state) == ("PRESENTED", "INTENDED")
    assert view.next_action is not None
    assert view.next_action.kind == ActionKind.INQUIRE
    assert view.next_action.not_before == CUT + FILES.inquiry[0]
    invariants.check(s.books)


def test_an_order_is_withdrawn_before_the_cut_and_its_number_is_never_used_again() -> None:
    """The installment is due as before; the next order goes into a later file."""
    s = filed()
    first = attempt(s)
    later(s.books, CUT - timedelta(seconds=1))
    answer = s.order(WithdrawDebit)
    assert isinstance(answer, Change)
    assert answer.answer == Done(note="withdrawn")
    ended = attempt(s)
    assert (ended.state, ended.code) == (AttemptState.RECALLED, "WITHDRAWN")
    assert (ended.ended_at, ended.batch_ref) == (s.books.at, first.batch_ref)
    assert s.state == "DUE"
    assert s.books.item().owed.total == 10100
    action = s.books.view().next_action
    assert action is not None
    assert (action.kind, action.not_before) == (ActionKind.PRESENT, CUT)
    put_in_file(s)
    second = attempt(s, 2)
    assert (second.order_no != first.order_no, second.cut_at) == (True, NEXT)
    assert refusal(s.order(WithdrawDebit, 2)) == "withdraw.none"
    invariants.check(s.books)


@pytest.mark.parametrize("late", [timedelta(0), HOUR])
def test_after_the_cut_a_withdrawal_is_refused(late: timedelta) -> None:
    """The order has left with its file: it is asked after, and the rail may recall it."""
    s = filed()
    later(s.books, CUT + late)
    answer = s.order(WithdrawDebit)
    assert refusal(answer) == "withdraw.cut"
    assert isinstance(answer, Refusal)
    assert answer.reason == (
        f"order {attempt(s).order_no} left in file simbank-20260310T0300: "
        "ask after it, or have the rail recall it"
    )
    assert attempt(s).is_live


def test_an_order_that_is_sent_by_itself_cannot_be_withdrawn() -> None:
    """Nor one that has ended: nothing is out."""
    s = Scene.boarded(product=CALM)
    order = s.present()
    assert refusal(s.order(WithdrawDebit)) == "withdraw.no_file"
    s.apply_outcome(order)
    assert refusal(s.order(WithdrawDebit)) == "withdraw.none"


def test_a_withdrawn_retry_is_a_retry_again() -> None:
    """The plan of retries goes on where it stood; what was ordered by a person starts as due."""
    s = filed()
    later(s.books, CUT + HOUR)
    s.apply_outcome(attempt(s).order_no, OutcomeClass.NSF)
    assert s.state == "RETRYING"
    put_in_file(s)
    assert attempt(s, 2).was_retrying
    s.order(WithdrawDebit)
    assert s.state == "RETRYING"
    assert isinstance(s.order(RetryNow), Change)
    put_in_file(s)
    assert not attempt(s, 3).was_retrying
    s.order(WithdrawDebit)
    assert s.state == "DUE"


def test_a_payment_that_covers_it_withdraws_an_order_by_itself_before_the_cut() -> None:
    """Paid another way while the order waits: it never leaves, and nothing is taken twice."""
    s = filed()
    order = attempt(s).order_no
    s.pay(10100)
    assert (attempt(s).state, attempt(s).code) == (AttemptState.RECALLED, "MONEY_CAME")
    assert moves(s, order) == [("attempt", "INTENDED"), ("attempt", "RECALLED")]
    assert (s.state, s.books.item().owed.total) == ("CLEARING", 0)
    assert s.books.view().next_action is not None
    invariants.check(s.books)


def test_a_part_payment_puts_what_is_left_into_the_same_file() -> None:
    """The order as it stood would take too much; a new one takes the rest before the cut."""
    s = filed()
    s.pay(4100)
    assert attempt(s).state is AttemptState.RECALLED
    put_in_file(s)
    again = attempt(s, 2)
    assert (again.amount_minor, again.cut_at) == (6000, CUT)
    invariants.check(s.books)


def test_a_payment_after_the_cut_waits_for_the_outcome() -> None:
    """The file has left: the order may take the money, and a transfer waits beside it."""
    s = filed()
    later(s.books, CUT)
    s.pay(10100)
    assert attempt(s).is_live
    assert s.books.item().owed.total == 10100
    s.apply_outcome(attempt(s).order_no, OutcomeClass.NSF)
    assert (s.state, s.books.item().owed.total) == ("CLEARING", 0)


def test_a_hold_takes_an_order_out_of_its_file() -> None:
    """No debit leaves while one is held; a hold of contact alone changes nothing."""
    s = filed()
    s.order(Hold, what=HoldKind.CONTACT)
    assert attempt(s).is_live
    s.order(Hold, what=HoldKind.DEBIT)
    assert (attempt(s).state, attempt(s).code) == (AttemptState.RECALLED, "HELD")
    assert s.state == "DUE"
    assert s.books.view().next_action is None


def test_an_order_whose_mandate_has_ended_does_not_leave() -> None:
    """The mandate does not cover its value day any more: whatever is decided next takes it out."""
    s = filed()
    loan = s.books.loans["L1"]
    ended = replace(loan.mandate, ended_on=s.today)
    s.books.loans["L1"] = replace(loan, mandate=ended)
    s.order(Hold, what=HoldKind.CONTACT)
    assert (attempt(s).state, attempt(s).code) == (AttemptState.RECALLED, "NO_MANDATE")


def test_an_order_is_put_in_another_file_while_it_waits() -> None:
    """Evidence is never refused: of an order that has left, ended or is unknown nothing changes."""
    s = filed()
    order = attempt(s).order_no
    answer = s.give(RecordFiled, order_no=order, batch_ref="FILE-7")
    assert isinstance(answer, Change)
    assert (answer.answer, answer.subject) == (
        Done(note="put in a file"),
        Subject("installment", "L1/1"),
    )
    assert attempt(s).batch_ref == "FILE-7"
    known = len(s.books.transitions)
    s.give(RecordFiled, order_no=order, batch_ref="FILE-7", raw="again")
    assert moves(s, order)[-1] == ("put_in_file", "INTENDED")
    assert len(s.books.transitions) == known
    later(s.books, CUT)
    left = s.give(RecordFiled, order_no=order, batch_ref="FILE-8")
    assert isinstance(left, Change)
    assert left.answer == Done(note="not waiting in a file")
    assert attempt(s).batch_ref == "FILE-7"
    s.give(RecordFiled, order_no="NOBODYS", batch_ref="FILE-9")
    assert [case.kind for case in s.books.cases.values()] == ["unknown_order"]


def test_an_order_that_stands_in_its_file_is_not_noted_again() -> None:
    """The file it was put in with its intent: nothing is news."""
    s = filed()
    known = len(s.books.transitions)
    s.give(RecordFiled, order_no=attempt(s).order_no, batch_ref=attempt(s).batch_ref)
    assert len(s.books.transitions) == known


def test_an_order_in_a_file_is_never_sent_by_itself() -> None:
    """Neither before nor after the cut, on a rail that executes a number at most once either."""
    s = filed()
    s.books.rules = replace(RULES, rails={"simbank": replace(FILES, idempotent=True)})
    order = attempt(s).order_no
    for at in (s.books.at, CUT + HOUR):
        later(s.books, at)
        renewed = s.order(RenewSend, order_no=order)
        assert refusal(renewed) == "debit.in_file"
    s.give(RecordUnsent, order_no=order, sends=0)
    assert attempt(s).sends == 0


def test_what_is_expected_of_an_order_counts_from_the_cut() -> None:
    """An accepted order is in doubt so long after its file left, not after its intent."""
    s = filed()
    later(s.books, CUT + FILES.expected_by - timedelta(seconds=1))
    s.apply_outcome(attempt(s).order_no, OutcomeClass.PENDING)
    assert s.state == "PRESENTED"
    action = s.books.view().next_action
    assert action is not None
    assert action.not_before == CUT + FILES.expected_by


def test_a_late_intent_goes_into_a_later_file_with_its_value_day() -> None:
    """After the last cut of a day the rail takes no orders; the next day counts."""
    window = taking_orders(FILES)
    assert (window.opens, window.closes) == (time(7), time(16))
    friday = datetime(2026, 3, 13, 8, tzinfo=UTC)
    assert next_cut(friday - HOUR, FILES, PLAIN) == friday
    assert next_cut(friday, FILES, PLAIN) == datetime(2026, 3, 16, 3, tzinfo=UTC)
    saturday = datetime(2026, 3, 14, 1, tzinfo=UTC)
    assert next_cut(saturday, FILES, PLAIN) == datetime(2026, 3, 16, 3, tzinfo=UTC)
    assert next_cut(friday, RAIL, PLAIN) is None


def test_a_superseded_intent_puts_nothing_in_a_file() -> None:
    """The action of an old view is moot once an order waits."""
    s = filed()
    old = s.give(
        IntendDebit, actor=DRIVER, loan_id="L1", number=1, action="present/1", generation=1, seen=1
    )
    assert isinstance(old, Change)
    assert len(s.books.item().attempts) == 1


@pytest.mark.parametrize(
    "cuts", [(time(16), time(11)), (time(11), time(11)), (time(7),), (time(20, 1),)]
)
def test_cuts_that_no_file_could_keep_are_refused(cuts: tuple[time, ...]) -> None:
    """Out of order, twice, at opening, or after the rail's cut-off."""
    with pytest.raises(InvalidInput) as refused:
        replace(RAIL, cuts=cuts)
    assert refused.value.field == "cuts"


def test_a_case_about_an_order_comes_before_the_next_file() -> None:
    """Taken out by a person, and then put in question: the later of the two waits counts."""
    s = filed()
    order = attempt(s).order_no
    s.order(WithdrawDebit)
    s.apply_outcome(order, minor=10100, currency="USD")
    action = s.books.view().next_action
    assert action is not None
    assert action.reason.startswith("waits for the end of case")
    assert action.not_before.date() == date(2026, 3, 11)


def test_an_order_is_put_in_one_file_once() -> None:
    """The same news under another id is no news; another file is."""
    terms = {"actor": TESTER, "order_no": "O1", "batch_ref": "F1"}
    first, again = (RecordFiled(id=name, **terms) for name in ("a", "b"))  # type: ignore[arg-type]
    assert first.dedup_key() == again.dedup_key() == "filed/O1/F1"
    assert replace(first, batch_ref="F2").dedup_key() != first.dedup_key()
    assert first.scope() == Scope(orders=("O1",))


def test_an_order_is_taken_out_of_its_file_when_its_mandate_is_replaced() -> None:
    """It was made under an authority that the loan has left; the next one is of the new mandate."""
    s = filed()
    order = ReplaceMandate(
        id="m",
        actor=TESTER,
        reason="a new account",
        mandate="M-L1",
        loan="L1",
        ref="M-9",
        account_token="acct-9",
        valid_from=date(2026, 1, 1),
    )
    assert isinstance(s.books.apply(order), Change)
    assert attempt(s).state is AttemptState.RECALLED
    put_in_file(s)
    assert (attempt(s, 2).mandate_ref, attempt(s, 2).state) == ("M-9", AttemptState.INTENDED)
