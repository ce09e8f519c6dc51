"""A loan in progress is brought over as the former system states it, and goes on from there."""

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

import pytest

from domain.audit.orders import beyond_limits
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.loan.decide.driving import order_number
from domain.loan.lifecycle import State
from domain.loan.opening import Opening, OpeningItem
from domain.loan.product import Product
from domain.pricing.amounts import Amounts
from tests.support import invariants
from tests.support.doors import ChangeDate, Past, RetryNow
from tests.support.memory import PRODUCT, MemoryBooks, board, registering, with_shares
from tests.support.openings import APRIL, AS_OF, WHOLE, opening, ordered, paid
from tests.support.scene import ACCOUNT, Scene

SHARED = with_shares(
    PRODUCT,
    ("funder-1", Fraction(90, 100)),
    ("platform", Fraction(8, 100)),
    ("insurer", Fraction(2, 100)),
    remainder="funder-1",
)


def brought(
    said: Opening, product: Product = PRODUCT, past: Past = Past.REFUSE, at: datetime = APRIL
) -> Scene:
    """The books with the loan on them, everything that must hold at rest checked."""
    books = MemoryBooks(at=at, rules=registering(product))
    answer = books.apply(replace(board(product=product), opening=said, past=past))
    assert isinstance(answer, Change), answer
    invariants.check(books)
    return Scene(books)


def states(s: Scene) -> list[State]:
    """Where the installments stand."""
    return [item.state for item in s.books.loans["L1"].installments]


def balances(s: Scene) -> dict[str, int]:
    """Balances by account, those of single components left out."""
    return {k: v for k, v in s.books.balances().items() if not k.startswith("owed/")}


def test_what_was_paid_is_closed_by_the_named_evidence_and_has_no_driver() -> None:
    """The holder had the money, every party its share; nothing of it is owed or claimed."""
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE)),)), SHARED)
    assert states(s) == [State.CLOSED, State.CLOSED, State.SCHEDULED]
    assert balances(s) == {
        "opening/oldbank": 20200,
        "held_by/funder-1": -18180,
        "held_by/platform": -1616,
        "held_by/insurer": -404,
    }
    assert not any(item.driver.opened for item in s.books.loans["L1"].installments[:2])
    assert s.books.cases == {}
    said = [move.detail for move in s.books.transitions if move.event == "closed_elsewhere"]
    assert said == ["brought over, export 7"] * 2


def test_a_loan_that_was_paid_as_a_whole_is_closed() -> None:
    """Also where its last installment is still to fall due."""
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE), (3, WHOLE)),)))
    assert states(s) == [State.CLOSED] * 3
    assert s.books.messages == []


def test_nothing_of_the_past_is_debited_reminded_or_penalised() -> None:
    """What is overdue waits for a person; its penalty begins on the day after the opening."""
    s = brought(opening(payments=(paid((1, WHOLE)),)))
    assert states(s) == [State.CLOSED, State.DELINQUENT, State.SCHEDULED]
    assert s.books.item(2).owed == WHOLE
    assert s.books.messages == []
    assert s.books.view(2).next_action is None
    s.until(date(2026, 4, 30))
    # 100.00 at 18 % of 360 days for the ten days from the 20th to the 29th.
    assert s.books.item(2).owed == replace(WHOLE, penalty=50)
    assert not [m for m in s.books.messages if m.topic == "notice"]


def test_penalty_goes_on_from_what_is_stated() -> None:
    """The stated penalty is owed, not one that is computed for the days before."""
    s = brought(
        opening(
            payments=(paid((1, WHOLE)),),
            items=(OpeningItem(number=2, charged=Amounts(penalty=33)),),
        )
    )
    assert s.books.item(2).owed == replace(WHOLE, penalty=33)
    s.until(date(2026, 4, 30))
    assert s.books.item(2).owed == replace(WHOLE, penalty=83)


def test_overdue_installments_are_debited_at_once_where_the_loan_says_so() -> None:
    """They are due, and bear penalty for the day of the debit, the first that is ours."""
    s = brought(opening(payments=(paid((1, WHOLE)),)), past=Past.OWED)
    assert states(s) == [State.CLOSED, State.DUE, State.SCHEDULED]
    order = s.present(2)
    assert s.books.item(2).attempts[-1].amount_minor == 10105
    s.apply_outcome(order)
    assert s.books.item(2).state is State.CLEARING
    invariants.check(s.books)


def test_a_part_payment_leaves_the_rest_owed() -> None:
    """The rest is shared as what is left of the claims."""
    s = brought(opening(payments=(paid((1, Amounts(4000, 100))),)), SHARED)
    assert states(s) == [State.DELINQUENT, State.DELINQUENT, State.SCHEDULED]
    assert s.books.item(1).owed == Amounts(6000)
    assert s.books.item(1).claims["platform"].principal == 480


def test_what_was_waived_is_forgiven() -> None:
    """A waiver that covers the rest closes the installment."""
    waived = OpeningItem(number=1, charged=Amounts(penalty=50), waived=Amounts(0, 100, 0, 20))
    s = brought(
        opening(payments=(paid((1, Amounts(10000, 0, 0, 30)), (2, WHOLE)),), items=(waived,)),
        SHARED,
    )
    assert states(s)[:2] == [State.CLOSED, State.CLOSED]
    forgiven = {k: v for k, v in balances(s).items() if k.startswith("forgiven/")}
    assert sum(forgiven.values()) == 120
    assert s.books.balances()["opening/oldbank"] == 20130


def test_what_was_written_off_stays_collectable() -> None:
    """It is out of what is owed, and money that comes later recovers it."""
    off = OpeningItem(number=2, written_off_on=date(2026, 4, 15))
    s = brought(opening(payments=(paid((1, WHOLE)),), items=(off,)))
    assert states(s)[:2] == [State.CLOSED, State.WRITTEN_OFF]
    assert s.books.item(2).written_off == WHOLE
    s.pay(10100, 2)
    assert states(s)[1] is State.CLEARING
    invariants.check(s.books)


def test_money_paid_ahead_pays_what_falls_due_and_waits_for_its_line() -> None:
    """It lies with the holder until a booked line shows it; nothing closes before that."""
    said = opening(
        payments=(paid((1, WHOLE), (2, WHOLE)),), advance_minor=10100, advance_ref="OLD-X"
    )
    s = brought(said, SHARED)
    assert s.books.balances()["advance/L1"] == -10100
    assert s.books.balances()["opening/oldbank"] == 30300
    s.until(date(2026, 5, 11))
    assert s.books.item(3).state is State.CLEARING
    s.credit("OLD-X", 10100)
    assert s.books.balances()["opening/oldbank"] == 20200
    invariants.check(s.books)


@pytest.mark.parametrize("state", [AttemptState.ACCEPTED, AttemptState.UNKNOWN])
def test_an_order_without_an_outcome_is_inquired_about_and_never_given_again(
    state: AttemptState,
) -> None:
    """Its installment is in doubt until the rail says what became of it."""
    out = ordered(2, state=state, outcome_class=None, code="")
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(out,)), past=Past.OWED)
    assert states(s)[1] is State.IN_DOUBT
    action = s.books.view(2).next_action
    assert action is not None
    assert action.kind == "INQUIRE"
    assert [message.topic for message in s.books.messages][:1] == ["open"]
    s.apply_outcome("OLD-1")
    assert s.books.item(2).state is State.CLEARING
    assert s.books.balances()["clearing/simbank"] == 10100
    invariants.check(s.books)


def test_attempts_of_the_former_system_count_for_every_limit() -> None:
    """The plan goes on where it stood: two of four presentments are used up."""
    tries = (ordered(2, "OLD-1"), ordered(2, "OLD-2", value_on=date(2026, 4, 14)))
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=tries), past=Past.OWED)
    assert states(s)[1] is State.RETRYING
    assert s.present(2)
    assert [a.number for a in s.books.item(2).attempts] == [1, 2, 3]
    invariants.check(s.books)


def test_a_hard_refusal_of_the_former_system_bars_every_further_debit() -> None:
    """Its account is closed: not even an order may debit it under the same mandate."""
    closed = ordered(2, outcome_class=OutcomeClass.ACCOUNT, code="14")
    for past in (Past.OWED, Past.REFUSE):
        s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(closed,)), past=past)
        assert states(s)[1] is State.DELINQUENT
        assert isinstance(s.order(RetryNow, 2), Refusal)


def test_an_overdue_installment_is_debited_on_an_order() -> None:
    """What waits for a person goes on when one says so."""
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(ordered(2),)))
    assert states(s)[1] is State.DELINQUENT
    assert isinstance(s.order(RetryNow, 2), Change)
    assert s.present(2)
    invariants.check(s.books)


def test_a_debit_that_comes_back_after_the_cut_over_opens_its_debt_again() -> None:
    """The holder owes what our account pays back; the parties have it no longer."""
    taken = ordered(2, state=AttemptState.CONFIRMED, outcome_class=None, code="00")
    money = paid((2, WHOLE), order_no="OLD-1", on=date(2026, 4, 10))
    s = brought(opening(payments=(paid((1, WHOLE)), money), attempts=(taken,)), SHARED)
    assert states(s)[1] is State.CLOSED
    s.returned("OLD-1", 10100)
    assert s.books.item(2).state in {State.RETRYING, State.DELINQUENT}
    assert s.books.item(2).owed == WHOLE
    assert s.books.balances()["opening/oldbank"] == 10100
    invariants.check(s.books)
    s.return_line("OLD-1", 10100)
    assert s.books.balances()["opening/oldbank"] == 20200
    assert s.books.balances()[f"bank/{ACCOUNT}"] == -10100
    assert s.books.cases.keys() == {"after_closing/L1/2"}
    invariants.check(s.books)


def test_a_debit_within_its_return_window_stays_settled() -> None:
    """It is released and closed by the day on which it can usually come back no more."""
    taken = ordered(2, state=AttemptState.CONFIRMED, outcome_class=None, code="00", value_on=AS_OF)
    money = paid((2, WHOLE), order_no="OLD-1", on=AS_OF)
    s = brought(opening(payments=(paid((1, WHOLE)), money), attempts=(taken,)), SHARED)
    assert states(s)[1] is State.SETTLED
    s.until(date(2026, 4, 24))
    assert states(s)[1] is State.CLOSED


def test_what_the_former_system_placed_stays_where_it_is() -> None:
    """Later news of an earlier value date places our money anew, and not that of before."""
    s = brought(opening(payments=(paid((1, WHOLE)), paid((2, Amounts(5000))))), past=Past.OWED)
    before = [portion.allocations for portion in s.books.loans["L1"].portions]
    s.pay(3000, 2, value_on=date(2026, 3, 5))
    s.pay(3000, 2, value_on=date(2026, 3, 1))
    assert [portion.allocations for portion in s.books.loans["L1"].portions][:2] == before
    invariants.check(s.books)


def test_what_was_cancelled_is_never_collected() -> None:
    """Nothing of it is charged, whatever was tried before."""
    gone = OpeningItem(number=1, is_cancelled=True)
    s = brought(opening(payments=(paid((2, WHOLE)),), items=(gone,), attempts=(ordered(1),)))
    assert states(s) == [State.CANCELLED, State.CLOSED, State.SCHEDULED]
    assert s.books.item(1).owed == Amounts()


def test_fees_and_costs_besides_the_schedule_are_owed() -> None:
    """They are charged as stated and paid like all that is owed."""
    more = OpeningItem(number=2, charged=Amounts(fee=25, penalty=40, cost=5))
    s = brought(opening(payments=(paid((1, WHOLE)),), items=(more,)), SHARED)
    assert s.books.item(2).owed == Amounts(10000, 100, 25, 40, 5)
    s.pay(10175, 2)  # with the penalty of the first day that is ours
    assert s.books.item(2).state is State.CLEARING
    invariants.check(s.books)


def test_an_installment_that_is_to_come_may_have_its_order_out_already() -> None:
    """Rails that take orders days ahead have it; nothing else is ordered before its outcome."""
    out = ordered(
        3, value_on=date(2026, 5, 10), state=AttemptState.ACCEPTED, outcome_class=None, code=""
    )
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE)),), attempts=(out,)))
    assert states(s)[2] is State.IN_DOUBT
    s.apply_outcome("OLD-1")
    assert states(s)[2] is State.CLEARING
    invariants.check(s.books)


def test_what_was_paid_of_an_installment_that_is_to_come_is_not_debited() -> None:
    """The rest is debited on its due date, and no penalty is charged before."""
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE), (3, Amounts(4000))),)))
    assert states(s)[2] is State.DUE
    s.present(3)
    assert s.today == date(2026, 5, 11)  # the tenth is a Sunday
    assert s.books.item(3).attempts[-1].amount_minor == 6100


def test_overdue_installments_wait_for_an_order_whatever_comes_and_goes() -> None:
    """Money that paid one and went back, or an order of before that failed, changes nothing."""
    out = ordered(2, state=AttemptState.UNKNOWN, outcome_class=None, code="")
    s = brought(opening(attempts=(out,)))
    assert states(s) == [State.DELINQUENT, State.IN_DOUBT, State.SCHEDULED]
    s.apply_outcome("OLD-1", OutcomeClass.NSF)
    assert states(s)[1] is State.DELINQUENT
    payment = s.pay(10105)
    assert states(s)[0] is State.CLEARING
    s.credit(s.payment(payment).reference, 10105)
    s.return_line(s.payment(payment).reference, 10105)
    s.until(date(2026, 4, 24))
    assert states(s) == [State.DELINQUENT, State.DELINQUENT, State.SCHEDULED]
    assert isinstance(s.order(RetryNow, 1), Change)
    assert s.present(1)
    assert isinstance(s.order(ChangeDate, 2, due_on=date(2026, 5, 4)), Change)
    assert states(s)[1] is State.SCHEDULED
    assert s.present(2)
    invariants.check(s.books)


@pytest.mark.parametrize("state", [AttemptState.RETURNED, AttemptState.CONFIRMED])
def test_news_that_the_former_system_had_changes_nothing(state: AttemptState) -> None:
    """The rail repeats that it took the money of an old order: it came and went, or is placed."""
    old = ordered(2, state=state, outcome_class=None, code="00")
    money = (paid((2, WHOLE), order_no="OLD-1", on=date(2026, 4, 10)),)
    taken = money if state is AttemptState.CONFIRMED else ()
    s = brought(opening(payments=(paid((1, WHOLE)), *taken), attempts=(old,)))
    before = s.books.balances()
    s.apply_outcome("OLD-1", source="webhook")
    assert s.books.balances() == before
    assert states(s)[1] is (State.DELINQUENT if not taken else State.CLOSED)
    invariants.check(s.books)


def test_the_line_of_a_return_of_before_makes_the_holder_owe_it() -> None:
    """Our account paid back what the holder had; the debt is open as it was."""
    old = ordered(2, state=AttemptState.RETURNED, outcome_class=OutcomeClass.NSF, code="AM04")
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(old,)))
    s.return_line("OLD-1", 10100)
    assert s.books.balances()["opening/oldbank"] == 20200
    assert states(s)[1] is State.DELINQUENT
    s.credit(s.payment(s.pay(10105, 2)).reference, 10105)
    s.until(date(2026, 4, 24))
    assert states(s)[1] is State.CLOSED
    invariants.check(s.books)


def test_the_line_of_an_old_debit_may_come_to_our_account() -> None:
    """It is the money that the opening states, and no second execution; it can come back."""
    taken = ordered(2, state=AttemptState.CONFIRMED, outcome_class=None, code="00")
    money = paid((2, WHOLE), order_no="OLD-1", on=date(2026, 4, 17))
    s = brought(opening(payments=(paid((1, WHOLE)), money), attempts=(taken,)))
    s.credit("OLD-1", 10100)
    assert s.books.balances()["opening/oldbank"] == 10100
    assert s.books.balances()[f"bank/{ACCOUNT}"] == 10100
    assert s.books.cases == {}
    invariants.check(s.books)
    s.returned("OLD-1", 10100)
    s.return_line("OLD-1", 10100)
    assert s.books.item(2).owed.principal == 10000
    assert s.books.balances()["opening/oldbank"] == 10100
    invariants.check(s.books)


def test_an_installment_that_is_to_come_is_debited_on_its_day_whatever_failed_before() -> None:
    """A debit that was tried too early does not make it due."""
    s = brought(
        opening(payments=(paid((1, WHOLE), (2, WHOLE)),), attempts=(ordered(3, value_on=AS_OF),))
    )
    assert states(s)[2] is State.SCHEDULED
    s.present(3)
    assert s.today == date(2026, 5, 11)
    part = opening(
        payments=(paid((1, WHOLE), (2, WHOLE), (3, Amounts(4000))),),
        attempts=(ordered(3, value_on=AS_OF),),
    )
    s = brought(part)
    assert states(s)[2] is State.DUE
    s.present(3)
    assert s.today == date(2026, 5, 11)


def test_stated_penalty_fills_the_caps_of_the_product() -> None:
    """A cap is for the whole life of an installment, wherever it was charged."""
    assert PRODUCT.penalty is not None
    capped = replace(PRODUCT, penalty=replace(PRODUCT.penalty, cap_minor=50))
    more = OpeningItem(number=2, charged=Amounts(penalty=40))
    s = brought(opening(payments=(paid((1, WHOLE)),), items=(more,)), capped)
    s.until(date(2026, 5, 9))
    assert s.books.item(2).owed.penalty == 50


def test_a_line_under_the_reference_of_an_old_payment_is_other_money() -> None:
    """Payers use one reference again and again: what was paid before is proven already."""
    old = paid((1, WHOLE), on=date(2026, 3, 10), reference="LOAN 1")
    s = brought(opening(payments=(old,)))
    s.credit("LOAN 1", 10105)
    assert s.books.balances()["opening/oldbank"] == 10100
    assert [case.kind.value for case in s.books.cases.values()] == ["unmatched_line"]
    invariants.check(s.books)


def test_an_order_number_that_the_former_system_used_is_not_used_again() -> None:
    """A number that ours would have as well is passed over."""
    ours = order_number("t1", "L1", 3, 1)
    said = opening(payments=(paid((1, WHOLE)),), attempts=(ordered(2, ours),))
    s = brought(said)
    assert s.present(3) != ours
    invariants.check(s.books)


def test_attempts_of_a_former_system_are_not_judged_by_our_limits() -> None:
    """Its limits were its own; they bar further debits here, and the audit has nothing to say."""
    tries = tuple(
        ordered(2, f"OLD-{day}", value_on=date(2026, 4, day)) for day in (10, 11, 12, 13, 14)
    )
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=tries), past=Past.OWED)
    assert states(s)[1] is State.DELINQUENT
    assert list(beyond_limits(s.books.loans["L1"], s.books.rules)) == []
