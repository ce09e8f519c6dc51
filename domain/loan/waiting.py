"""Free money of a loan: what it pays, and how much is then left to debit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from domain.debit.attempt import AttemptState
from domain.loan.accrual import owed_on
from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State
from domain.loan.waterfall import Allocation, OpenItem, allocate
from domain.payment.portion import Portion
from domain.pricing.amounts import Amounts


def by_waterfall(
    loan: Loan, portion: Portion, free: int, items: Iterable[OpenItem], today: date
) -> tuple[tuple[Allocation, ...], int]:
    """Where free money of a portion goes among open items, and how much of it they cannot take.

    What is due by today counts as due, also for money with an earlier value date. Money of a debit
    pays only the installment that it was taken for: the payer agreed to nothing else.
    """
    entries = [item for item in items if item.owed.total]
    if portion.is_debit:
        entries = [entry for entry in entries if entry.number == portion.number]
    past = [entry.due_on for entry in entries if entry.due_on <= today]
    as_of = max([portion.value_on, *past])
    # Charged before its day (a rail with a lead, a moved date): due as of now.
    entries = [replace(entry, due_on=min(entry.due_on, as_of)) for entry in entries]
    mine = tuple(entry.number for entry in entries if entry.number == portion.number)
    return allocate(entries, free, loan.product.waterfall, as_of, mine)


def in_order(loan: Loan) -> list[Portion]:
    """The money of a loan in the order in which it is placed, whenever each of it became known.

    By value date. A debit that came by the due date of its installment is before all other money,
    and one of the same day before a transfer: it can pay nothing else, and no penalty depends on
    it. Of several executions of one order the proven one comes first, then the larger one: two
    that are alike in this leave the same books either way.
    """
    ordered = {
        attempt.order_no: attempt.value_on
        for _, attempt in loan.attempts()
        if attempt.state is AttemptState.CONFIRMED
    }
    return sorted(loan.portions, key=lambda portion: _rank(loan, portion, ordered))


def _rank(
    loan: Loan, portion: Portion, ordered: Mapping[str, date]
) -> tuple[date, bool, date, str, bool, int, str]:
    """A day, then what decides between money of one day.

    The day of a debit is the one that it was ordered for: the days that a rail took bear no
    penalty.
    """
    is_debit, order_no = portion.is_debit, portion.order_no or ""
    day = min(portion.value_on, ordered.get(order_no, portion.value_on))
    if is_debit and portion.number and day <= loan.installment(portion.number).due_on:
        day = loan.disbursed_on
    unproven = is_debit and portion.unsettled_minor > 0
    larger = -portion.net_minor if is_debit else 0
    return day, not is_debit, portion.value_on, order_no, unproven, larger, portion.id


def left_to_take(loan: Loan, item: Installment, today: date) -> int:
    """Minor units of an installment that neither live orders nor money at hand would pay.

    Debits in flight and money that waits or was paid ahead never exceed what is owed: if every live
    order brings its amount, all free money goes on to what is left, in the order of the waterfall.
    An installment that has not fallen due counts with its scheduled amounts, and so do those before
    it.
    """
    of = ((it, it.waiting_minor + it.advance_minor) for it in in_order(loan))
    free = [(portion, minor) for portion, minor in of if minor]
    if not free:
        return (item.owed if item.fell_due else item.scheduled).total
    open_items = {other.number: _after_live(other) for other in loan.installments}
    for other in loan.installments[: item.number]:
        if not other.fell_due and other.state is State.SCHEDULED:
            open_items[other.number] = other.scheduled
    for portion, minor in free:
        items = [
            OpenItem(number, loan.installment(number).due_on, amounts)
            for number, amounts in open_items.items()
        ]
        for part in by_waterfall(loan, portion, minor, items, max(today, item.due_on))[0]:
            owed = open_items[part.number]
            open_items[part.number] = owed.plus(part.component, -part.minor)
    return open_items[item.number].total


def among_loans(loans: Sequence[Loan], minor: int, value_on: date, today: date) -> dict[str, int]:
    """How much of a payer's new money each of several loans gets, in minor units, by loan.

    What is owed is what was owed on its value date: penalty of later days is no part of it.

    What fell due first is paid first, whichever loan it is of: what neither live orders nor money
    at hand would pay, then what live orders ask for, then what is to come. What nothing can take is
    given to the first loan.
    """
    rooms = sorted(room for loan in loans for room in _rooms(loan, value_on, today))
    found = dict.fromkeys((loan.id for loan in loans), 0)
    for _, _, loan_id, _, room in rooms:
        part = min(minor, room)
        found[loan_id] += part
        minor -= part
    found[loans[0].id] += minor
    return found


def _rooms(loan: Loan, value_on: date, today: date) -> Iterator[tuple[int, date, str, int, int]]:
    """What installments can take: rank, due date, loan, number, minor units."""
    for item in loan.installments:
        key = (item.due_on, loan.id, item.number)
        if item.state is State.WRITTEN_OFF:
            yield 0, *key, item.written_off.total
        elif item.owed.total:
            left, owed = _after_live(item).total, owed_on(loan, item, value_on).total
            in_flight = min(owed, item.owed.total - left)
            at_hand = left - min(left, left_to_take(loan, item, today))
            yield 0, *key, max(0, owed - in_flight - at_hand)
            yield 1, *key, in_flight
        elif item.state is State.SCHEDULED:
            yield 2, *key, left_to_take(loan, item, today)


def free_minor(loan: Loan) -> int:
    """Minor units of a loan's money that wait or were paid ahead."""
    return sum(portion.waiting_minor + portion.advance_minor for portion in loan.portions)


def _after_live(item: Installment) -> Amounts:
    """What would still be owed, or is still collectable, if the live order brought its amount."""
    owed = item.written_off if item.state is State.WRITTEN_OFF else item.owed
    left = item.live_attempt.amount_minor if item.live_attempt is not None else 0
    for component, minor in owed.items():
        taken = min(left, minor)
        owed = owed.plus(component, -taken)
        left -= taken
    return owed
