"""Cases that stop new debits: something about an order of the installment is not yet known."""

from collections.abc import Mapping

from domain.case.case import Case
from domain.case.kinds import OF_WAITING_LINES, CaseKind

STOPS_DEBITS = frozenset({CaseKind.CONTRADICTION, CaseKind.LINE_CONTRADICTION, *OF_WAITING_LINES})
"""Kinds of cases that put in question how much of an installment has been paid."""


def doubt_about(cases: Mapping[str, Case], loan_id: str, number: int) -> str:
    """The key of an open case for which no new debit may leave; empty: there is none.

    A case that names the loan and no installment may be about any of them.
    """
    keys = (
        key
        for key, case in cases.items()
        if case.kind in STOPS_DEBITS and case.loan_id == loan_id and case.number in {None, number}
    )
    return min(keys, default="")
