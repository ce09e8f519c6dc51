"""What is matched: money that is expected, and pieces of booked bank lines.

Amounts are minor units, signed as they move our account: money that comes is positive.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.errors import InvalidInput


class Pass(StrEnum):
    """The passes of matching, in their order; a later one sees only what earlier ones left."""

    END_TO_END = "end_to_end"
    """The end-to-end id of the line is the number of an order, or a payment's reference."""
    BANK_REFERENCE = "bank_reference"
    """The bank's or rail's own reference of the booking is the one that a report named."""
    MANDATE = "mandate"
    """Mandate, day of collection and amount are those of one debit."""
    BATCH = "batch"
    """Count and sum of a batch are those of the orders in it."""
    STRUCTURED = "structured_reference"
    """A reference in the payer's message names an order or a payment that is expected."""
    VIRTUAL_ACCOUNT = "virtual_account"
    """The money came to the virtual account of a loan, whatever its amount."""
    LOAN_REFERENCE = "loan_reference"
    """The payer gave the reference of a loan's payment instruction, whatever the amount."""
    NEAR_MANDATE = "near_mandate"
    """The mandate is right, day and amount within what the product tolerates."""
    NEAR_NAME = "near_name"
    """Words of the line are like those of what is expected, day and amount as tolerated."""


EXACT = (Pass.END_TO_END, Pass.BANK_REFERENCE, Pass.MANDATE, Pass.BATCH, Pass.STRUCTURED)
"""Passes by a key that both sides have; amounts are compared within it."""
OF_LOANS = (Pass.VIRTUAL_ACCOUNT, Pass.LOAN_REFERENCE)
"""Passes by which money of any amount is known to be for one loan."""
NEAR = (Pass.NEAR_MANDATE, Pass.NEAR_NAME)
"""Passes by rules of the product; what they find is proposed, unless the rule posts it."""
NAMES_MONEY = (Pass.END_TO_END, Pass.BANK_REFERENCE, Pass.STRUCTURED)
"""Passes whose keys name one piece of money: the same key and amount again is a duplicate."""

PERCENT = 100


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a product tolerates between what is expected and what a line shows.

    Attributes:
        fee_most_minor: how much less may come, or more may go: what a bank kept as its fee.
        days: how many days before or after its day the money may be booked.
        similarity: least likeness of names, in percent; 0: names alone never propose a match.
        posts: what is found within it is posted, and not only proposed.
    """

    fee_most_minor: int = 0
    days: int = 0
    similarity: int = 0
    posts: bool = False

    def __post_init__(self) -> None:
        if self.fee_most_minor < 0:
            raise InvalidInput("matching.fee_most", self.fee_most_minor, "not below zero")
        if self.days < 0:
            raise InvalidInput("matching.days", self.days, "not below zero")
        if not 0 <= self.similarity <= PERCENT:
            raise InvalidInput("matching.similarity", self.similarity, "a percentage, 0 to 100")

    def fee(self, expected_minor: int, shown_minor: int) -> int:
        """The fee that explains a difference; 0 where none does. A fee lowers our account."""
        fee = expected_minor - shown_minor
        return fee if 0 < fee <= self.fee_most_minor else 0


NOTHING_TOLERATED = Tolerance()


@dataclass(frozen=True, slots=True)
class Key:
    """One reference by which a pass finds money: the pass and the text."""

    of: Pass
    text: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """Money that a bank line is expected to show.

    Attributes:
        id: unique among all expectations of a run.
        on: the day for which it is expected; `expected_by`: after this day it is missing.
        keys: at most one for each pass.
        legs: how much of it on which bank account; empty where any account will do.
        any_amount: it is a loan to which money may come at any time; `minor` is what is due.
        is_proven: lines prove all of it already: a further line of it is a duplicate.
        text: names and references as people write them, for likeness.
    """

    id: str
    minor: int
    currency: str
    on: date
    expected_by: date
    keys: tuple[Key, ...] = ()
    legs: tuple[tuple[str, int], ...] = ()
    any_amount: bool = False
    is_proven: bool = False
    tolerance: Tolerance = NOTHING_TOLERATED
    text: str = ""

    def __post_init__(self) -> None:
        if len({key.of for key in self.keys}) < len(self.keys):
            raise InvalidInput("expectation.keys", self.id, "at most one key for each pass")


@dataclass(frozen=True, slots=True)
class Piece:
    """A booked bank line, or one transaction in it, that nothing explains yet.

    Attributes:
        id: unique among all pieces of a run.
        on: the value date, which is compared with the day for which money is expected.
        batch_count: how many orders the bank says that it booked in this amount.
        text: name of the other side and free text, for likeness.
    """

    id: str
    account: str
    minor: int
    currency: str
    on: date
    keys: tuple[Key, ...] = ()
    batch_count: int | None = None
    text: str = ""

    @property
    def is_credit(self) -> bool:
        """Whether money came."""
        return self.minor > 0
