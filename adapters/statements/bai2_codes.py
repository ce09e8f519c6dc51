"""What the type codes of BAI2 mean, as far as money depends on it."""

from domain.statement.statement import BalanceKind

BALANCES = {
    "010": BalanceKind.OPENING_BOOKED,
    "015": BalanceKind.CLOSING_BOOKED,
    "030": BalanceKind.INTERIM_BOOKED,
    "040": BalanceKind.OPENING_AVAILABLE,
    "045": BalanceKind.CLOSING_AVAILABLE,
    "060": BalanceKind.INTERIM_AVAILABLE,
}
"""Balances by name; any other code below 100 is one of the bank's own."""
TOTAL_CREDITS, TOTAL_DEBITS = "100", "400"
NOT_MONEY = "890"
RETURNS = frozenset({"255", "257", "261", "266", "555", "557", "561", "566"})
"""Checks and ACH items that came back, and items that were rejected."""
REVERSALS = frozenset({"252", "258", "452", "558"})
"""Entries that take back an earlier one."""
# First and last code, direction. The third group is what banks define by themselves.
_DIRECTIONS = ((101, 399, 1), (401, 699, -1), (920, 959, 1), (960, 999, -1))


def direction(code: str) -> int | None:
    """+1 for a credit, -1 for a debit, None for a code that says neither."""
    number = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0
    return next((sign for low, high, sign in _DIRECTIONS if low <= number <= high), None)
