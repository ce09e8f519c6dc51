"""Counts of what waits in the books, and since when, for metrics.

Every answer is one count from an index, with no name and no amount in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some things that wait, and since when the one that has waited longest does (UTC).

    `since` is None where nothing waits, or nobody noted when it began.
    """

    count: int
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gauges:
    """How much waits, as of `at` (UTC, by the books' clock).

    Attributes:
        at: when the books were read.
        installments: by state; since when the oldest has been in it.
        closures: closures of loans, by state; since when the oldest has been in it.
        unknown: attempts whose outcome is unknown, by rail; since the oldest became so.
        payouts: payouts and refunds that are not final, by state; since the oldest is in it.
        actions: actions that have been due for `LATE_AFTER` or longer, by kind.
        messages: messages in the outbox that may leave, by topic; since they might.
        files: statement files of the last `FILES_DAYS` days that nobody has read to their end.
        cases: open cases, by kind.
        days: loans with a day that is not rolled, by time zone; since the oldest such day began.
        chain_apart: how many numbers the chain's head is from its last item; 0 when intact.
    """

    at: datetime
    installments: Mapping[str, Waiting] = field(default_factory=dict)
    closures: Mapping[str, Waiting] = field(default_factory=dict)
    unknown: Mapping[str, Waiting] = field(default_factory=dict)
    payouts: Mapping[str, Waiting] = field(default_factory=dict)
    actions: Mapping[str, Waiting] = field(default_factory=dict)
    messages: Mapping[str, Waiting] = field(default_factory=dict)
    files: Waiting = Waiting(0)
    cases: Mapping[str, Waiting] = field(default_factory=dict)
    days: Mapping[str, Waiting] = field(default_factory=dict)
    chain_apart: int = 0


LATE_AFTER = timedelta(minutes=1)
"""An action counts as late when it has been due for this long."""
FILES_DAYS = 14
"""Days for which an unread statement file is counted; a refused one stays unread for ever."""


class GaugeQueries(Protocol):
    """Reads the gauges."""

    async def gauges(self) -> Gauges:
        """Everything that is cheap to count, from one snapshot."""
        ...

    async def unbalanced(self) -> int:
        """How many currencies have account balances that do not sum to zero.

        Reads every balance: ask it seldom.
        """
        ...
