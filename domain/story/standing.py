"""How a loan stands in words: what it is, what comes next, what waits for a person."""

from datetime import tzinfo
from zoneinfo import ZoneInfo

from domain.case.case import Case
from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State
from domain.loan.view import InstallmentView
from domain.money import decimal_text
from domain.story.english import LACKS
from domain.text import instant_text


def heading(loan: Loan) -> str:
    """What the loan is, without anything personal."""
    amount = decimal_text(loan.principal_minor, loan.currency)
    return (
        f"Loan {loan.id} ({loan.tenant}): {amount} {loan.currency} disbursed on "
        f"{loan.disbursed_on}, {len(loan.installments)} installments, product {loan.product.ref}"
    )


def standing(loan: Loan, item: Installment) -> str:
    """How one installment stands, in a line."""
    total = decimal_text(item.scheduled.total, loan.currency)
    owed = decimal_text(item.owed.total, loan.currency)
    count = len(item.attempts)
    tries = f", {count} attempt{'s' if count > 1 else ''}" if count else ""
    return (
        f"#{item.number} due {item.due_on}: {total} {loan.currency}, "
        f"{item.state.value}, owed {owed}{tries}"
    )


def coming(loan: Loan, view: InstallmentView | None) -> str:
    """What comes next for an installment."""
    if view is not None and view.state == State.CANCELLED:
        return "nothing: it is cancelled"
    if view is None or view.is_final:
        return "nothing: the evidence is complete"
    if view.next_action is not None:
        at = instant_text(view.next_action.not_before, ZoneInfo(loan.product.timezone))
        return f"{view.next_action.kind.lower()} at {at} ({view.next_action.reason})"
    lacks = ", ".join(f"{LACKS[code]} ({code})" if code in LACKS else code for code in view.missing)
    return f"waiting for news{f'; missing: {lacks}' if lacks else ''}"


def waiting(case: Case, zone: tzinfo) -> str:
    """What an open case is about, how much of which money, and since when it waits."""
    much = since = ""
    if case.amount_minor:
        much = f", {decimal_text(case.amount_minor, case.currency)} {case.currency}"
    if case.opened_at is not None:
        since = f", since {instant_text(case.opened_at, zone)}"
    return f"{case.kind}{much}{since}: {case.text}"
