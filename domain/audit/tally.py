"""Adds up the journal once, by every key that a comparison asks for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain.ledger.entry import JournalPosting

Item = tuple[str, int]
"""Loan id and installment number."""

_CASH = frozenset({"clearing", "bank", "rail_fees"})


@dataclass(slots=True)
class Line:
    """A bank line as posted: its account, currency and signed amount."""

    account: str
    currency: str
    minor: int = 0


@dataclass(slots=True)
class Tally:
    """Sums over all postings, debit positive, minor units.

    `cash` is by order number, `paid_by` by installment and then payment. `orders_of` gives the
    order number of a payment, `lines` every bank line by its id, `waiting_lines` what still waits
    on a line.
    """

    cash: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    paid_by: dict[Item, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    orders_of: dict[str, str] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    waiting_lines: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def lines_by_day(self) -> Mapping[str, dict[str, Line]]:
        """Lines by `account/booking date`: a line's id is that and its mark."""
        found: defaultdict[str, dict[str, Line]] = defaultdict(dict)
        for name, line in self.lines.items():
            found[name.rpartition("/")[0]][name] = line
        return found


def tally(postings: Iterable[JournalPosting]) -> Tally:
    """Add up the journal."""
    sums = Tally()
    for posting in postings:
        kind = posting.account.partition("/")[0]
        if posting.order_no is not None and (kind in _CASH or _is_of_line(kind, posting)):
            sums.cash[posting.order_no] += posting.minor
        if posting.payment is not None and posting.order_no is not None:
            sums.orders_of[posting.payment] = posting.order_no
        if posting.line is not None:
            _add_line(sums, kind, posting, posting.line)
        if kind == "owed" and posting.loan is not None and posting.number is not None:
            _add_paid(sums, (posting.loan, posting.number), posting)
    return sums


def _is_of_line(kind: str, posting: JournalPosting) -> bool:
    """Whether it moves what waits on a line: cash that was booked before it was identified."""
    return kind == "suspense" and posting.payment is None


def _add_line(sums: Tally, kind: str, posting: JournalPosting, line: str) -> None:
    if kind == "bank":
        account = posting.account.partition("/")[2]
        known = sums.lines.setdefault(line, Line(account, posting.currency))
        known.minor += posting.minor
    if _is_of_line(kind, posting):
        sums.waiting_lines[line] += posting.minor


def _add_paid(sums: Tally, item: Item, posting: JournalPosting) -> None:
    if posting.payment is not None:
        paid = sums.paid_by[item]
        paid[posting.payment] = paid.get(posting.payment, 0) - posting.minor
