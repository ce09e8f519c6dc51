"""Closure by evidence: what lacks before an installment is released, and before it is closed.

Two gates. *Released*: nothing more can be asked of the borrower. *Closed*: every payee's share is
proven as well. A gate that lacks anything stays shut, and what it lacks has a name and an owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.calendar import local_day
from domain.ledger.bookings import drawn
from domain.loan.aggregate import HoldKind, Installment, Loan, Receipt, Rulebook
from domain.loan.change import CaseChange
from domain.loan.split import split


class Gate(StrEnum):
    """Which gate a lack keeps shut."""

    RELEASE = "release"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that lacks: a stable code, who must supply it, and what, in words."""

    gate: Gate
    code: str
    who: str
    text: str


def missing(
    loan: Loan,
    item: Installment,
    cases: Mapping[str, CaseChange],
    rules: Rulebook,
    at: datetime,
) -> tuple[Missing, ...]:
    """Everything that lacks for both gates at an instant; empty means proven."""
    return (*_release(loan, item, cases, rules, at), *_close(loan, item))


def receipts_of(loan: Loan, item: Installment) -> tuple[Receipt, ...]:
    """Receipts that paid, or were taken for, an installment."""
    return tuple(
        receipt
        for receipt in loan.receipts
        if receipt.number == item.number
        or any(part.number == item.number for part in receipt.allocations)
    )


def paying(loan: Loan, item: Installment) -> tuple[Receipt, ...]:
    """Receipts whose money stands on the installment now, or that were taken back from it.

    Surplus money that was taken for it and never applied to it is somebody's case, not a condition
    of this installment.
    """
    return tuple(
        receipt
        for receipt in receipts_of(loan, item)
        if receipt.returned_minor or any(p.number == item.number for p in receipt.allocations)
    )


def unproven(loan: Loan, item: Installment) -> tuple[Receipt, ...]:
    """Receipts on the installment of which a booked line still lacks: of the money, or its return.

    Both legs count: a debit and its return cancel out in the reports and are two lines at the bank.
    """
    return tuple(receipt for receipt in paying(loan, item) if not receipt.is_proven)


def kinds_about(loan: Loan, number: int, cases: Mapping[str, CaseChange]) -> tuple[str, ...]:
    """The kinds of the open cases about one installment, each once, in order."""
    subject = (loan.id, number)
    found = {
        case.kind
        for case in cases.values()
        if case.action == "open" and (case.loan_id, case.number) == subject
    }
    return tuple(sorted(found))


def window_ends(loan: Loan, item: Installment, rules: Rulebook) -> date:
    """The local day on which the usual return window of the newest receipt has passed."""
    calendar = rules.calendar(loan.product.calendar)
    days = loan.product.closure.return_window_banking_days
    newest = max((receipt.value_on for receipt in paying(loan, item)), default=item.due_on)
    return calendar.add_banking_days(newest, days)


def _release(
    loan: Loan,
    item: Installment,
    cases: Mapping[str, CaseChange],
    rules: Rulebook,
    at: datetime,
) -> list[Missing]:
    def lack(code: str, who: str, text: str) -> None:
        lacks.append(Missing(Gate.RELEASE, code, who, text))

    lacks: list[Missing] = []
    if not item.fell_due:
        lack("not_due", "calendar", "the installment has not fallen due")
    if item.owed.total or item.given_up.total or item.subrogated.total:
        lack("owed", "borrower", "something is still owed, written off or subrogated")
    if item.live_attempt is not None:
        lack("live_attempt", "rail", "an order owes its verdict")
    if any(r.waiting_minor for r in loan.receipts if r.number == item.number) and item.owed.total:
        lack("waiting", "books", "money waits to be applied")
    if unproven(loan, item):
        lack("unproven", "bank", "a receipt is not proven by a booked line")
    if local_day(at, loan.product.timezone) < window_ends(loan, item, rules):
        lack("return_window", "calendar", "the usual return window has not passed")
    if item.hold is HoldKind.ALL:
        lack("hold", "operator", "the installment is on hold")
    if any(_stands_in_the_way(case, loan, item) for case in cases.values()):
        lack("case", "operator", "a case about the installment is open")
    return lacks


def _stands_in_the_way(case: CaseChange, loan: Loan, item: Installment) -> bool:
    return (
        case.about_installment
        and case.action == "open"
        and case.loan_id == loan.id
        and case.number == item.number
    )


def _close(loan: Loan, item: Installment) -> list[Missing]:
    """The payee leg: shares remitted and proven, or direct to the payee and held there."""
    parties = set(loan.product.shares.parties)
    lacks: list[Missing] = []
    shares = split(drawn(item), loan.product.shares)
    for party in sorted(parties - {loan.product.funder}):
        if shares[party].total and item.allocated.total:  # what was only forgiven reaches nobody
            text = f"the share of {party} is not proven to have reached it"
            lacks.append(Missing(Gate.CLOSE, "remittance", party, text))
    for receipt in paying(loan, item):
        if parties == {loan.product.funder} and receipt.held_minor != receipt.applied_minor:
            text = f"receipt {receipt.id} does not lie on the funder's account"
            lacks.append(Missing(Gate.CLOSE, "held", loan.product.funder, text))
    return lacks
