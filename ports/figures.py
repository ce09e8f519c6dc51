"""Counts what the rules of the case policy watch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.case.threshold import Figure, Threshold


class Figures(Protocol):
    """Reads figures for rules."""

    async def figure(self, rule: Threshold, now: datetime) -> Figure:
        """How much of what a rule watches waits now, by the books' clock."""
        ...

    async def open_rules(self) -> Sequence[str]:
        """Names of the rules whose case is open, those included that the policy has no more."""
        ...
