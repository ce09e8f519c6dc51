"""Keys of the cases about loans, installments, orders and payments: one function for each.

Whoever opens a case and whoever ends it build its key here. Keys that only one function builds
stand with it.
"""

from domain.case.kinds import CaseKind


def unsettled(loan_id: str, number: int) -> str:
    """An installment whose payment no bank line proves in time."""
    return f"unsettled/{loan_id}/{number}"


def operator(loan_id: str, number: int) -> str:
    """An installment about which a person is asked."""
    return f"operator/{loan_id}/{number}"


def no_reminder(loan_id: str, number: int) -> str:
    """An installment debited without a reminder that is known to have arrived."""
    return f"no_reminder/{loan_id}/{number}"


def mandate(loan_id: str, number: int) -> str:
    """An installment whose mandate was refused or has ended."""
    return f"mandate/{loan_id}/{number}"


def barred(mandate: str) -> str:
    """A mandate under which nothing is debited since a hard refusal."""
    return f"barred/{mandate}"


def after_closing(loan_id: str, number: int) -> str:
    """An installment whose payment came back after it had closed."""
    return f"after_closing/{loan_id}/{number}"


def contradiction(order_no: str) -> str:
    """An order of which two sources say different things."""
    return f"contradiction/{order_no}"


def unbelieved(order_no: str) -> str:
    """An order of which a report was not believed."""
    return f"unbelieved/{order_no}"


def unknown_code(order_no: str) -> str:
    """An order that ended with a code which no table holds."""
    return f"code/{order_no}"


def booking(order_no: str, bank_ref: str | None = None) -> str:
    """One booking of an order that may be a second execution; without it, how all begin."""
    return f"booking/{order_no}/{bank_ref or ''}"


def returned_more(order_no: str, bank_ref: str | None = None) -> str:
    """A return of more than is known to have come of an order; without it, how all begin."""
    return f"return/{order_no}/{bank_ref or ''}"


def line(line_id: str) -> str:
    """A bank line that nothing explains."""
    return f"line/{line_id}"


def other_account(line_id: str, payment_id: str, loan_id: str) -> str:
    """Money of a payment on an account that the product of a loan does not name."""
    return f"account/{line_id}/{payment_id}/{loan_id}"


def came_late(kind: CaseKind, payment_id: str) -> str:
    """A payment of an order that had ended already, or was executed before."""
    return f"{kind}/{payment_id}"
