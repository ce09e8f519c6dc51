"""Adds up the journal once, by every key that a check asks for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.ledger.entry import JournalPosting

Item = tuple[str, int]
"""Loan id and installment number."""

_CASH = frozenset({"clearing", "bank", "rail_fees"})
_BY_RECEIPT = frozenset({"clearing", "suspense", "advance", "held_by"})
_BY_PART = frozenset({"owed", "forgiven", "written_off", "subrogated"})


def _sums() -> defaultdict[tuple[str, str], int]:
    return defaultdict(int)


@dataclass(slots=True)
class Line:
    """A bank line as posted: its account, currency and signed amount."""

    account: str
    currency: str
    minor: int = 0


@dataclass(slots=True)
class Tally:
    """Sums over all postings, debit positive, minor units.

    `by_receipt` and `by_part` are keyed by kind of account first: ("clearing", receipt id),
    ("owed", loan/number/component). `entries` is keyed by (journal number, currency), `cash` by
    order number, `payable` by loan, `paid_by` by installment and then receipt. `owed_moves` lists
    every posting to an installment's owed accounts with its instant, `paid_at` is the last one that
    money made. `orders_of` gives the order number of a receipt, `lines` every bank line by its id,
    `waiting_lines` what still waits on a line. `suspense` is what waits in all, by currency, credit
    positive.
    """

    entries: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_receipt: dict[tuple[str, str], int] = field(default_factory=_sums)
    by_part: dict[tuple[str, str], int] = field(default_factory=_sums)
    payable: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    payable_by_item: dict[Item, dict[tuple[str, str], int]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """By component and party: below zero while it is due."""
    proofs: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """By receipt: what each bank line proves of it, money in less money back."""
    cash: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    paid_by: dict[Item, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    paid_at: dict[Item, datetime] = field(default_factory=dict)
    owed_moves: dict[Item, list[tuple[datetime, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    orders_of: dict[str, str] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    waiting_lines: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    suspense: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def owed(self, item: Item) -> int:
        """What an installment owes now, by the journal."""
        return sum(minor for _, minor in self.owed_moves.get(item, ()))

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
        sums.entries[(posting.seq, posting.currency)] += posting.minor
        sums.totals[posting.currency] += posting.minor
        if kind in _BY_RECEIPT and posting.receipt is not None:
            sums.by_receipt[(kind, posting.receipt)] += posting.minor
        if kind in _BY_PART:
            part = f"{posting.loan}/{posting.number}/{posting.component}"
            sums.by_part[(kind, part)] += posting.minor
        if kind == "suspense":
            sums.suspense[posting.currency] -= posting.minor
        if kind == "payable" and posting.loan is not None:
            sums.payable[posting.loan] += posting.minor
            party = posting.account.partition("/")[2]
            shares = sums.payable_by_item[posting.loan, posting.number or 0]
            share = (posting.component or "", party)
            shares[share] = shares.get(share, 0) + posting.minor
        if kind == "clearing" and posting.receipt is not None and posting.line is not None:
            proofs = sums.proofs[posting.receipt]
            proofs[posting.line] = proofs.get(posting.line, 0) - posting.minor
        if posting.order_no is not None and (kind in _CASH or _is_of_line(kind, posting)):
            sums.cash[posting.order_no] += posting.minor
        if posting.receipt is not None and posting.order_no is not None:
            sums.orders_of[posting.receipt] = posting.order_no
        if posting.line is not None:
            _add_line(sums, kind, posting, posting.line)
        if kind == "owed" and posting.loan is not None and posting.number is not None:
            _add_owed(sums, (posting.loan, posting.number), posting)
    return sums


def _is_of_line(kind: str, posting: JournalPosting) -> bool:
    """Whether it moves what waits on a line: cash that was booked before it was identified."""
    return kind == "suspense" and posting.receipt is None


def _add_line(sums: Tally, kind: str, posting: JournalPosting, line: str) -> None:
    if kind == "bank":
        account = posting.account.partition("/")[2]
        known = sums.lines.setdefault(line, Line(account, posting.currency))
        known.minor += posting.minor
    if _is_of_line(kind, posting):
        sums.waiting_lines[line] += posting.minor


def _add_owed(sums: Tally, item: Item, posting: JournalPosting) -> None:
    sums.owed_moves[item].append((posting.at, posting.minor))
    if posting.receipt is not None:
        paid = sums.paid_by[item]
        paid[posting.receipt] = paid.get(posting.receipt, 0) - posting.minor
        sums.paid_at[item] = max(posting.at, sums.paid_at.get(item, posting.at))
