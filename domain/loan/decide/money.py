"""Money that comes, is applied, is taken back and is proven."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.links import Link, LinkTo
from domain.errors import InvariantBroken
from domain.loan import bookings, casekeys
from domain.loan.accrual import owed_on
from domain.loan.aggregate import LineState, Loan, Match
from domain.loan.decide.advance import draw, move_ahead
from domain.loan.decide.charges import charge_to_date, newest, true_up_penalty
from domain.loan.decide.disputes import settle_disputes
from domain.loan.decide.reallocating import reallocate
from domain.loan.decide.work import Work
from domain.loan.duplicates import twins
from domain.loan.lifecycle import Event, State
from domain.loan.sharing import by_state, share_out
from domain.loan.waiting import by_waterfall, in_order
from domain.loan.waterfall import Allocation, OpenItem, allocate
from domain.money import amount_text
from domain.payment.payment import Payment
from domain.payment.portion import Allocated, Portion
from domain.pricing.amounts import Component

ROUNDS_MOST = 20
"""Each round applies what the one before set free; two are usual."""


def receive_debit(work: Work, loan_id: str, payment: Payment, minor: int, number: int) -> None:
    """A debit confirmed for its own installment: the waterfall only orders its components."""
    portion = _received(work, loan_id, payment, minor, number)
    true_up_penalty(work, loan_id, number, portion.value_on)
    loan = work.loan(loan_id)
    item = loan.installment(number)
    paid, rest = allocate(
        [OpenItem(number, item.due_on, item.owed)],
        portion.amount_minor,
        loan.product.waterfall,
        portion.value_on,
        designated=(number,),
    )
    shared = share_out(loan, paid)
    portion = _with(portion, shared, waiting=rest)
    work.post(bookings.receive(loan, None, portion, shared, "confirmed", portion.value_on))
    work.put_portion(loan_id, portion)
    charge_to_date(work, loan_id, number)


def receive_free(
    work: Work, loan_id: str, payment: Payment, minor: int, number: int | None, event: str
) -> None:
    """Money that belongs to no live order: it waits in suspense until it is placed."""
    portion = _received(work, loan_id, payment, minor, number)
    loan = work.loan(loan_id)
    work.post(bookings.receive(loan, None, portion, (), event, portion.value_on))
    work.put_portion(loan_id, portion)


def _received(
    work: Work, loan_id: str, payment: Payment, minor: int, number: int | None
) -> Portion:
    """The portion that a loan gets of a payment that is new to it."""
    payment = not_of_the_future(work, loan_id, payment)
    work.put_payment(payment)
    return payment.portion(minor, number)


def not_of_the_future(work: Work, loan_id: str, payment: Payment) -> Payment:
    """Money counts from today at the latest, or from the day that its own order was made for.

    No penalty is charged for days that have not been.
    """
    orders = (a for _, a in work.loan(loan_id).attempts() if a.order_no == payment.order_no)
    latest = max([work.today(loan_id), *(attempt.value_on for attempt in orders)])
    return replace(payment, value_on=min(payment.value_on, latest))


def place_waiting(work: Work, loan_id: str) -> None:
    """Apply what waits or was paid ahead, by the waterfall and by value date.

    The part that falls on an installment with a live attempt waits on. What is left of a debit is a
    surplus and a case; what is left of a transfer is paid ahead while installments are to come.
    Money of a later value date makes room for money that became known after it.
    """
    reallocate(work, loan_id, _place_free)
    if not _place_free(work, loan_id):
        raise InvariantBroken(f"money of loan {loan_id} does not come to rest")


def _place_free(work: Work, loan_id: str) -> bool:
    """Apply what is free, in order of value dates; whether it has come to rest.

    Placing may take back a penalty that earlier money had paid, so it goes round until all rests.
    """
    for _ in range(ROUNDS_MOST):
        before = work.loan(loan_id)
        for portion in in_order(before):
            _place(work, loan_id, portion.id)
        if work.loan(loan_id) is before:
            return True
    return False


def waits_for(work: Work, loan_id: str, number: int) -> int:
    """Minor units of free money that would pay an installment if it had no live attempt."""
    loan = work.loan(loan_id)
    found = 0
    for portion in in_order(loan):
        if free := portion.waiting_minor + portion.advance_minor:
            parts, _ = _where_it_goes(work, loan, portion, free)
            found += sum(part.minor for part in parts if part.number == number)
    return found


def _place(work: Work, loan_id: str, payment_id: str) -> None:
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    free = portion.waiting_minor + portion.advance_minor
    if not free:
        return _park(work, loan_id, payment_id, 0)
    paid, rest = _where_it_goes(work, loan, portion, free)
    live = {item.number for item in loan.installments if item.live_attempt is not None}
    now = [part for part in paid if part.number not in live]
    numbers = list(dict.fromkeys(part.number for part in now))
    for number in numbers:
        true_up_penalty(work, loan_id, number, portion.value_on)
    now = _within_owed(work, loan_id, now)
    draw(work, loan_id, payment_id, sum(part.minor for part in now))
    _apply(work, loan_id, payment_id, now)
    for number in numbers:
        charge_to_date(work, loan_id, number)
    return _park(work, loan_id, payment_id, rest)


def _within_owed(work: Work, loan_id: str, parts: Sequence[Allocation]) -> list[Allocation]:
    """Under a cap the penalty of one installment leaves less for the next: the rest waits on."""
    cut = []
    for part in parts:
        item = work.item(loan_id, part.number)
        charged = part.component is Component.PENALTY and item.state is not State.WRITTEN_OFF
        minor = min(part.minor, item.owed.penalty) if charged else part.minor
        if minor:
            cut.append(replace(part, minor=minor))
    return cut


def _where_it_goes(
    work: Work, loan: Loan, portion: Portion, free: int
) -> tuple[tuple[Allocation, ...], int]:
    """Where free money goes: to what is owed, or was written off and is still collectable."""
    items = []
    for item in loan.installments:
        written_off = item.state is State.WRITTEN_OFF
        amounts = item.written_off if written_off else owed_on(loan, item, portion.value_on)
        items.append(OpenItem(item.number, item.due_on, amounts))
    return by_waterfall(loan, portion, free, items, work.today(loan.id))


def _park(work: Work, loan_id: str, payment_id: str, rest: int) -> None:
    """What nothing owed can take: paid ahead while something is to come, else a surplus."""
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    to_come = any(item.state is State.SCHEDULED for item in loan.installments)
    ahead = rest if not portion.is_debit and to_come else 0
    if delta := ahead - portion.advance_minor:
        move_ahead(work, loan_id, payment_id, delta)
    left = rest - ahead + portion.being_refunded_minor
    work.follow_amount(surplus_case(loan, portion, left))


def surplus_case(loan: Loan, portion: Portion, minor: int) -> Case:
    """More money than is owed: it waits in suspense until it is refunded or applied.

    A duplicate names the payments that paid what it was for.
    """
    others = twins(loan, portion.id) if minor else ()
    text = f"{amount_text(minor, loan.currency)} of payment {portion.id} are not owed"
    if others:
        text += f": {', '.join(others)} paid it"
    if (holder := portion.holder) and portion.unsettled_minor:
        text += f"; they were paid ahead to {holder}, which has not remitted them"
    return Case(
        f"surplus/{portion.id}/{loan.id}",
        CaseKind.SURPLUS,
        text,
        code="paid_twice" if others else "",
        links=tuple(Link(LinkTo.PAYMENT, other) for other in others),
        loan_id=loan.id,
        number=portion.number,
        payment=portion.id,
        amount_minor=minor,
        currency=loan.currency,
    )


def _apply(work: Work, loan_id: str, payment_id: str, paid: Sequence[Allocation]) -> None:
    if not paid:
        return
    today, loan = work.today(loan_id), work.loan(loan_id)
    portion = work.portion(loan_id, payment_id)
    shared = share_out(loan, paid)
    plain, outside = by_state(loan, shared)
    applied = _with(portion, plain, portion.waiting_minor - sum(part.minor for part in plain))
    if plain:
        work.post(bookings.apply_money(loan, portion, applied, plain, today))
    left = portion.waiting_minor - sum(part.minor for part in shared)
    after = _with(portion, shared, left)
    if outside:
        work.post(bookings.recover(loan, applied, after, outside, today))
    work.put_portion(loan_id, after)
    for number in dict.fromkeys(part.number for part in paid):
        raise_paid(work, loan_id, number, f"payment {payment_id}")


def raise_paid(work: Work, loan_id: str, number: int, detail: str) -> None:
    """Raise the event of money that was applied to an installment."""
    item = work.item(loan_id, number)
    written_off = item.state is State.WRITTEN_OFF
    if (item.written_off if written_off else item.owed).total:
        event = Event.PAID_IN_PART
    else:
        event = Event.RECOVERED_IN_FULL if written_off else Event.PAID_IN_FULL
    work.move(loan_id, number, event, detail)
    work.close_case(casekeys.no_reminder(loan_id, number))


def take_back(
    work: Work, loan_id: str, payment_id: str, minor: int, on: date, event: str = "returned"
) -> list[int]:
    """A payment is taken back: un-apply it, newest allocations first; the numbers it had paid."""
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    waited = min(minor, portion.waiting_minor)
    ahead = min(minor - waited, portion.advance_minor)
    unpaid, kept = newest(portion.allocations, minor - waited - ahead)
    plain, outside = by_state(loan, unpaid)
    recovered = sum(part.minor for part in outside)
    standing = replace(
        portion,
        allocations=(*kept, *reversed(plain)),
        waiting_minor=portion.waiting_minor + recovered,
    )
    if outside:
        work.post(bookings.recovery_reversed(loan, portion, standing, outside, on))
    back = sum(part.minor for part in unpaid) + waited + ahead
    # What was refunded before is taken back all the same: the payer owes it.
    back += min(minor - back, portion.refunded_minor - portion.owed_back_minor)
    after = replace(
        portion,
        allocations=kept,
        waiting_minor=portion.waiting_minor - waited,
        advance_minor=portion.advance_minor - ahead,
        returned_minor=portion.returned_minor + back,
        taken_back=(*portion.taken_back, *(unpaid if portion.is_brought_over else ())),
    )
    work.post(bookings.take_back(work.loan(loan_id), standing, after, plain, on, event))
    work.put_portion(loan_id, after)
    look_at_gates(work, loan_id, after)
    return list(dict.fromkeys(part.number for part in unpaid))


def prove(work: Work, match: Match, line: LineState) -> None:
    """A booked line, as it comes, proves (part of) a payment, or of its return."""
    loan, portion = work.loan(match.loan_id), work.portion(match.loan_id, match.payment)
    work.post(bookings.settle(loan, portion, proven(portion, match, line), match, line))
    count_proof(work, match, line)


def proven(portion: Portion, match: Match, line: LineState) -> Portion:
    """The portion after a line has proven (part of) it, or of its return."""
    return replace(
        portion,
        settled_minor=portion.settled_minor + max(match.minor, 0),
        return_settled_minor=portion.return_settled_minor + max(-match.minor, 0),
        proven_on=on_account(portion, line.account, match.minor),
    )


def count_proof(work: Work, match: Match, line: LineState) -> None:
    """What is posted of a proof becomes a fact of its payment; its installments are looked at.

    A line on an account that the product does not name is a break: the money is here, and no party
    holds it.
    """
    portion = work.portion(match.loan_id, match.payment)
    work.put_portion(match.loan_id, proven(portion, match, line))
    payment = work.payment(match.payment)
    work.put_payment(replace(payment, lines=tuple(dict.fromkeys((*payment.lines, line.id)))))
    settle_disputes(work, match.loan_id, work.portion(match.loan_id, match.payment))
    look_at_places(work, match.loan_id, match.payment)
    product = work.loan(match.loan_id).product
    if line.account not in product.accounts:
        work.open_case(_other_account(work.loan(match.loan_id), portion, match, line))
    look_at_gates(work, match.loan_id, portion)


def look_at_places(work: Work, loan_id: str, payment_id: str) -> None:
    """Have a case say that more went back on an account than came there, as long as it is so.

    The account that it came on has too much, and the other too little: no line explains that.
    """
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    short = {name: -minor for name, minor in portion.proven_on if minor < 0}
    if portion.unsettled_minor or portion.is_brought_over:
        short = {}  # a line that is still to come may show that it came there, or it came elsewhere
    minor, where = sum(short.values()), ", ".join(short)
    said = amount_text(minor, loan.currency)
    work.follow_amount(
        Case(
            f"place/{payment_id}/{loan_id}",
            CaseKind.OTHER_ACCOUNT,
            f"{said} of payment {payment_id} went back from {where}, where they never came",
            loan_id=loan_id,
            number=portion.number,
            payment=payment_id,
            amount_minor=minor,
            currency=loan.currency,
            code="went_back_elsewhere",
        )
    )


def on_account(portion: Portion, account: str, minor: int) -> tuple[tuple[str, int], ...]:
    """What lines prove of a portion by account, with `minor` more on one of them."""
    cash = dict(portion.proven_on)
    cash[account] = cash.get(account, 0) + minor
    return tuple((name, sum_minor) for name, sum_minor in cash.items() if sum_minor)


def _other_account(loan: Loan, portion: Portion, match: Match, line: LineState) -> Case:
    routed = ", ".join(sorted(loan.product.accounts))
    return Case(
        casekeys.other_account(line.id, portion.id, loan.id),
        CaseKind.OTHER_ACCOUNT,
        f"{amount_text(match.minor, loan.currency)} of payment {portion.id} are on account "
        f"{line.account}; the product names {routed}",
        loan_id=loan.id,
        number=portion.number,
        payment=portion.id,
        line=line.id,
        amount_minor=match.minor,
        currency=loan.currency,
    )


def look_at_gates(work: Work, loan_id: str, portion: Portion) -> None:
    """Have the gates that ask for the proof of a portion looked at."""
    for number in numbers_of(work.loan(loan_id), portion):
        work.touch(loan_id, number)


def numbers_of(loan: Loan, portion: Portion) -> tuple[int, ...]:
    """The installments that a portion paid or was taken for.

    What went back of a portion that was taken for none is looked at with every one of the loan.
    """
    numbers = {part.number for part in portion.allocations}
    if portion.number is not None:
        numbers.add(portion.number)
    elif portion.returned_minor:
        numbers.update(item.number for item in loan.installments)
    return tuple(sorted(numbers))


def _with(portion: Portion, paid: Sequence[Allocated], waiting: int) -> Portion:
    return replace(portion, allocations=(*portion.allocations, *paid), waiting_minor=waiting)
