"""Checks on debits at the bank: never two at once, none without an intent."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from domain.audit.facts import BooksFacts, TruthFacts, TruthOrder
from domain.audit.findings import Finding, FindingKind
from domain.debit.attempt import Attempt

CLOCKS_DIFFER = timedelta(seconds=5)
"""An order may reach the bank this much before the books say that it was intended.

The bank and the books are two programs: they read one clock at different moments.
"""


def double_debits(books: BooksFacts, truth: TruthFacts) -> Iterator[Finding]:
    """Orders that were sent before the bank had done with the one before."""
    orders = {order.order_no: order for order in truth.orders}
    for loan in books.loans:
        for item in loan.installments:
            attempts = sorted(item.attempts, key=lambda attempt: attempt.number)
            for earlier, later in pairwise(attempts):
                if why := _too_early(earlier, later, orders):
                    subject = f"{loan.id}/{item.number} {later.order_no}"
                    yield Finding(
                        FindingKind.DOUBLE_DEBIT, subject, why, later.amount_minor, loan.currency
                    )


def _too_early(earlier: Attempt, later: Attempt, orders: dict[str, TruthOrder]) -> str:
    first, second = orders.get(earlier.order_no), orders.get(later.order_no)
    if first is None or second is None:
        return ""
    if first.final_status is None:
        return f"sent while {first.order_no} lacked a final outcome at the bank"
    executed = min((done.executed_at for done in first.executions), default=second.received_at)
    if executed > second.received_at:
        return f"sent before the bank executed {first.order_no}"
    return ""


def intents(books: BooksFacts, truth: TruthFacts) -> Iterator[Finding]:
    """Every order at a rail was intended for it before it was sent, with the same content."""
    intended = {
        attempt.order_no: (loan, attempt) for loan in books.loans for _, attempt in loan.attempts()
    }
    for order in truth.orders:
        if order.order_no not in intended:
            text = "the bank has an order that the books do not know"
            yield _no_intent(order, text)
            continue
        loan, attempt = intended[order.order_no]
        if (intent := _content(attempt, loan.currency)) != _content(order, order.currency):
            yield _no_intent(order, f"the bank has another content than the intent {intent}")
        if order.received_at < attempt.intended_at - CLOCKS_DIFFER:
            yield _no_intent(order, "the bank had it before the books intended it")


def _content(of: Attempt | TruthOrder, currency: str) -> tuple[str | int, ...]:
    """What an intent and the order that the rail had must agree on."""
    return of.rail, of.amount_minor, currency, of.merchant_id, of.mandate_ref


def _no_intent(order: TruthOrder, text: str) -> Finding:
    return Finding(FindingKind.NO_INTENT, order.order_no, text, order.amount_minor, order.currency)
