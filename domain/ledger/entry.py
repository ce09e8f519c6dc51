"""A balanced entry: two or more postings that sum to zero per currency, or it is refused."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from domain.errors import InvariantBroken

POSTINGS_LEAST = 2


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry: debit positive, credit negative, minor units.

    The item fields say what it is for: loan, installment number, component, receipt, the attempt's
    order number, the bank statement line.
    """

    account: str
    minor: int
    currency: str
    loan: str | None = None
    number: int | None = None
    component: str | None = None
    receipt: str | None = None
    order_no: str | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPosting(Posting):
    """A posting as read back, with the entry that holds it."""

    seq: int
    event: str
    at: datetime
    value_on: date


@dataclass(frozen=True, slots=True)
class Entry:
    """A business event in the books. `value_on` is the day on which it counts.

    Raises:
        InvariantBroken: fewer than two postings, a zero posting, or a currency that does not sum
            to zero.
    """

    event: str
    value_on: date
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        if len(self.postings) < POSTINGS_LEAST:
            raise InvariantBroken(f"entry {self.event} has fewer than two postings")
        sums: defaultdict[str, int] = defaultdict(int)
        for posting in self.postings:
            if posting.minor == 0:
                raise InvariantBroken(f"entry {self.event} posts nothing to {posting.account}")
            sums[posting.currency] += posting.minor
        off = {currency: minor for currency, minor in sums.items() if minor}
        if off:
            raise InvariantBroken(f"entry {self.event} does not balance: {off}")
