"""The chart of accounts: names are made here and nowhere else.

A name is a path; its first part, the family, says which side the account normally stands on. What a
posting is *for* (loan, installment, component, party, payment, order, line) is said by the posting
itself, so accounts are read by item. Accounts of families in `PLACED` hold money, and money lies
somewhere: their postings name that place as well.
"""

from enum import StrEnum


class Side(StrEnum):
    """The side on which an account's balance normally stands."""

    DEBIT = "debit"
    CREDIT = "credit"
    BOTH = "both"


SIDES = {
    "owed": Side.DEBIT,
    "claim": Side.CREDIT,
    "clearing": Side.DEBIT,
    "bank": Side.DEBIT,
    "held_by": Side.CREDIT,
    "payable": Side.CREDIT,
    "paying": Side.CREDIT,
    "suspense": Side.CREDIT,
    "advance": Side.CREDIT,
    "receivable": Side.DEBIT,
    "rail_fees": Side.DEBIT,
    "forgiven": Side.DEBIT,
    "written_off": Side.DEBIT,
    "subrogated": Side.DEBIT,
    "opening": Side.BOTH,
}
PLACED = frozenset(
    {
        "clearing",
        "bank",
        "suspense",
        "advance",
        "payable",
        "paying",
        "receivable",
        "held_by",
        "rail_fees",
        "opening",
    }
)
"""Families whose postings name the place where the money lies; those of other families name none.

A place is named by the account of its cash: a clearing, a bank account, or the opening account of
whoever held the money before it was brought over.
"""


CASH = frozenset({"clearing", "bank", "opening"})
"""Families of accounts that say where money lies; others in `PLACED` say for whom it lies there."""
REPORTED = ("clearing", "opening")
"""Families of accounts with money that is reported, by a rail, a payer or a former system, and that
no booked line shows on an account of ours."""


def family(account: str) -> str:
    """The first part of an account's name."""
    return account.partition("/")[0]


def owed(loan: str, number: int, component: str) -> str:
    """What the borrower owes now on one component of one installment."""
    return f"owed/{loan}/{number}/{component}"


def claim(party: str) -> str:
    """What a party is entitled to out of what fell due and is not yet collected."""
    return f"claim/{party}"


def clearing(rail: str) -> str:
    """Reported as taken (a rail) or paid (`transfer`), not yet a booked bank line."""
    return f"clearing/{rail}"


def bank(account: str) -> str:
    """Cash; moved only by booked end-of-day statement lines."""
    return f"bank/{account}"


def held_by(party: str) -> str:
    """Contra for cash that lies on a party's own account."""
    return f"held_by/{party}"


def payable(party: str) -> str:
    """Collected shares due to a payee."""
    return f"payable/{party}"


def paying(party: str) -> str:
    """Instructed to a payee and not yet proven."""
    return f"paying/{party}"


def suspense(payment: str) -> str:
    """Identified money that waits to be applied."""
    return f"suspense/{payment}"


def suspense_line(line: str) -> str:
    """Money on a bank line that nothing explains yet."""
    return f"suspense/line/{line}"


def advance(loan: str) -> str:
    """Paid ahead by the borrower of one loan."""
    return f"advance/{loan}"


def receivable(party: str) -> str:
    """What a payee or borrower must give back."""
    return f"receivable/{party}"


def rail_fees(rail: str) -> str:
    """Rail fees that the lender bears."""
    return f"rail_fees/{rail}"


def forgiven(party: str, reason: str) -> str:
    """Waived by a party, by kind of reason."""
    return f"forgiven/{party}/{reason}"


def written_off(party: str, loan: str, number: int, component: str) -> str:
    """Written off in the books of a party, still collectable."""
    return f"written_off/{party}/{loan}/{number}/{component}"


def subrogated(guarantor: str, loan: str, number: int, component: str) -> str:
    """Paid by a guarantor and now owed to them."""
    return f"subrogated/{guarantor}/{loan}/{number}/{component}"


def opening(party: str) -> str:
    """Balances brought over: what lay with a party before the books began."""
    return f"opening/{party}"
