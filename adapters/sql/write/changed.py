"""Which installments of a loan a group of commands changes."""

from domain.loan.aggregate import Installment, Loan


def changed_installments(before: Loan | None, after: Loan) -> list[Installment]:
    """Installments of `after` that are not what they were; all of them for a new loan."""
    if before is None:
        return list(after.installments)
    old = before.installments
    return [
        item
        for index, item in enumerate(after.installments)
        if index >= len(old) or (item is not old[index] and item != old[index])
    ]
