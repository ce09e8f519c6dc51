"""What becomes of each line and of each expectation in a run of matching."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.matching.model import Pass


class Status(StrEnum):
    """How a line or an expectation stands."""

    MATCHED = "matched"
    """Line and expectation are the same money."""
    EXPECTED = "expected"
    """No line shows it, and its day has not passed."""
    MISSING = "missing"
    """No line shows it, and the day by which one was expected has passed."""
    OVER = "over"
    """The line shows more than what it names."""
    UNDER = "under"
    """The line shows less than what it names."""
    SPLIT_MISMATCH = "split_mismatch"
    """The sum is right, and lies on other accounts than it should."""
    DUPLICATE = "duplicate"
    """The line shows again what another line shows."""
    UNIDENTIFIED = "unidentified"
    """Nobody knows what the line is."""


class Cause(StrEnum):
    """Why a line is not matched."""

    AMOUNT_DIFFERS = "amount_differs"
    """What it names is of another amount."""
    ACCOUNTS_DIFFER = "accounts_differ"
    """The accounts are not those of the split."""
    COUNT_DIFFERS = "count_differs"
    """The batch has another number of orders than the bank says."""
    SEVERAL_FIT = "several_fit"
    """Several expectations fit alike, and none is chosen."""
    SEVERAL_LINES = "several_lines"
    """Several lines alike show one expectation, and none is chosen."""
    SHOWN_BEFORE = "shown_before"
    """Another line shows what it names already."""
    UNKNOWN_REFERENCE = "unknown_reference"
    """It has references, and nobody expects money under them."""
    NAMES_NOTHING = "names_nothing"
    """It has no reference."""


@dataclass(frozen=True, slots=True)
class LineResult:
    """How a piece of a line stands.

    Attributes:
        by: the pass that says so; None where none does.
        group: what was matched together has the same name: the least id of its pieces.
        fee_minor: what a tolerated difference comes to, for the group as a whole.
        posts: it is posted; a match that is not is a proposal.
        loan: of a pass for loans, the id of the expectation that stands for the loan.
    """

    status: Status
    by: Pass | None = None
    cause: Cause | None = None
    group: str = ""
    fee_minor: int = 0
    posts: bool = False
    loan: str = ""

    @property
    def is_proposal(self) -> bool:
        """Whether a person has to accept it."""
        return self.status is Status.MATCHED and not self.posts


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """How an expectation stands, by which pass, and with which group of lines."""

    status: Status
    by: Pass | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """All of a run, by id of piece and of expectation. What was proven before is not in it."""

    lines: Mapping[str, LineResult]
    expectations: Mapping[str, ExpectationResult]
