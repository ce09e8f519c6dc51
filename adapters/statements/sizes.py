"""How much of a text every reader of statements keeps, and what may name an account."""

from domain.text import PLAIN_RULE, is_plain

ID_MOST = 50
"""Longest id of a statement and of an account."""
TEXT_KEPT = 500
"""So much of a bank's free text is kept."""
DIGITS_MOST = 18
"""Most digits of an amount."""


def account_fault(account: str) -> str:
    """The rule that the name of an account breaks; empty where it breaks none."""
    if 0 < len(account) <= ID_MOST and is_plain(account):
        return ""
    return f"1 to {ID_MOST} characters; {PLAIN_RULE}"
