"""Shows instants to people, by one rule for every list.

Where it is known which loan something is about, the time is that of its product's zone; all else is
in UTC. Either way the offset stands beside it. JSON has every instant in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from domain.text import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ports.consolequeries import ConsoleQueries


@dataclass(frozen=True, slots=True)
class Zones:
    """The names of the zones of loans, by loan."""

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, *loans: str | None) -> tzinfo:
        """The zone of a loan, or of several if they all have one; else UTC."""
        names = {self.names.get(loan or "", "") for loan in loans}
        name = names.pop() if len(names) == 1 else ""
        return ZoneInfo(name) if name else UTC

    def shown(self, at: datetime | None, loan: str | None = None) -> str:
        """An instant that is about a loan, or about none; empty for none."""
        return shown(at, self.of(loan))


def shown(at: datetime | None, zone: tzinfo = UTC) -> str:
    """An instant in a zone, with its offset; empty for none."""
    return "" if at is None else instant_text(at, zone)


async def zones_of(queries: ConsoleQueries, loans: Iterable[str | None]) -> Zones:
    """The zones of the loans that a page names."""
    named = sorted({loan for loan in loans if loan})
    return Zones(await queries.zones(named) if named else {})
