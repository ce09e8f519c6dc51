"""Money that came outside every rail: recorded for one loan, or for several of one payer."""

from datetime import date

from domain.kernel.change import Refusal
from domain.ledger import accounts
from domain.loan.aggregate import Loan
from domain.loan.commands import RecordPayment
from domain.loan.decide.money import receive_free
from domain.loan.decide.references import new_payment_id
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.loan.matching import MatchLine
from domain.loan.waiting import among_loans
from domain.money import amount_text
from domain.payment.payment import Payment

Paying = RecordPayment | MatchLine
"""The orders by which a person says whose money came, and for which loans."""


def check_loans(work: Work, order: Paying) -> Refusal | None:
    """Why a payment cannot be for the loans that its order names."""
    first = work.loan(order.loan_id)
    names = [other.loan_id for other in order.also]
    if any(other.amount_minor is not None and other.amount_minor <= 0 for other in order.also):
        return Refusal("payment.also", "an amount for another loan is more than zero")
    if len({first.id, *names}) <= len(names):
        why = "`also` names each other loan once, and never the loan of the order itself"
        return Refusal("payment.also", why)
    for name in names:
        loan = work.loans.get(name)
        if loan is None:
            return Refusal("payment.also", f"no loan {name}")
        if loan.borrower != first.borrower:
            return Refusal("payment.payer", f"{name} is a loan of another payer than {first.id}")
        if loan.currency != first.currency:
            return Refusal("payment.currency", f"{name} is in {loan.currency}")
    said = sum(other.amount_minor or 0 for other in order.also)
    if said > order.amount_minor:
        parts, whole = (amount_text(it, first.currency) for it in (said, order.amount_minor))
        return Refusal("payment.also", f"{parts} for other loans are more than {whole} in all")
    return None


def receive_transfer(work: Work, order: Paying, value_on: date) -> str:
    """Book money that came outside every rail: reported by a person, proven by a line; its id."""
    loan = work.loan(order.loan_id)
    payment = Payment(
        id=new_payment_id(loan.id, order.id),
        source="transfer",
        payer=loan.borrower,
        currency=loan.currency,
        value_on=value_on,
        received_at=work.at,
        clearing_account=accounts.clearing("transfer"),
        reference=order.reference,
    )
    parts = _parts(work, order, value_on)
    for name in (order.loan_id, *(other.loan_id for other in order.also)):
        if name not in parts:
            _note_nothing(work, name, payment.id, order, tuple(parts))
    for loan_id, minor in parts.items():
        number = order.number if loan_id == loan.id else None
        known = work.payments.get(payment.id, payment)
        receive_free(work, loan_id, known, minor, number, "payment_recorded")
    return payment.id


def _note_nothing(
    work: Work, loan_id: str, payment_id: str, order: Paying, taken: tuple[str, ...]
) -> None:
    """Have the story of a loan say that a payment which was for it too went to others."""
    loan = work.loan(loan_id)
    item = loan.installment(_first_open(loan))
    whole = amount_text(order.amount_minor, loan.currency)
    why = f"payment {payment_id} of {whole} went to {', '.join(taken)}"
    work.note(loan_id, item.number, item.state, item.state, "got_nothing", why)


def _parts(work: Work, order: Paying, value_on: date) -> dict[str, int]:
    """How much of the money each loan gets: as designated, the rest by what fell due first."""
    said = {other.loan_id: other.amount_minor for other in order.also}
    parts = {name: minor for name, minor in said.items() if minor is not None}
    others = [name for name, minor in said.items() if minor is None]
    loans = [work.loan(name) for name in (order.loan_id, *others)]
    left = order.amount_minor - sum(parts.values())
    parts |= among_loans(loans, left, value_on, work.today(order.loan_id))
    return {name: parts[name] for name in (order.loan_id, *said) if parts[name]}


def _first_open(loan: Loan) -> int:
    """The first installment that asks for anything, else the last."""
    asks = (
        item.number
        for item in loan.installments
        if item.owed.total or item.written_off.total or item.state is State.SCHEDULED
    )
    return next(asks, len(loan.installments))
