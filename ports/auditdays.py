"""Results of daily audits, and who signed them off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from domain.audit.signoff import AuditDay, SignOff, SignOrder
from domain.audit.threeway import Reported


@dataclass(frozen=True, slots=True)
class KeptDay:
    """The last audit of a day, and its sign-off; None where it still lacks."""

    audited: AuditDay
    signoff: SignOff | None


class AuditDays(Protocol):
    """Keeps results for ever; a result that was found before is not kept twice."""

    async def record(
        self, day: date, body: Mapping[str, Any], *, findings: int, unexplained: int
    ) -> AuditDay:
        """Keep what an audit of a day found; the last result where it is the same."""
        ...

    async def of(self, day: date) -> KeptDay | None:
        """The last audit of a day."""
        ...

    async def latest(self, limit: int) -> tuple[KeptDay, ...]:
        """The last audits of the latest days, the latest first."""
        ...

    async def sign(self, day: date, order: SignOrder) -> SignOff:
        """Sign the last audit of a day off; the same order again gives the same sign-off.

        Raises:
            InvalidInput: the day was not audited, was signed off otherwise, or may not be.
        """
        ...


class RailReports(Protocol):
    """What rails report of a day."""

    async def of(self, day: date) -> tuple[Reported, frozenset[str]]:
        """What was taken, and the rails of which there is a report; both may be empty."""
        ...
