"""What a credit bureau, or another party that is told about loans, does for us."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from domain.loanclosure.commands import LegNews


class ReportKind(StrEnum):
    """What is told about a loan."""

    OPENED = "opened"
    """The account was opened."""
    STATE = "state"
    """How it stands: each month, or the day after something changed."""
    SETTLED = "settled"
    """Nothing is owed any more."""
    CORRECTED = "corrected"
    """What was told of it as settled is not true any more."""
    DISPUTED = "disputed"
    """The borrower disputes what was told."""
    RELEASED = "released"
    """To a guarantor or an agency: the guarantee, or the collection, has ended."""
    RECALLED = "recalled"
    """To a guarantor: the guarantee has not ended after all."""


@dataclass(frozen=True, slots=True)
class BureauReport:
    """One report, the same on every send of its reference. Amounts in minor units.

    Attributes:
        borrower: the token of the borrower; the bureau's own data of a person enter nowhere.
        owed_minor: what is owed on `as_of`.
    """

    reference: str
    kind: ReportKind
    loan_id: str
    borrower: str
    currency: str
    principal_minor: int
    owed_minor: int
    disbursed_on: date
    as_of: date


class Bureau(Protocol):
    """Takes reports by our reference; a report that it has already is taken once."""

    async def report(self, report: BureauReport) -> LegNews:
        """Send one report.

        Returns:
            What the bureau says; UNKNOWN with a code where no usable answer came. Sending it again
            under its reference does no harm.
        """
        ...

    async def inquire(self, reference: str) -> LegNews | None:
        """Ask what became of a report; None: the bureau has none of this reference."""
        ...
