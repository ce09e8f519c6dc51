"""Keys of the cases about the legs of a loan's closure."""

from domain.loanclosure.rules import LegKind


def overdue(loan_id: str, leg: LegKind) -> str:
    """A leg was not done in time."""
    return f"closure_overdue/{loan_id}/{leg}"


def rejected(loan_id: str, leg: LegKind) -> str:
    """Whoever does a leg refuses it."""
    return f"closure_rejected/{loan_id}/{leg}"
