"""When the closure of a whole loan begins, what it still lacks, and what its agenda looks up."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from domain.case.case import Case
from domain.case.kinds import CASE_RULES, Blocks
from domain.loan.aggregate import HoldKind, Loan
from domain.loan.lifecycle import State
from domain.loan.payables import receivable_items
from domain.loanclosure import agenda
from domain.loanclosure.agenda import ClosureFacts
from domain.loanclosure.rules import ClosingRules
from domain.loanclosure.view import ClosureView

PASSED = frozenset({State.RELEASED, State.CLOSED})
"""States in which nothing more can be asked of the borrower."""
_FINISHED = frozenset({State.CLOSED, State.CANCELLED})


def is_settled(loan: Loan) -> bool:
    """Whether nothing more can be asked of the borrower of a loan, and something was."""
    states = {item.state for item in loan.installments}
    return bool(states & PASSED) and states <= PASSED | {State.CANCELLED}


def value_on(loan: Loan) -> date:
    """The value date at which nothing was owed any more: of the last money that paid something."""
    days = [one.value_on for one in loan.portions if one.allocations]
    return max(days, default=max(item.due_on for item in loan.installments))


def facts_of(loan: Loan, rules: ClosingRules, cases: Mapping[str, Case]) -> ClosureFacts:
    """What the agenda and the view of a loan's closure look up."""
    last = loan.installments[-1]
    return ClosureFacts(
        tenant=loan.tenant,
        currency=loan.currency,
        rail=loan.product.rail,
        rules=rules,
        contact=loan.product.reminders.allowed,
        may_tell=last.hold not in {HoldKind.CONTACT, HoldKind.ALL},
        lacks=tuple(lacks(loan, cases)),
    )


def view_of(loan: Loan, cases: Mapping[str, Case], at: datetime) -> ClosureView | None:
    """The view of a loan's closure at an instant; None where it is not being closed."""
    if loan.closing is None or loan.product.closing is None:
        return None
    return agenda.view_of(loan.closing, facts_of(loan, loan.product.closing, cases), at)


def lacks(loan: Loan, cases: Mapping[str, Case]) -> Iterator[str]:
    """Codes of what a settled loan itself lacks to be closed, besides the legs of its closure.

    `cases` are open ones; those about other loans are left out.
    """
    if not {item.state for item in loan.installments} <= _FINISHED:
        yield "installments"
    if any(one.waiting_minor for one in loan.portions):
        yield "suspense"
    if any(one.advance_minor for one in loan.portions):
        yield "advance"
    if any(receivable_items(loan, one) for one in loan.portions):
        yield "receivable"
    if any(_keeps_open(loan, case) for case in cases.values()):
        yield "case"


def _keeps_open(loan: Loan, case: Case) -> bool:
    blocks = CASE_RULES[case.kind].blocks is not Blocks.NOTHING
    return case.is_open and case.loan_id == loan.id and blocks
