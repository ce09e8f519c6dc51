"""News about orders that have ended: denied, found after all, or money that nobody expected."""

from dataclasses import replace

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.links import Link, LinkTo
from domain.debit.attempt import STATED, Attempt, AttemptState
from domain.debit.history import NEVER_PRESENTED
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus
from domain.loan import casekeys
from domain.loan.decide.attempts import (
    debit_payment,
    find,
    judge_again,
    more_than_ordered,
    put_attempt,
)
from domain.loan.decide.barring import learn_hard
from domain.loan.decide.disputes import (
    compare_bookings,
    dispute_amount,
    is_booked,
    is_taken,
    portions_of_order,
    raise_payment,
)
from domain.loan.decide.money import (
    look_at_gates,
    not_of_the_future,
    place_waiting,
    receive_free,
)
from domain.loan.decide.takingback import take_back_excess
from domain.loan.decide.tasks import open_case
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event
from domain.loan.retrying import Reason, severity
from domain.money import amount_text
from domain.payment.payment import Payment, debit_payment_id, is_first_of_order
from domain.payment.portion import Portion

_TAKEN = frozenset({AttemptState.CONFIRMED, AttemptState.RETURNED})


def apply_to_ended(
    work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome
) -> None:
    """Weigh an outcome of an order that has its final one: same or weaker news has no effect."""
    if outcome.status is OutcomeStatus.CONFIRMED:
        _apply_money_again(work, loan_id, number, attempt, outcome)
    elif attempt.state in NEVER_PRESENTED and acknowledges(outcome):
        _revive(work, loan_id, number, attempt, outcome)
    elif attempt.state in NEVER_PRESENTED and outcome.status is OutcomeStatus.DECLINED:
        work.close_case(casekeys.contradiction(attempt.order_no))
        state = AttemptState.DECLINED  # the rail had it after all, and no money was taken
        refused = replace(
            attempt, state=state, outcome_class=outcome.outcome_class, code=outcome.code
        )
        put_attempt(work, loan_id, number, replace(refused, returned_at=work.at))
        said = outcome.outcome_class, outcome.code
        learn_hard(work, loan_id, attempt.order_no, said)
        judge_again(work, loan_id, number, f"{outcome.outcome_class} {outcome.code}")
    elif outcome.status in {OutcomeStatus.DECLINED, OutcomeStatus.NOT_FOUND}:
        if outcome.status is OutcomeStatus.DECLINED:
            _refuse_again(work, loan_id, number, attempt, (outcome.outcome_class, outcome.code))
        if attempt.state in _TAKEN:
            _deny(work, loan_id, number, attempt, outcome)


def _refuse_again(
    work: Work, loan_id: str, number: int, attempt: Attempt, reason: tuple[OutcomeClass, str]
) -> None:
    """An order that has ended is said to have been refused: the strictest reason is kept.

    A machine tries again only if neither its outcome nor a refusal nor a return of it forbids it.
    """
    learn_hard(work, loan_id, attempt.order_no, reason)
    _, attempt = find(work, loan_id, attempt.order_no)
    known: Reason | None = attempt.refused_for
    if attempt.state is AttemptState.DECLINED:
        known = known or (attempt.outcome_class, attempt.code)
    if known is None or severity(reason) > severity(known):
        put_attempt(work, loan_id, number, replace(attempt, refused_for=reason))
        judge_again(work, loan_id, number, f"{reason[0]} {reason[1]}")


def _deny(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """A confirmed order is said to have failed: a case, until the bank's lines prove the money."""
    if not is_taken(work, loan_id, attempt.order_no):
        why = f"order {attempt.order_no} was confirmed and is now said to be {outcome.code}"
        key = casekeys.contradiction(attempt.order_no)
        order = attempt.order_no
        open_case(work, loan_id, number, key, CaseKind.CONTRADICTION, why, order=order)


def acknowledges(outcome: Outcome) -> bool:
    """Whether the rail says that it holds the order, without a final outcome."""
    held = (
        outcome.status is OutcomeStatus.PENDING or outcome.outcome_class is OutcomeClass.DUPLICATE
    )
    return held and not outcome.flaw


def _revive(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """The rail holds an order that was thought never to have arrived: its outcome is open again.

    Beside a later order it stays ended, with a case: nothing more is presented until it is known.
    """
    why = f"order {attempt.order_no} was {attempt.state} and is now said to be {outcome.code}"
    if is_booked(work, loan_id, attempt.order_no):
        return  # its money is here already
    key = casekeys.contradiction(attempt.order_no)
    order = attempt.order_no
    open_case(work, loan_id, number, key, CaseKind.CONTRADICTION, why, order=order)
    last = work.item(loan_id, number).attempts[-1]
    if last.number == attempt.number and work.can(loan_id, number, Event.ORDER_FOUND):
        state = AttemptState.UNKNOWN
        again = replace(attempt, state=state, acknowledged=True, ended_at=None, asked_at=work.at)
        put_attempt(work, loan_id, number, again)
        work.move(loan_id, number, Event.ORDER_FOUND, f"order {attempt.order_no}")


def _apply_money_again(
    work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome
) -> None:
    """Success for an attempt that has ended: known, more than known, or money nobody expected."""
    amount = outcome.executed_minor
    same = _same_booking(work, loan_id, attempt.order_no, outcome)
    if not same:
        free_success(work, loan_id, number, attempt, outcome, amount)
        return
    if attempt.code == STATED and attempt.state is AttemptState.CONFIRMED:
        # From now on the rail has said it, and no longer people alone.
        attempt = replace(attempt, outcome_class=outcome.outcome_class, code=outcome.code)
        put_attempt(work, loan_id, number, attempt)
    payment = work.payment(same[0].id)
    if payment.bank_ref is None or payment.inferred:
        _learn_booking(work, loan_id, attempt, outcome, payment)
        compare_bookings(work, loan_id, number, attempt.order_no)
    portion = work.portion(loan_id, payment.id)
    if amount > portion.amount_minor:
        grow(work, loan_id, number, attempt, portion, amount)
    if len(payment.booked_as) > 1:
        return  # a sum of several bookings: what one of them took is not stated
    differs = amount < portion.amount_minor if payment.inferred else amount != portion.amount_minor
    if differs and not is_taken(work, loan_id, attempt.order_no):
        currency = work.loan(loan_id).currency
        taken, booked = (amount_text(it, currency) for it in (amount, portion.amount_minor))
        said = f"{outcome.code}: {taken} was taken, and {booked} was booked"
        dispute_amount(work, loan_id, number, attempt.order_no, said)


def _same_booking(work: Work, loan_id: str, order_no: str, outcome: Outcome) -> list[Portion]:
    """The portions of an order that a success may be about, the likeliest first.

    A booking that nobody has named is this one: before all others the one of this amount.
    """
    known, named = portions_of_order(work, loan_id, order_no), outcome.bank_ref
    refs = {portion.id: work.payment(portion.id).bookings for portion in known}
    same = [portion for portion in known if named in refs[portion.id]]
    same = same or [portion for portion in known if named is None or not refs[portion.id]]
    return sorted(same, key=lambda portion: portion.amount_minor != outcome.executed_minor)


def _learn_booking(
    work: Work, loan_id: str, attempt: Attempt, outcome: Outcome, payment: Payment
) -> None:
    """A line or a return was first: the report tells the booking's name, and on which day it was.

    The day of a payment and of its portion in the loan of the order is one.
    """
    reported = debit_payment(work, loan_id, attempt, outcome, payment.id)
    value_on = payment.value_on
    if reported.value_on == outcome.executed_on:
        value_on = not_of_the_future(work, loan_id, reported).value_on
    named = outcome.bank_ref or payment.bank_ref
    work.put_payment(replace(payment, bank_ref=named, inferred=False, value_on=value_on))
    portion = work.portion(loan_id, payment.id)
    if value_on != portion.value_on:
        work.put_portion(loan_id, replace(portion, value_on=value_on))
        look_at_gates(work, loan_id, portion)


def grow(
    work: Work, loan_id: str, number: int, attempt: Attempt, portion: Portion, amount: int
) -> None:
    """More of one booking was taken than reported: the same payment and its attempt are raised.

    A payment of nothing is left of an outcome that people had stated and corrected.
    """
    raise_payment(work, loan_id, portion.id, amount)
    if not portion.amount_minor:
        kind = CaseKind.LATE_SUCCESS
        work.open_case(_came_late(work, loan_id, number, attempt, portion.id, kind))
    if is_first_of_order(portion) and attempt.state in _TAKEN:
        _, now = find(work, loan_id, attempt.order_no)
        put_attempt(work, loan_id, number, replace(now, confirmed_minor=amount))
    if amount > attempt.amount_minor:
        more_than_ordered(work, loan_id, number, attempt, amount)
    take_back_excess(work, loan_id, portion.id)
    place_waiting(work, loan_id)


def free_success(
    work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome, amount: int
) -> str:
    """Book money of an ended attempt as a free payment with a case; the payment's id."""
    earlier = len(portions_of_order(work, loan_id, attempt.order_no))
    payment_id = debit_payment_id(attempt.order_no, earlier + 1)
    payment = debit_payment(work, loan_id, attempt, outcome, payment_id)
    receive_free(work, loan_id, payment, amount, number, "confirmed_late")
    kind = CaseKind.DOUBLE_EXECUTION if earlier else CaseKind.LATE_SUCCESS
    by = f" ({outcome.code})"
    work.open_case(_came_late(work, loan_id, number, attempt, payment_id, kind, by))
    work.close_case(casekeys.unbelieved(attempt.order_no))
    take_back_excess(work, loan_id, payment_id)
    compare_bookings(work, loan_id, number, attempt.order_no)
    place_waiting(work, loan_id)
    return payment_id


def _came_late(
    work: Work,
    loan_id: str,
    number: int,
    attempt: Attempt,
    payment_id: str,
    kind: CaseKind,
    by: str = "",
) -> Case:
    """The case of money of an order that had ended; `by`: how it was learned."""
    again = "once more" if kind is CaseKind.DOUBLE_EXECUTION else "after all"
    state, amount = attempt.state.lower().replace("_", " "), work.payment(payment_id).amount_minor
    taken = amount_text(amount, work.loan(loan_id).currency)
    return Case(
        casekeys.came_late(kind, payment_id),
        kind,
        f"order {attempt.order_no} was {state}, and then took {taken} {again}{by}",
        loan_id=loan_id,
        number=number,
        payment=payment_id,
        amount_minor=amount,
        currency=work.loan(loan_id).currency,
        links=(Link(LinkTo.ORDER, attempt.order_no),),
    )
