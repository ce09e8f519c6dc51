"""What auditors ask of the books beside whether they are in order: samples and key figures."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.audit.sample import Risk
from domain.case.case import Case


class LoanRisk(NamedTuple):
    """A loan, and what of it makes a fault more likely."""

    loan_id: str
    risk: Risk


class Auditing(Protocol):
    """Streams; each call sees one state of the books."""

    def risks(self) -> AsyncGenerator[LoanRisk]:
        """Every loan, in order of the ids."""
        ...

    def cases_between(self, begin: datetime, end: datetime) -> AsyncGenerator[Case]:
        """Every case that was opened or ended from an instant up to and without another one."""
        ...
