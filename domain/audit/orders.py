"""Checks on debit orders that need more than sums: content, limits, and surplus money."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from domain.audit.findings import Finding, FindingKind
from domain.calendar import local_day
from domain.case.case import Case
from domain.debit.attempt import AttemptState, DebitOrder
from domain.debit.history import NEVER_PRESENTED
from domain.debit.retry import HARD
from domain.loan.aggregate import Installment, Loan, Rulebook


@dataclass(frozen=True, slots=True)
class KeptOrder:
    """A debit order as it is kept beside the journal."""

    loan_id: str
    number: int
    mandate_ref: str
    rail: str
    amount_minor: int
    value_on: date


def other_content(sent: DebitOrder, kept: KeptOrder | None) -> Iterator[Finding]:
    """What was given out to be sent is what is kept: one number, one content."""
    given = KeptOrder(
        sent.loan_id, sent.number, sent.mandate_ref, sent.rail, sent.amount_minor, sent.value_on
    )
    if kept != given:
        text = "was given out to be sent with another content than is kept"
        subject = f"{sent.loan_id}/{sent.number} {sent.order_no}"
        yield Finding(FindingKind.NO_INTENT, subject, text, sent.amount_minor, sent.currency)


@dataclass(frozen=True, slots=True)
class Surplus:
    """Money of a debit that waits while no order of its installment is live."""

    loan_id: str
    payment: str
    minor: int
    currency: str


def unseen(surplus: Surplus, cases: Iterable[Case]) -> Iterator[Finding]:
    """A surplus about which none of the open cases is."""
    if all(case.payment != surplus.payment for case in cases):
        text = "a surplus waits and no case says so"
        yield Finding(
            FindingKind.DOUBLE_DEBIT, surplus.payment, text, surplus.minor, surplus.currency
        )


def beyond_limits(loan: Loan, rules: Rulebook) -> Iterator[Finding]:
    """More attempts than product, mandate, rail and law allow, or one after a hard refusal."""
    for item in loan.installments:
        for text in _excess(loan, item, rules):
            yield Finding(FindingKind.ATTEMPTS, f"{loan.id}/{item.number}", text)


def _excess(loan: Loan, item: Installment, rules: Rulebook) -> Iterator[str]:
    """What breaks a limit; attempts up to an operator's order to try again are counted apart.

    Those of a former system count for ours, and are not judged themselves.
    """
    rail = rules.rails.get(loan.product.rail)
    since = [a for a in item.attempts if a.number > item.retries_reset_at]
    presented = [a for a in since if a.state not in NEVER_PRESENTED]
    while presented and presented[-1].is_brought_over:
        presented.pop()
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
    for limit in rules.limits.get(loan.product.rail, ()):
        most = limit.presentations_max
        if most is not None and len(presented) > most:
            last = presented[most - 1]  # what a return says of it came later: that is not judged
            if last.state is AttemptState.DECLINED and limit.covers(last.code):
                yield f"{len(presented)} attempts, {most} allowed by {limit.id}"
    for hard in presented:
        refused = hard.state is AttemptState.DECLINED and hard.outcome_class in HARD
        if refused and any(a.number > hard.number and not a.is_brought_over for a in since):
            yield f"presented again after {hard.outcome_class} ({hard.code})"
