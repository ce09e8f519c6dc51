"""Installments that are paid and not closed: their age, what they lack, and who knows of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.audit.findings import Finding, FindingKind
from domain.case.case import Case
from domain.loan import closure
from domain.loan.aggregate import Loan, Rulebook
from domain.loan.lifecycle import State
from domain.loan.product import Product

NOT_AWAITED = frozenset({State.CLOSED, State.CANCELLED, State.WRITTEN_OFF, State.SUBROGATED})
"""States in which owing nothing does not mean that closure is awaited."""
OWING = frozenset({State.DUE, State.RETRYING, State.DELINQUENT})
"""States in which something is owed."""
LONGEST_HOLIDAY_DAYS = 10
"""Longest holiday of a banking calendar that a deadline in banking days may have to cross."""


@dataclass(frozen=True, slots=True)
class Unclosed:
    """An installment that owes nothing by the journal, was paid, and is not closed.

    `paid_at` is when money last moved what it owes. `has_case`: a person has been asked about it.
    """

    loan_id: str
    number: int
    state: str
    paid_at: datetime
    has_case: bool


def is_late(unclosed: Unclosed, product: Product, as_of: datetime) -> bool:
    """Whether more time has passed than settlement and return window of the product can need."""
    rules = product.closure
    banking_days = rules.settlement_banking_days + rules.return_window_banking_days
    patience = timedelta(days=2 * banking_days + LONGEST_HOLIDAY_DAYS)
    return as_of - unclosed.paid_at > patience


def late(
    unclosed: Unclosed, loan: Loan, cases: Iterable[Case], rules: Rulebook, as_of: datetime
) -> Finding:
    """The finding for a late one that nobody has been asked about: its age, and what it lacks."""
    item, days = loan.installment(unclosed.number), (as_of - unclosed.paid_at).days
    named: Mapping[str, Case] = {case.key: case for case in cases}
    codes = dict.fromkeys(m.code for m in closure.missing(loan, item, named, rules, as_of))
    lacks = ", ".join(codes) or "nothing"
    text = f"{unclosed.state} for {days} days after the last money; lacks {lacks}"
    subject = f"{unclosed.loan_id}/{unclosed.number}"
    minor = item.scheduled.total
    return Finding(FindingKind.PAID_NOT_CLOSED, subject, text, minor, loan.currency)


def never_charged(loan: Loan, number: int) -> Iterable[Finding]:
    """A closed installment for which nothing was ever posted: wrong where anything was planned."""
    if minor := loan.installment(number).scheduled.total:
        text, subject = "closed and never charged", f"{loan.id}/{number}"
        yield Finding(FindingKind.CLOSED_NOT_PAID, subject, text, minor, loan.currency)
