"""Money is placed by value date: whatever becomes known first, the same money pays the same."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from domain.debit.outcome import OutcomeClass
from domain.loan.decide.reallocating import reallocate
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.pricing.caps import CapRules, legal_caps
from domain.pricing.frequency import Frequency
from domain.pricing.penalty import PenaltyRule
from tests.support import invariants
from tests.support.doors import WriteOff
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import Scene

DUE = date(2026, 3, 10)
LINES = schedule(((200_000, 0), (200_000, 0)))
# 2000.00 at 18 percent over 360 days: 1.00 a day from the day after the due date.
DAILY = PenaltyRule(Decimal(18), 360, on_interest=False, grace_days=0)
ONCE = replace(PRODUCT.retry, attempts_max=1)
PRODUCT_18 = replace(PRODUCT, penalty=DAILY, retry=ONCE)
PLAIN = replace(PRODUCT_18, penalty=None)
CN_24 = CapRules(legal_caps("cn-institutions-24"), Frequency(1, "month"))
News = Callable[[Scene], object]


def day(days: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=days)


def failed(outcome_class: OutcomeClass = OutcomeClass.PAYER_STOP) -> tuple[Scene, str]:
    """An installment of 2000.00 whose only debit has failed; its order number."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    order = s.present()
    s.apply_outcome(order, outcome_class)
    return s, order


def transfer(minor: int, ref: str, value_on: date) -> News:
    """A transfer with a value date, as news."""
    return lambda s: s.pay(minor, ref=ref, value_on=value_on)


def paid(s: Scene) -> dict[str, dict[int, int]]:
    """What each payment pays of each installment, by the payer's reference or order number."""
    found: dict[str, dict[int, int]] = {}
    for portion in s.books.loans["L1"].portions:
        payment = s.books.payments[portion.id]
        parts = found.setdefault(payment.order_no or payment.reference, {})
        for part in portion.allocations:
            parts[part.number] = parts.get(part.number, 0) + part.minor
    return found


def told(s: Scene, news: Sequence[News]) -> Scene:
    """The scene once all news has come, in this order."""
    for one in news:
        one(s)
        invariants.check(s.books)
    return s


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_transfers_pay_in_the_order_of_their_value_dates(order: Sequence[int]) -> None:
    """Of days 2, 5 and 8, known on day 10 in any order: the days that each ends bear no more."""
    news = [transfer(50_000, f"T-{days}", day(days)) for days in (2, 5, 8)]
    s, _ = failed()
    s.until(day(10))
    told(s, [news[place] for place in order])
    item = s.books.item()
    # Two days of 2000.00, three of 1502.00, three of 1004.25 and one of 505.76: 6.01 of 6.0126.
    assert item.charged.penalty == 601
    assert item.owed.total == 200_000 + 601 - 150_000
    assert paid(s) == {f"T-{days}": {1: 50_000} for days in (2, 5, 8)}
    first = s.portion("T-2").allocations
    assert [(part.component, part.minor) for part in first] == [
        ("penalty", 200),
        ("principal", 49_800),
    ]


def test_money_of_a_later_day_makes_room_and_is_paid_ahead() -> None:
    """2000.00 of day 5 paid all; the same of day 0 becomes known: no penalty, the rest is ahead."""
    s, _ = failed()
    s.until(day(6))
    s.pay(200_500, ref="T-5", value_on=day(5))
    assert s.books.item().charged.penalty == 500
    before = s.mark
    s.pay(200_000, ref="T-0", value_on=DUE)
    assert s.books.item().charged.penalty == 0
    assert paid(s) == {"T-5": {}, "T-0": {1: 200_000}}
    assert s.portion("T-5").advance_minor == 200_500
    events = [event for event, _ in s.posted(before)]
    assert events == [
        "payment_recorded",
        "unapplied",
        "penalty_reversed",
        "applied",
        "advanced",
    ]
    invariants.check(s.books)


def test_money_of_a_later_day_moves_nothing() -> None:
    """Nothing is taken off and put back where what became known last also counts from last."""
    s, _ = failed()
    s.until(day(6))
    s.pay(50_000, ref="T-2", value_on=day(2))
    before = s.mark
    s.pay(50_000, ref="T-5", value_on=day(5))
    assert not {"unapplied", "recovery_reversed"} & {event for event, _ in s.posted(before)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_transfer_beside_a_late_success_is_what_is_too_much(order: Sequence[int]) -> None:
    """The debit of the due date pays, whichever is known first; the transfer is paid ahead."""
    s, order_no = failed(OutcomeClass.NSF)
    s.until(day(3))
    news: list[News] = [
        transfer(200_000, "T-2", day(2)),
        lambda s: s.apply_outcome(order_no, source="webhook", bank_ref="B1", executed_on=DUE),
    ]
    told(s, [news[place] for place in order])
    assert paid(s) == {"T-2": {}, order_no: {1: 200_000}}
    assert s.portion("T-2").advance_minor == 200_000
    assert s.books.item().charged.penalty == 0
    assert s.state == State.CLEARING


def test_a_settled_installment_clears_again_when_unproven_money_takes_its_place() -> None:
    """`payment_unproven`: what pays it now, no line has proven; with its line it is complete."""
    s, _ = failed()
    s.until(day(5))
    s.pay(200_400, ref="T-4", value_on=day(4))
    s.settle()
    assert s.state == State.SETTLED
    s.pay(200_000, ref="T-0", value_on=DUE)
    assert s.state == State.CLEARING
    assert s.books.transitions[-1].event == "payment_unproven"
    assert paid(s) == {"T-4": {}, "T-0": {1: 200_000}}
    s.settle()
    assert s.state == State.CLOSED
    invariants.check(s.books)


def test_money_on_a_closed_installment_stays_there() -> None:
    """A transfer of an earlier day, told after it closed, is paid ahead and takes nothing off."""
    s, _ = failed()
    s.until(day(5))
    s.pay(200_400, ref="T-4", value_on=day(4))
    s.settle()
    s.until(day(15))
    assert s.state == State.CLOSED
    s.pay(200_000, ref="T-0", value_on=DUE)
    assert s.state == State.CLOSED
    assert paid(s) == {"T-4": {1: 200_400}, "T-0": {}}
    invariants.check(s.books)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_was_written_off_recovered_and_returned_in_part_is_written_off(
    order: Sequence[int],
) -> None:
    """Success, its return of a half and a transfer of a quarter, in any order: never owed anew."""
    s = Scene.boarded(product=PLAIN, lines=LINES)
    order_no = s.present()
    s.apply_outcome(order_no, OutcomeClass.PAYER_STOP)
    s.order(WriteOff)
    news: list[News] = [
        lambda s: s.apply_outcome(order_no, source="webhook", bank_ref="B1", executed_on=DUE),
        lambda s: s.returned(order_no, 100_000, bank_ref="B1"),
        transfer(50_000, "T-0", DUE),
    ]
    told(s, [news[place] for place in order])
    item = s.books.item()
    assert (item.state, item.is_written_off) == (State.WRITTEN_OFF, True)
    assert (item.owed.total, item.written_off.total) == (0, 50_000)
    assert paid(s) == {order_no: {1: 100_000}, "T-0": {1: 50_000}}


def test_a_recovery_in_full_that_comes_back_is_written_off_again() -> None:
    """The debt leaves the books of what is owed once; no machine asks for it again."""
    s = Scene.boarded(product=PLAIN, lines=LINES)
    order_no = s.present()
    s.apply_outcome(order_no, OutcomeClass.PAYER_STOP)
    s.order(WriteOff)
    s.apply_outcome(order_no, source="webhook", bank_ref="B1", executed_on=DUE)
    assert s.state == State.CLEARING
    s.returned(order_no, 200_000, bank_ref="B1")
    assert s.books.transitions[-1].event == "recovery_reversed"
    assert s.state == State.WRITTEN_OFF
    assert s.books.view().next_action is None
    invariants.check(s.books)


@pytest.mark.parametrize("known_on", [date(2026, 4, 21), date(2026, 5, 10), date(2026, 6, 19)])
def test_the_older_of_two_installments_has_the_room_of_a_ceiling(known_on: date) -> None:
    """Number 2 was paid with its penalty; as that of number 1 grows, it goes back."""
    lines = schedule(((200_000, 4_000), (200_000, 2_000)))
    rule = PenaltyRule(Decimal(36), 360, on_interest=True, grace_days=3)
    s = Scene.boarded(product=replace(PRODUCT_18, caps=CN_24, penalty=rule), lines=lines)
    s.apply_outcome(s.present(), OutcomeClass.PAYER_STOP)
    s.apply_outcome(s.present(2), OutcomeClass.PAYER_STOP)
    s.until(known_on)
    s.pay(210_000, number=2, ref="T-2", value_on=date(2026, 4, 20))
    invariants.check(s.books)
    s.until(date(2026, 6, 20))
    one, two = s.books.item(1), s.books.item(2)
    assert (one.charged.penalty, two.charged.penalty) == (19_977, 0)
    assert paid(s) == {"T-2": {1: 8_000, 2: 202_000}}
    invariants.check(s.books)


def test_a_report_tells_the_day_that_a_line_could_not_know() -> None:
    """Booked on day 4 and reported as taken on day 1: both payment and portion are of day 1."""
    s, order_no = failed(OutcomeClass.NSF)
    s.until(day(4))
    s.credit(order_no, 200_000)
    assert s.portion(f"R-{order_no}").value_on == day(4)
    assert s.books.item().charged.penalty == 400
    s.apply_outcome(order_no, source="webhook", bank_ref="B1", executed_on=day(1))
    portion, payment = s.portion(f"R-{order_no}"), s.payment(f"R-{order_no}")
    assert portion.value_on == payment.value_on == day(1)
    assert s.books.item().charged.penalty == 100
    invariants.check(s.books)


def test_a_report_without_a_day_leaves_the_day_of_the_line() -> None:
    """The rail names the booking only: the money counts from the value date of its line."""
    s, order_no = failed(OutcomeClass.NSF)
    s.until(day(4))
    s.credit(order_no, 200_000)
    s.apply_outcome(order_no, source="webhook", bank_ref="B1")
    payment = s.payment(f"R-{order_no}")
    assert (payment.value_on, payment.bank_ref) == (day(4), "B1")
    assert s.books.item().charged.penalty == 400


def test_every_booking_that_a_return_names_is_kept_until_one_is_known() -> None:
    """Two halves under two strange names are two cases; the booking of one name ends its case."""
    s = Scene.boarded(product=PLAIN, lines=LINES)
    order_no = s.present()
    s.apply_outcome(order_no, bank_ref="B1")
    s.returned(order_no, 60_000, bank_ref="B2")
    s.returned(order_no, 70_000, bank_ref="B3")
    assert s.payment(f"R-{order_no}").return_refs == ("B2", "B3")
    cases = {key for key in s.books.cases if key.startswith("booking/")}
    assert cases == {f"booking/{order_no}/B2", f"booking/{order_no}/B3"}
    s.apply_outcome(order_no, source="webhook", bank_ref="B2")
    cases = {key for key in s.books.cases if key.startswith("booking/")}
    assert cases == {f"booking/{order_no}/B3"}
    invariants.check(s.books)


def test_money_stays_where_it_is_when_a_trial_comes_to_no_rest() -> None:
    """What cannot be placed anew is not refused: nothing has moved, and nothing is posted."""
    s, _ = failed()
    s.until(day(6))
    s.pay(200_500, ref="T-5", value_on=day(5))
    s.pay(1_000, ref="T-6", value_on=day(6))
    loan = s.books.loans["L1"]
    first, last = loan.portions
    earlier = replace(loan, portions=(first, replace(last, value_on=DUE)))
    work = Work(replace(s.books._aggregates(), loans={"L1": earlier}), close_out=lambda _, __: None)

    def restless(trial: Work, loan_id: str) -> bool:
        assert trial is not work
        assert trial.portion(loan_id, first.id).waiting_minor == 200_500
        return False

    reallocate(work, "L1", restless)
    assert work.loan("L1") == earlier
    assert work.done("L1", 1, "looked at").entries == ()


@pytest.mark.parametrize("known_on", [day(2), date(2026, 4, 12)])
def test_what_was_paid_ahead_pays_what_a_return_reopens(known_on: date) -> None:
    """3000.00 beside a debit of 2000.00: when that comes back, number 1 is paid before number 2."""
    lines = schedule(((200_000, 0), (200_000, 0), (200_000, 0)))
    s = Scene.boarded(product=PLAIN, lines=lines)
    order_no = s.present()
    s.apply_outcome(order_no, bank_ref="B1", executed_on=DUE)
    s.until(day(1))
    s.pay(300_000, ref="T-1")
    assert s.portion("T-1").advance_minor == 300_000
    s.until(known_on)
    s.returned(order_no, 200_000, bank_ref="B1")
    invariants.check(s.books)
    s.until(date(2026, 4, 13))
    assert paid(s) == {order_no: {}, "T-1": {1: 200_000, 2: 100_000}}
    assert s.portion("T-1").advance_minor == 0
    assert [item.owed.total for item in s.books.loans["L1"].installments] == [0, 100_000, 0]
    assert s.books.item(2).state in {State.DUE, State.RETRYING}
