"""Checks on gates that need more than sums: whether a case was open when one was passed."""

from datetime import datetime, timedelta

CLOCKS_DIFFER = timedelta(seconds=30)
"""How far the instants of two commands may be apart from the order in which they were written.

A command has its instant before it waits for locks, and programs on two machines have two clocks.
"""


def was_open(opened_at: datetime, closed_at: datetime | None, passed_at: datetime) -> bool:
    """Whether a case was certainly open when a gate was passed."""
    opened_before = opened_at < passed_at - CLOCKS_DIFFER
    return opened_before and (closed_at is None or closed_at > passed_at + CLOCKS_DIFFER)
