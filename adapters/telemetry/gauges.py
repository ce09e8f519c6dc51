"""Reads the gauges of the books at intervals and gives the last values to each export.

One role of worker does it. Two processes of that role export the same values, so dashboards and
alerts take the greatest. After three failed readings no value is exported any more, because an old
number looks like a healthy one; an alert watches for missing values.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime

import structlog

from adapters.telemetry import catalogue
from adapters.telemetry.catalogue import Label, Metric
from adapters.telemetry.metrics import Metrics
from ports.gauges import GaugeQueries, Gauges, Waiting

EVERY_S = 30.0
BALANCE_EVERY_S = 3600.0
"""Seconds between two checks that balances sum to zero; each check reads every balance."""
TURNS = 3
_log = structlog.get_logger(__name__)

Values = Iterable[tuple[float, Mapping[str, str]]]
_NOBODY = Waiting(0)


class BooksGauges:
    """The last reading of the books' gauges.

    Args:
        queries: is asked.
        metrics: say how long asking took, and which rails and time zones there are.
        every_s: between two readings.
        clock: monotonic seconds; tests give another.
        verify: reads the whole journal and gives the number of faults.
    """

    def __init__(
        self,
        queries: GaugeQueries,
        metrics: Metrics,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        verify: Callable[[], Awaitable[int]] | None = None,
    ) -> None:
        self._queries, self._metrics, self._every_s, self._clock = queries, metrics, every_s, clock
        self._read: tuple[float, Gauges] | None = None
        self._balanced: tuple[float, int] | None = None
        self._verify = verify
        self._journal: int | None = None
        metrics.read_by(self.values)

    async def run(self) -> None:
        """Read until cancelled; a reading that fails is tried again at the next turn."""
        while True:  # ends by being cancelled
            try:
                await self.read()
            except Exception as error:  # noqa: BLE001  (the books may be away; the alert is on silence)
                _log.warning("gauges_not_read", error=type(error).__name__)
            await asyncio.sleep(self._every_s)

    async def run_verifying(self, every_s: float) -> None:
        """Read the whole journal every so often until cancelled."""
        while self._verify is not None:  # ends by being cancelled
            try:
                self._journal = await self._verify()
            except Exception as error:  # noqa: BLE001  (the books may be away)
                _log.warning("journal_not_verified", error=type(error).__name__)
            await asyncio.sleep(every_s)

    async def read(self) -> None:
        """Ask the books now."""
        began = time.perf_counter()
        gauges = await self._queries.gauges()
        now = self._clock()
        if self._balanced is None or now - self._balanced[0] >= BALANCE_EVERY_S:
            self._balanced = (now, await self._queries.unbalanced())
        self._read = (self._clock(), gauges)
        self._metrics.record(catalogue.READING, time.perf_counter() - began)

    def values(self, metric: Metric) -> Values:
        """The values of one gauge, a zero for each that nothing was found for; see `Reading`."""
        if self._read is None or self._clock() - self._read[0] > TURNS * self._every_s:
            return ()
        found = self._read[1]
        match metric:
            case catalogue.INBOX:
                return [(found.files.count, {})]
            case catalogue.INBOX_AGE:
                return [(_age(found.at, found.files), {})]
            case catalogue.FAULTS:
                unbalanced = self._balanced[1] if self._balanced else None
                checks = {
                    "balance": unbalanced,
                    "chain": found.chain_apart,
                    "journal": self._journal,
                }
                return [(it, {"check": name}) for name, it in checks.items() if it is not None]
            case _:
                return self._by_label(metric, found)

    def _by_label(self, metric: Metric, found: Gauges) -> Values:
        waiting = {
            catalogue.INSTALLMENTS: found.installments,
            catalogue.CLOSURES: found.closures,
            catalogue.UNKNOWN: found.unknown,
            catalogue.PAYOUTS: found.payouts,
            catalogue.ACTIONS: found.actions,
            catalogue.OUTBOX: found.messages,
            catalogue.CASES: found.cases,
            catalogue.SWEEP: found.days,
        }
        counted = _COUNTED_WITH.get(metric, metric)
        [label] = metric.labels
        folded = self._folded(label, waiting[counted])
        ages = metric is not counted
        return [
            (_age(found.at, one) if ages else one.count, {label.name: value})
            for value, one in folded.items()
        ]

    def _folded(self, label: Label, found: Mapping[str, Waiting]) -> Mapping[str, Waiting]:
        """By the values that the label may take: unknown ones together, missing ones as nothing."""
        known = self._metrics.known
        folded = dict.fromkeys(known.of(label), _NOBODY)
        for value, one in found.items():
            name = known.said(label, value)
            before = folded.get(name, _NOBODY)
            instants = [at for at in (before.since, one.since) if at is not None]
            folded[name] = Waiting(before.count + one.count, min(instants, default=None))
        return folded


_COUNTED_WITH = {
    catalogue.INSTALLMENTS_AGE: catalogue.INSTALLMENTS,
    catalogue.CLOSURES_AGE: catalogue.CLOSURES,
    catalogue.UNKNOWN_AGE: catalogue.UNKNOWN,
    catalogue.PAYOUTS_AGE: catalogue.PAYOUTS,
    catalogue.ACTIONS_AGE: catalogue.ACTIONS,
    catalogue.OUTBOX_AGE: catalogue.OUTBOX,
    catalogue.CASES_AGE: catalogue.CASES,
    catalogue.SWEEP_AGE: catalogue.SWEEP,
}
"""The count that comes out of the same rows as an age."""


def _age(at: datetime, waiting: Waiting) -> float:
    """Seconds; 0 where nothing waits. A clock that was set back makes no negative age."""
    return 0.0 if waiting.since is None else max((at - waiting.since).total_seconds(), 0.0)
