"""What parties are due of a portion, item by item: what payouts may take."""

from domain.loan.aggregate import Loan
from domain.loan.placing import lying
from domain.payment.portion import Portion

Key = tuple[str, str, int, str, str, str]
"""Loan, payment, installment, component, party and place of an item."""


def payable_items(loan: Loan, portion: Portion) -> dict[Key, int]:
    """Minor units that each party is due of a portion, by item and place.

    What a party holds, and what the loan has learnt to be remitted, is not due any more.
    """
    found = {
        (loan.id, portion.id, item.number, item.component.value, item.party, place): -minor
        for (item, place), minor in lying(loan, portion).items()
        if item.family == "payable"
        and item.number is not None
        and item.component is not None
        and item.party is not None
    }
    for key, minor in remitted_items(loan, portion).items():
        found[key] = found.get(key, 0) - minor
    return {key: minor for key, minor in found.items() if minor}


def remitted_items(loan: Loan, portion: Portion) -> dict[Key, int]:
    """Minor units of a portion that payouts have taken to their parties, by item and place."""
    found: dict[Key, int] = {}
    for item in portion.remitted:
        key = (loan.id, portion.id, item.number, item.component, item.party, item.place)
        found[key] = found.get(key, 0) + item.minor
    return found
