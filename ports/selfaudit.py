"""The audit of the books by themselves: no bank is asked, and nothing is changed."""

from datetime import datetime
from typing import Protocol

from domain.audit import AuditReport


class SelfAudit(Protocol):
    """Judges the books by everything that must always hold of them."""

    async def audit(self, as_of: datetime | None = None) -> AuditReport:
        """What is in the books, and what is wrong with them, all of one moment.

        Args:
            as_of: the instant from which ages are counted; now unless given.
        """
        ...
