"""Booked lines of money that a debit order brought: they confirm it, and show how much it was."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from domain.debit.outcome import Outcome, OutcomeClass
from domain.loan.decide.attempts import find
from domain.loan.decide.disputes import dispute_amount, portions_of_order
from domain.loan.decide.late import free_success, grow
from domain.loan.decide.outcomes import apply_outcome
from domain.loan.decide.work import Work
from domain.money import amount_text
from domain.payment.portion import Portion


def payment_of_order(
    work: Work,
    loan_id: str,
    order_no: str,
    minor: int,
    value_on: date,
    refs: Collection[str] = (),
) -> Portion:
    """The payment that a credit line of an order proves, raised to what the line shows.

    The line itself may be the first news of the money: confirmation and settlement in one. An order
    that is settled in parts is one payment as long as the parts are within what was ordered.
    `refs`: how the line names the rail's own booking.
    """
    number, attempt = find(work, loan_id, order_no)
    outcome = Outcome(OutcomeClass.SUCCESS, "line", minor, executed_on=value_on)
    if attempt.is_live:
        apply_outcome(work, loan_id, number, attempt, outcome, "statement")
        number, attempt = find(work, loan_id, order_no)
    portions = portions_of_order(work, loan_id, order_no)
    unproven = [portion for portion in portions if portion.unsettled_minor > 0]
    unproven.sort(key=lambda portion: portion.unsettled_minor != minor)
    unproven.sort(key=lambda portion: work.payment(portion.id).bank_ref not in refs)
    most = attempt.amount_minor - minor
    parts = [portion for portion in portions[:1] if portion.amount_minor <= most]
    if not (found := unproven or parts):
        payment_id = free_success(work, loan_id, number, attempt, outcome, minor)
        return work.portion(loan_id, payment_id)
    portion = found[0]
    work.put_payment(replace(work.payment(portion.id), inferred=False))
    if minor > portion.unsettled_minor:
        shown = portion.settled_minor + minor
        grow(work, loan_id, number, attempt, portion, shown)
    elif minor < portion.unsettled_minor:
        currency = work.loan(loan_id).currency
        shown_text, lacking = (amount_text(it, currency) for it in (minor, portion.unsettled_minor))
        said = f"the line shows {shown_text} of the {lacking} that are not proven"
        dispute_amount(work, loan_id, number, order_no, said)
    return work.portion(loan_id, portion.id)
