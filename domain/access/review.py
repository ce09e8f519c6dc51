"""Which orders need a second person: one table over every kind of order.

An order is given at once (`NONE`), needs a second person above a limit (`LIMIT`), or always
(`FOUR_EYES`). Limits add up over 30 days, for the loan and for who asks, so that a large sum in
small parts does not pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from domain.errors import InvalidInput
from domain.money import exponent

WINDOW = timedelta(days=30)
"""Over which amounts are added up."""
USUAL_LIMIT_UNITS = 100
"""Limit in whole units of the currency, unless the installation sets another."""


class Review(StrEnum):
    """Whether an order needs a second person."""

    NONE = "none"
    LIMIT = "limit"
    """Above an amount."""
    IF_ASKED = "if_asked"
    """Where the books refuse it without an approver."""
    FOUR_EYES = "four_eyes"


_N, _L, _I, _F = Review.NONE, Review.LIMIT, Review.IF_ASKED, Review.FOUR_EYES
REVIEWS: Mapping[str, Review] = MappingProxyType(
    {
        "hold": _N,
        "unhold": _N,
        "retry_now": _N,
        "withdraw_debit": _N,
        "state_outcome": _F,
        "record_payment": _F,
        "match_line": _I,
        "undo_match": _F,
        "withdraw_payment": _F,
        "waive": _L,
        "charge": _L,
        "change_date": _F,
        "cancel": _F,
        "write_off": _F,
        "assign_case": _N,
        "note_case": _N,
        "wait_case": _N,
        "resolve_case": _I,
        "reopen_case": _N,
        "transfer_case": _N,
        "approve_payout": _F,
        "refuse_payout": _N,
        "cancel_payout": _N,
        "settle_payout": _F,
        "retry_leg": _N,
        "hold_closure": _N,
        "resume_closure": _N,
        "state_leg_done": _F,
        "waive_leg": _F,
        "end_mandate": _N,
        "clear_mandate": _F,
        "replace_mandate": _F,
        "retry_message": _N,
        "drop_message": _N,
    }
)
"""The review of every kind of order; a test compares it with the orders that there are."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was ordered of one kind in the window, in minor units, whether it waits or is done.

    `loan_minor`: for the loan, by whomever. `requester_minor`: by who asks, for whatever loan.
    """

    loan_minor: int = 0
    requester_minor: int = 0


@dataclass(frozen=True, slots=True)
class Needed:
    """Whether a second person is needed, and the rule that says so."""

    four_eyes: bool
    rule: str


def review_of(
    kind: str,
    currency: str,
    amount_minor: int,
    spent: Spent,
    *,
    asked: bool = False,
    limit_units: int = USUAL_LIMIT_UNITS,
) -> Needed:
    """Whether an order needs a second person.

    Args:
        kind: of the order.
        currency: of its amount; empty where it has none.
        amount_minor: its amount in minor units.
        spent: what was ordered of this kind in this currency in the window.
        asked: the books refuse it without an approver.
        limit_units: the limit in whole units of the currency.

    Raises:
        InvalidInput: nobody has said how orders of this kind are reviewed.
    """
    review = REVIEWS.get(kind)
    if review is None:
        raise InvalidInput("kind", kind, f"one of {', '.join(REVIEWS)}")
    match review:
        case Review.NONE:
            return Needed(four_eyes=False, rule="")
        case Review.FOUR_EYES:
            return Needed(four_eyes=True, rule=f"{kind}.four_eyes")
        case Review.IF_ASKED:
            return Needed(four_eyes=asked, rule=f"{kind}.books" if asked else "")
        case Review.LIMIT:
            most = limit_units * 10 ** exponent(currency)
            if amount_minor > most:
                return Needed(four_eyes=True, rule=f"{kind}.limit")
            if spent.loan_minor + amount_minor > most:
                return Needed(four_eyes=True, rule=f"{kind}.limit_of_loan")
            if spent.requester_minor + amount_minor > most:
                return Needed(four_eyes=True, rule=f"{kind}.limit_of_requester")
            return Needed(four_eyes=False, rule="")
        case never:
            assert_never(never)
