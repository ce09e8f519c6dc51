"""The three-way match of a day: what the books have of it, and what rails report."""

from datetime import date
from typing import Protocol

from domain.audit.threeway import Reported, ThreeWay


class ThreeWayMatch(Protocol):
    """Matches the ledger and the bank's lines of a day with reports of rails."""

    async def match(self, day: date, reported: Reported, reporting: frozenset[str]) -> ThreeWay:
        """The result for one value day, from one state of the books.

        Args:
            day: the value day.
            reported: what rails say was taken.
            reporting: the rails of which there is a report.
        """
        ...
