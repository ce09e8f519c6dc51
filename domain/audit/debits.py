"""Checks on debits: never two at once, never more than allowed, none without an intent."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from domain.audit.facts import BooksFacts, TruthFacts, TruthOrder
from domain.audit.findings import Finding, FindingKind
from domain.audit.tally import Tally
from domain.calendar import local_day
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.history import NEVER_PRESENTED
from domain.debit.rail import RailProfile
from domain.debit.retry import HARD
from domain.loan.aggregate import Installment, Loan

CLOCKS_DIFFER = timedelta(seconds=5)
"""An order may reach the bank this much before the books say that it was intended.

The bank and the books are two programs: they read one clock at different moments.
"""


def double_debits(books: BooksFacts, truth: TruthFacts, sums: Tally) -> Iterator[Finding]:
    """Orders sent too early, money allocated beyond what was due, surplus that nobody looks at."""
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
        yield from _over_allocated(loan, sums)
        yield from _surplus(loan, books, sums)


def _too_early(earlier: Attempt, later: Attempt, orders: dict[str, TruthOrder]) -> str:
    if earlier.ended_at is None or earlier.ended_at > later.intended_at:
        return f"intended while {earlier.order_no} lacked a final outcome in the books"
    first, second = orders.get(earlier.order_no), orders.get(later.order_no)
    if first is None or second is None:
        return ""
    if first.final_status is None:
        return f"sent while {first.order_no} lacked a final outcome at the bank"
    executed = min((done.executed_at for done in first.executions), default=second.received_at)
    if executed > second.received_at:
        return f"sent before the bank executed {first.order_no}"
    return ""


def _over_allocated(loan: Loan, sums: Tally) -> Iterator[Finding]:
    for item in loan.installments:
        owed = sums.owed((loan.id, item.number))
        if owed < 0:
            text = "more was allocated than was charged"
            subject = f"{loan.id}/{item.number}"
            yield Finding(FindingKind.DOUBLE_DEBIT, subject, text, -owed, loan.currency)


def _surplus(loan: Loan, books: BooksFacts, sums: Tally) -> Iterator[Finding]:
    """Money of a debit that waits: for a live attempt to end, or for a person with a case."""
    live = {item.number for item in loan.installments if item.live_attempt is not None}
    about = {case.receipt for case in books.cases}
    for receipt in loan.receipts:
        waiting = -sums.by_receipt.get(("suspense", receipt.id), 0)
        is_debit = receipt.id in sums.orders_of
        if waiting > 0 and is_debit and receipt.id not in about and receipt.number not in live:
            text = "a surplus waits and no case says so"
            yield Finding(FindingKind.DOUBLE_DEBIT, receipt.id, text, waiting, loan.currency)


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


def allowed_attempts(books: BooksFacts) -> Iterator[Finding]:
    """Never more attempts than product, mandate and rail allow, none after a hard refusal."""
    for loan in books.loans:
        rail = books.rails.get(loan.product.rail)
        for item in loan.installments:
            for text in _excess(loan, item, rail):
                yield Finding(FindingKind.ATTEMPTS, f"{loan.id}/{item.number}", text)


def _excess(loan: Loan, item: Installment, rail: RailProfile | None) -> Iterator[str]:
    """What breaks a limit; attempts up to an operator's order to try again are counted apart."""
    since = [a for a in item.attempts if a.number > item.retries_reset_at]
    presented = [a for a in since if a.state not in NEVER_PRESENTED]
    limits = [loan.product.retry.attempts_max]
    if loan.mandate.attempts_max is not None:
        limits.append(loan.mandate.attempts_max)
    if rail is not None:
        limits.append(rail.attempts_max)
        days = [local_day(a.intended_at, rail.timezone) for a in presented]
        for day in sorted({day for day in days if days.count(day) > rail.attempts_per_day}):
            yield f"{days.count(day)} attempts on {day}, {rail.attempts_per_day} allowed"
    if len(presented) > min(limits):
        yield f"{len(presented)} attempts, {min(limits)} allowed"
    for hard in presented:
        refused = hard.state is AttemptState.DECLINED and hard.outcome_class in HARD
        if refused and any(a.number > hard.number for a in since):
            yield f"presented again after {hard.outcome_class} ({hard.code})"
