"""What an order may plausibly say: limits that stop mistakes of typing, no rules of a product."""

from collections.abc import Sequence
from datetime import date

from domain.loan.aggregate import Loan

TIMES = 10
"""No single amount is more than so many times what the loan asks for in all."""


def amount_most(loan: Loan) -> int:
    """The largest amount, in minor units, that an order about this loan may name."""
    scheduled = sum(item.scheduled.total for item in loan.installments)
    charged = sum(item.charged.total for item in loan.installments)
    return TIMES * max(loan.principal_minor, scheduled, charged)


def implausible_amount(loans: Sequence[Loan], amount_minor: int) -> str:
    """Why an amount for loans is not taken, with field, value and rule; empty if it is taken."""
    if amount_minor <= 0:
        return f"amount_minor {amount_minor}: more than zero"
    most = sum(amount_most(loan) for loan in loans)
    if amount_minor > most:
        return (
            f"amount_minor {amount_minor}: at most {most} {loans[0].currency} minor units,"
            f" {TIMES} times what {'the loan asks' if len(loans) == 1 else 'the loans ask'} for"
            " in all"
        )
    return ""


def implausible_day(loan: Loan, value_on: date, today: date) -> str:
    """Why a value date is not taken, with field, value and rule; empty when it is plausible."""
    if value_on > today:
        return f"value_on {value_on}: not after {today}, money cannot have come in the future"
    if value_on < loan.disbursed_on:
        return f"value_on {value_on}: not before {loan.disbursed_on}, when the loan was paid out"
    return ""
