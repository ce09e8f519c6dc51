"""What parties hold of a payment: how it differs from before, and the case about others' shares."""

from collections.abc import Mapping
from typing import TypeVar

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.loan.aggregate import Loan
from domain.money import amount_text
from domain.payment.portion import Portion

_Key = TypeVar("_Key", bound=tuple[object, ...])


def differences(was: Mapping[_Key, int], now: Mapping[_Key, int]) -> dict[_Key, int]:
    """What moved between two sets of amounts, by key, without what did not."""
    keys = sorted(was.keys() | now.keys())
    moves = {key: now.get(key, 0) - was.get(key, 0) for key in keys}
    return {key: minor for key, minor in moves.items() if minor}


def receivable_case(loan: Loan, portion: Portion, holder: str, minor: int) -> Case:
    """What a party holds of a payment for others, as long as it does: minor units."""
    said = amount_text(minor, loan.currency)
    return Case(
        f"receivable/{portion.id}/{loan.id}/{holder}",
        CaseKind.RECEIVABLE,
        f"{said} of payment {portion.id} lie on the account of {holder} and are others'",
        loan_id=loan.id,
        number=portion.number,
        payment=portion.id,
        amount_minor=minor,
        currency=loan.currency,
    )
