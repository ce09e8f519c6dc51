"""Follows one payment through the books: where its money lay, whose it was, and for how long.

The postings about a payment tell it in two rows of accounts. Those of cash say where the money lay:
reported by a rail, then on a bank account. The others that hold money say for whom it lay there:
waiting, due to a party, held by a party. Money leaves an account in
the order in which it came (first in, first out: FIFO).
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

from domain.errors import InvariantBroken
from domain.ledger.accounts import CASH, PLACED, SIDES, Side, family
from domain.ledger.entry import JournalPosting


@dataclass(frozen=True, slots=True)
class Mark:
    """The entry by which money came or left: its number, its event, and the day it was posted."""

    seq: int
    event: str
    on: date


@dataclass(frozen=True, slots=True)
class Stay:
    """Money on one account at one place, from one entry to another. Minor units, never zero.

    Negative minor units mean that more had left than had come: a return that was reported before
    the money itself. `left` is None while it lies there. `line` is the bank line that brought it.
    """

    account: str
    place: str
    minor: int
    came: Mark
    left: Mark | None = None
    line: str | None = None

    @property
    def is_cash(self) -> bool:
        """Whether the account says where the money lies, not for whom."""
        return family(self.account) in CASH

    def dwell_days(self, as_of: date) -> int:
        """Days from its coming to its leaving, or to a day while it lies there."""
        return ((self.left.on if self.left else max(as_of, self.came.on)) - self.came.on).days


@dataclass(frozen=True, slots=True)
class Hop:
    """Cash that one entry moved; None stands for the payer, or for whoever got it in the end."""

    mark: Mark
    minor: int
    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class Paid:
    """What the payment took off one component of a debt, less what returns put back."""

    loan: str
    number: int
    component: str
    minor: int


@dataclass(frozen=True, slots=True)
class Flow:
    """The way of one payment in one currency, in the order of the journal."""

    payment: str
    currency: str
    stays: tuple[Stay, ...]
    hops: tuple[Hop, ...]
    paid: tuple[Paid, ...]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts on which its cash lay, each once, in the order in which it got there."""
        return tuple(dict.fromkeys(stay.account for stay in self.stays if stay.is_cash))

    @property
    def open(self) -> tuple[Stay, ...]:
        """What lies somewhere now."""
        return tuple(stay for stay in self.stays if stay.left is None)


def flows(postings: Iterable[JournalPosting]) -> tuple[Flow, ...]:
    """The flow of each payment and currency that postings are about, in order of the payments' ids.

    Postings that are about no payment are left out. They come in the order of the journal.
    """
    parts: defaultdict[tuple[str, str], list[JournalPosting]] = defaultdict(list)
    for posting in postings:
        if posting.payment is not None:
            parts[posting.payment, posting.currency].append(posting)
    return tuple(_flow(*key, parts[key]) for key in sorted(parts))


@dataclass(slots=True)
class _Book:
    """The stays so far: those that have ended, and what still lies on each account and place."""

    ended: list[Stay] = field(default_factory=list)
    lying: defaultdict[tuple[str, str], deque[Stay]] = field(
        default_factory=lambda: defaultdict(deque)
    )

    def move(self, account: str, place: str, minor: int, mark: Mark, line: str | None) -> None:
        """Add money to an account, or take it from what came there first."""
        lots = self.lying[account, place]
        while minor and lots and (lots[0].minor > 0) != (minor > 0):
            first = lots.popleft()
            gone = min(abs(first.minor), abs(minor)) * (1 if first.minor > 0 else -1)
            minor += gone
            self.ended.append(replace(first, minor=gone, left=mark))
            if rest := first.minor - gone:
                lots.appendleft(replace(first, minor=rest))
        if minor:
            lots.append(Stay(account, place, minor, mark, line=line))

    def stays(self) -> tuple[Stay, ...]:
        """All of them, in the order in which the money came."""
        every = [*self.ended, *(stay for lots in self.lying.values() for stay in lots)]
        return tuple(sorted(every, key=_order))


def _order(stay: Stay) -> tuple[int, bool, int, str, str]:
    return (
        stay.came.seq,
        not stay.is_cash,
        stay.left.seq if stay.left else 2**63,
        stay.account,
        stay.place,
    )


def _flow(payment: str, currency: str, postings: list[JournalPosting]) -> Flow:
    book, hops = _Book(), list[Hop]()
    paid: defaultdict[tuple[str, int, str], int] = defaultdict(int)
    for seq, of_entry in groupby(postings, key=lambda posting: posting.seq):
        entry = list(of_entry)
        mark = Mark(seq, entry[0].event, entry[0].posted_on)
        lines = {posting.line for posting in entry if posting.line is not None}
        line = lines.pop() if len(lines) == 1 else None
        for (account, place), minor in _net(entry).items():
            book.move(account, place, minor, mark, line)
        hops.extend(_hops(mark, entry))
        for posting in entry:
            if family(posting.account) in _DEBTS and posting.loan is not None:
                key = (posting.loan, posting.number or 0, posting.component or "")
                paid[key] -= posting.minor
    settled = tuple(Paid(*key, minor) for key, minor in sorted(paid.items()) if minor)
    return Flow(payment, currency, book.stays(), tuple(hops), settled)


_DEBTS = frozenset({"owed", "written_off", "subrogated"})
"""Families of accounts that a payment takes a debt from."""


def _net(entry: list[JournalPosting]) -> dict[tuple[str, str], int]:
    """What an entry adds to each account that holds money, on the side where its balance stands."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for posting in entry:
        kind = family(posting.account)
        if kind in PLACED:
            if posting.place is None:
                raise InvariantBroken(f"entry {posting.seq} posts to {posting.account} at no place")
            is_credit = SIDES[kind] is Side.CREDIT
            sums[posting.account, posting.place] += -posting.minor if is_credit else posting.minor
    return {key: minor for key, minor in sums.items() if minor}


def _hops(mark: Mark, entry: list[JournalPosting]) -> Iterator[Hop]:
    """What an entry moves between accounts of cash, and from and to those outside."""
    moved: defaultdict[str, int] = defaultdict(int)
    for posting in entry:
        if family(posting.account) in CASH:
            moved[posting.account] += posting.minor
    sources = deque((account, -minor) for account, minor in moved.items() if minor < 0)
    targets = deque((account, minor) for account, minor in moved.items() if minor > 0)
    while sources or targets:
        source, out = sources.popleft() if sources else (None, targets[0][1])
        target, into = targets.popleft() if targets else (None, out)
        minor = min(out, into)
        yield Hop(mark, minor, source, target)
        if source is not None and out > minor:
            sources.appendleft((source, out - minor))
        if target is not None and into > minor:
            targets.appendleft((target, into - minor))
