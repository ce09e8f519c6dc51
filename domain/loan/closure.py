"""Closure by evidence: what is missing before an installment is released or closed.

Two gates. *Released*: nothing more can be asked of the borrower. *Closed*: every party's share is
proven as well, the funder's included. A gate stays shut while anything is missing, and each missing
thing has a code and an owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.calendar import local_day
from domain.case.case import Case
from domain.case.kinds import CASE_RULES
from domain.loan.aggregate import HoldKind, Installment, Loan, Rulebook
from domain.loan.product import Routing
from domain.loan.sharing import held
from domain.money import amount_text
from domain.payment.portion import Portion, ShareFate


class Gate(StrEnum):
    """Which gate a missing thing keeps shut."""

    RELEASE = "release"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Missing:
    """One missing thing: a stable code, who must supply it, and what it is, in words."""

    gate: Gate
    code: str
    who: str
    text: str


def missing(
    loan: Loan,
    item: Installment,
    cases: Mapping[str, Case],
    rules: Rulebook,
    at: datetime,
) -> tuple[Missing, ...]:
    """Everything that is missing for both gates at an instant; empty means proven."""
    return (*_release(loan, item, cases, rules, at), *_close(loan, item, cases))


def portions_on(loan: Loan, item: Installment) -> tuple[Portion, ...]:
    """Portions that paid, or were taken for, an installment; one without a number is for all."""
    return tuple(
        portion
        for portion in loan.portions
        if portion.number in {None, item.number}
        or any(part.number == item.number for part in portion.allocations)
    )


def paying(loan: Loan, item: Installment) -> tuple[Portion, ...]:
    """Portions whose money stands on the installment now, or that were taken back from it.

    Surplus money that was taken for it and never applied to it has a case of its own and is not a
    condition of this installment.
    """
    return tuple(
        portion
        for portion in portions_on(loan, item)
        if portion.returned_minor or any(p.number == item.number for p in portion.allocations)
    )


def unproven(loan: Loan, item: Installment) -> tuple[Portion, ...]:
    """Portions on the installment that lack a booked line: for the money, or for its return.

    Both legs count: a debit and its return cancel out in the reports and are two lines at the bank.
    """
    return tuple(portion for portion in paying(loan, item) if not portion.is_proven)


def kinds_about(loan: Loan, number: int, cases: Mapping[str, Case]) -> tuple[str, ...]:
    """The kinds of the open cases about one installment, each once, in order."""
    subject = (loan.id, number)
    found = {
        case.kind
        for case in cases.values()
        if case.is_open and (case.loan_id, case.number) == subject
    }
    return tuple(sorted(found))


def window_ends(loan: Loan, item: Installment, rules: Rulebook) -> date:
    """The local day on which the usual return window of the newest payment has passed."""
    calendar = rules.calendar(loan.product.calendar)
    days = loan.product.closure.return_window_banking_days
    paid = paying(loan, item)
    # What was brought over without its order cannot come back: the opening's evidence closes it.
    newest = [it.value_on for it in paid if not it.is_brought_over or it.order_no is not None]
    if paid and not newest:
        return max(portion.value_on for portion in paid)
    return calendar.add_banking_days(max(newest, default=item.due_on), days)


def _release(
    loan: Loan,
    item: Installment,
    cases: Mapping[str, Case],
    rules: Rulebook,
    at: datetime,
) -> list[Missing]:
    def lack(code: str, who: str, text: str) -> None:
        lacks.append(Missing(Gate.RELEASE, code, who, text))

    lacks: list[Missing] = []
    if not item.fell_due:
        lack("not_due", "calendar", "the installment has not fallen due")
    if item.owed.total or item.written_off.total or item.subrogated.total:
        lack("owed", "borrower", "something is still owed, written off or subrogated")
    if item.live_attempt is not None:
        lack("live_attempt", "rail", "an order has no final outcome yet")
    mine = [portion for portion in loan.portions if portion.number == item.number]
    if any(portion.waiting_minor for portion in mine) and item.owed.total:
        lack("waiting", "books", "money waits to be applied")
    if unproven(loan, item):
        lack("unproven", "bank", "a payment is not proven by a booked line")
    if local_day(at, loan.product.timezone) < window_ends(loan, item, rules):
        lack("return_window", "calendar", "the usual return window has not passed")
    if item.hold is HoldKind.ALL:
        lack("hold", "operator", "the installment is on hold")
    for case in _about(loan, item, cases):
        if CASE_RULES[case.kind].blocks_release:
            lack("case", CASE_RULES[case.kind].owner, f"case {case.key} is open")
    return lacks


def _about(loan: Loan, item: Installment, cases: Mapping[str, Case]) -> list[Case]:
    """Open cases about an installment or its whole loan, in the order of their keys."""
    return [cases[key] for key in sorted(cases) if cases[key].is_about(loan.id, item.number)]


def _close(loan: Loan, item: Installment, cases: Mapping[str, Case]) -> list[Missing]:
    """What is missing for closing: shares not proven to have reached their party, and open cases.

    Only what money has paid is shared; a waived amount goes to nobody.
    """
    lacks: list[Missing] = []
    for payee in sorted(loan.product.payees, key=lambda payee: payee.party):
        for portion in paying(loan, item):
            share = sum(
                part.share_of(payee.party)
                for part in portion.allocations
                if part.number == item.number
            )
            share -= _held_by(loan, portion, payee.party, item.number)
            share -= _remitted_to(portion, payee.party, item.number)
            if share > 0:
                code = "held" if payee.routing is Routing.DIRECT else "remittance"
                text = f"{amount_text(share, loan.currency)} of payment {portion.id} "
                text += "are not proven to have reached it"
                lacks.append(Missing(Gate.CLOSE, code, payee.party, text))
    for case in _about(loan, item, cases):
        if CASE_RULES[case.kind].blocks_closing and not CASE_RULES[case.kind].blocks_release:
            text = f"case {case.key} is open"
            lacks.append(Missing(Gate.CLOSE, "case", CASE_RULES[case.kind].owner, text))
    return lacks


def _remitted_to(portion: Portion, party: str, number: int) -> int:
    """Minor units that a party got of what a portion paid on an installment: remitted or set off.

    What it has to give back of that is a case of its own.
    """
    signs = {ShareFate.REMITTED: 1, ShareFate.SET_OFF: 1, ShareFate.TAKEN_BACK: -1}
    return sum(
        signs.get(move.fate, 0) * move.minor
        for move in portion.moves
        if (move.item.party, move.item.number) == (party, number)
    )


def _held_by(loan: Loan, portion: Portion, party: str, number: int) -> int:
    """Minor units that a party holds of what a portion brought to one installment."""
    parts = held(loan, portion).items()
    return sum(minor for (who, of, _), minor in parts if (who, of) == (party, number))
