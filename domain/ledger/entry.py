"""A balanced entry: postings that sum to zero per currency and per place, or it is refused."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from domain.errors import InvariantBroken
from domain.kernel.canonical import ADDED_LATER
from domain.ledger.accounts import PLACED, family

POSTINGS_LEAST = 2


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry: debit positive, credit negative, minor units.

    The item fields say what it is for: loan, installment number, component, payment, the attempt's
    order number, the bank statement line, the party, the payout. `place` says where the money lies,
    on accounts that hold money (`accounts.PLACED`), and is None on all others.
    """

    account: str
    minor: int
    currency: str
    loan: str | None = None
    number: int | None = None
    component: str | None = None
    payment: str | None = None
    order_no: str | None = None
    line: str | None = None
    party: str | None = None
    place: str | None = None
    payout: str | None = field(default=None, metadata=ADDED_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPosting(Posting):
    """A posting as read back, with the entry that holds it."""

    seq: int
    event: str
    at: datetime
    posted_on: date
    value_on: date
    ledger: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A business event in the books. `value_on` is the day on which it counts.

    Raises:
        InvariantBroken: fewer than two postings, a zero posting, money without a place or a place
            without money, or a currency that does not sum to zero, as a whole or at one place.
    """

    event: str
    value_on: date
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        for fault in entry_faults(self.postings):
            raise InvariantBroken(f"entry {self.event} {fault}")


def entry_faults(postings: Sequence[Posting]) -> Iterator[str]:
    """What is wrong with the postings of an entry, in words that follow its name."""
    if len(postings) < POSTINGS_LEAST:
        yield "has fewer than two postings"
    sums: defaultdict[tuple[str, str | None], int] = defaultdict(int)
    for posting in postings:
        if posting.minor == 0:
            yield f"posts nothing to {posting.account}"
        if (family(posting.account) in PLACED) != (posting.place is not None):
            yield f"posts to {posting.account} at place {posting.place}"
        sums[posting.currency, posting.place] += posting.minor
    for (currency, place), minor in sums.items():
        if minor:
            where = f" at {place}" if place else ""
            yield f"does not balance: {minor} {currency}{where}"
