"""The three-way match of a day: what the rail says was taken, the ledger, and the bank's lines.

Compared are payments by their value day, item by item. The ledger's side is what entries report on
the clearing of a rail, the bank's side is what booked lines prove, the rail's side is its own
report. Returns are not compared here: they have entries and cases of their own.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from domain.audit.unclosed import LONGEST_HOLIDAY_DAYS
from domain.kernel.canonical import digest

KEPT = 1_000
"""Most differences that are listed; all are counted."""
PATIENCE = timedelta(days=2 * LONGEST_HOLIDAY_DAYS)
"""How long a payment without a line needs no explanation but its day; see `Cause.AWAITS_LINE`."""
TRANSFER = "transfer"
"""In place of a rail, of money that nobody pulled: no rail reports it."""


class Cause(StrEnum):
    """Why the sides of an item differ."""

    NOT_IN_LEDGER = "not_in_ledger"
    """The rail says that it took money for an order; the ledger has none of that day."""
    NOT_REPORTED = "not_reported"
    """The ledger has money of an order that the rail's report does not hold."""
    AMOUNT_DIFFERS = "amount_differs"
    """Rail and ledger have different amounts."""
    AWAITS_LINE = "awaits_line"
    """No line has come yet; within the time of settlement that explains itself."""
    LINE_DIFFERS = "line_differs"
    """Lines prove another amount than the ledger has."""
    LINE_UNEXPLAINED = "line_unexplained"
    """A line that was booked on the day is not explained."""


@dataclass(frozen=True, slots=True)
class Item:
    """A payment of the day in the books. Amounts in minor units.

    `case` is an open case about it, empty where there is none.
    """

    rail: str
    payment: str
    order_no: str
    currency: str
    ledger_minor: int
    bank_minor: int
    case: str = ""


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line that was booked on the day and is not explained; signed minor units."""

    line: str
    account: str
    currency: str
    open_minor: int
    case: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One item whose sides differ; a side that has nothing is None.

    `explained` says by what: a case, or the time of settlement; empty where nothing does.
    """

    cause: Cause
    rail: str
    item: str
    currency: str
    rail_minor: int | None
    ledger_minor: int | None
    bank_minor: int | None
    explained: str = ""


@dataclass(slots=True)
class Totals:
    """Counts and amounts of the three sides, of one rail and currency."""

    rail: int = 0
    rail_minor: int = 0
    ledger: int = 0
    ledger_minor: int = 0
    bank: int = 0
    bank_minor: int = 0


Reported = Mapping[tuple[str, str, str], int]
"""What a report says was taken: minor units by rail, order number and currency."""


@dataclass(slots=True)
class ThreeWay:
    """Takes the items of a day one by one, and what reports say of it.

    Args:
        day: the value day.
        today: from which ages are counted.
        reported: what the rails say.
        reporting: the rails that gave a report; of others the rail's side is unknown.
    """

    day: date
    today: date
    reported: Reported
    reporting: Collection[str]
    totals: dict[tuple[str, str], Totals] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unexplained: int = 0
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    def take(self, item: Item) -> None:
        """Compare a payment of the books."""
        key = (item.rail, item.order_no, item.currency)
        said = self.reported.get(key) if item.rail in self.reporting else None
        self._seen.add(key)
        totals = self._of(item.rail, item.currency)
        totals.ledger += 1
        totals.ledger_minor += item.ledger_minor
        if item.bank_minor:
            totals.bank += 1
            totals.bank_minor += item.bank_minor
        for cause in self._causes(item, said):
            self._add(
                Difference(
                    cause,
                    item.rail,
                    item.order_no or item.payment,
                    item.currency,
                    said,
                    item.ledger_minor,
                    item.bank_minor or None,
                    self._explained(cause, item.case),
                )
            )

    def take_line(self, line: OpenLine) -> None:
        """Take a line that is not explained."""
        by = f"case {line.case}" if line.case else ""
        cause, minor = Cause.LINE_UNEXPLAINED, line.open_minor
        self._add(Difference(cause, "", line.line, line.currency, None, None, minor, by))

    def end(self) -> None:
        """Take what reports say of orders that the books do not have on this day."""
        for (rail, order_no, currency), minor in self.reported.items():
            totals = self._of(rail, currency)
            totals.rail += 1
            totals.rail_minor += minor
            if (rail, order_no, currency) not in self._seen:
                cause = Cause.NOT_IN_LEDGER
                self._add(Difference(cause, rail, order_no, currency, minor, None, None))

    def _causes(self, item: Item, said: int | None) -> Iterator[Cause]:
        if item.rail in self.reporting and said is None:
            yield Cause.NOT_REPORTED
        elif said is not None and said != item.ledger_minor:
            yield Cause.AMOUNT_DIFFERS
        if not item.bank_minor:
            yield Cause.AWAITS_LINE
        elif item.bank_minor != item.ledger_minor:
            yield Cause.LINE_DIFFERS

    def _explained(self, cause: Cause, case: str) -> str:
        if case:
            return f"case {case}"
        in_time = cause is Cause.AWAITS_LINE and self.today - self.day <= PATIENCE
        return "within the time of settlement" if in_time else ""

    def _of(self, rail: str, currency: str) -> Totals:
        return self.totals.setdefault((rail, currency), Totals())

    def _add(self, found: Difference) -> None:
        self.counts[found.cause] += 1
        self.unexplained += not found.explained
        if len(self.differences) < KEPT:
            self.differences.append(found)

    def facts(self) -> dict[str, object]:
        """The result as plain values: totals by rail and currency, counts, and differences."""
        return {
            "day": self.day.isoformat(),
            "reports_of": sorted(self.reporting),
            "totals": [
                {"rail": rail, "currency": currency, "day": self.day.isoformat()}
                | {name: getattr(totals, name) for name in Totals.__slots__}
                for (rail, currency), totals in sorted(self.totals.items())
            ],
            "counts": dict(sorted(self.counts.items())),
            "unexplained": self.unexplained,
            "differences": [
                {name: getattr(one, name) for name in Difference.__slots__}
                | {"cause": one.cause.value}
                for one in self.differences
            ],
        }

    def digest(self) -> str:
        """SHA-256 of the facts."""
        return digest(self.facts())
