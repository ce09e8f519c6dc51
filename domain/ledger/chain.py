"""The journal's hash chain: items numbered without gaps, each hashed with the hash before it.

Commands, transitions and entries share one sequence: a command stands first, then what it moved and
what it posted. A hash is SHA-256 over the canonical encoding (field names and lengths included) of
the previous hash and the item, so a flipped byte, a removed, added or swapped row is found by
anyone who recomputes it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import assert_never

from domain.kernel.canonical import canonical
from domain.kernel.subject import Subject
from domain.ledger.entry import Posting, entry_faults
from domain.ledger.merkle import Tree, leaf_hash

LEDGER = "main"
"""The ledger that entries belong to: each has a chain of its own, and there is one so far."""
GENESIS = "0" * 64
"""The hash before the first item."""
FAULTS_KEPT = 50
"""Most faults that one verification keeps; the first ones say where to look."""


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry as it stands in the journal, not yet trusted: it may have been tampered with."""

    ledger: str
    event: str
    value_on: date
    postings: tuple[Posting, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A transition as it stands in the journal."""

    subject: Subject
    loan_id: str
    source: str
    target: str
    event: str
    order_no: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command as it stands in the command log, with the answer that it was given.

    `identity` is the digest of its business content. With the actor and reason of the `ChainItem`
    and the approver it makes the record of the command: who asked for what, why, and who agreed.
    `dedup_key` is that of evidence (`Command.dedup_key`), None for orders. `rule` is set when the
    command was refused; `answer` is then the refusal in words.
    """

    kind: str
    identity: str
    dedup_key: str | None
    approver: str | None
    rule: str | None
    answer: str
    subject: Subject | None
    loan_id: str


@dataclass(frozen=True, slots=True)
class ChainItem:
    """One numbered item: what the books stamped on it, and the command, move or entry itself."""

    seq: int
    command_id: str
    actor_kind: str
    actor_id: str
    reason: str
    product: str
    at: datetime
    posted_on: date
    what: Booked | Moved | Commanded


def next_hash(prev: str, item: ChainItem) -> str:
    """The hash that follows `prev` (64 hexadecimal characters) when `item` is appended."""
    return hash_after(prev, canonical(item))


def hash_after(prev: str, content: bytes) -> str:
    """The hash that follows `prev` for an item by its canonical bytes."""
    return hashlib.sha256(canonical(prev) + content).hexdigest()


def leaf_of(chained: str) -> bytes:
    """The hash of the leaf that an item is in the Merkle tree of its ledger.

    The data of the leaf are the 32 bytes of the chain's hash, which stands for the item and for
    everything before it. So the hashes in a proof tell nobody what its neighbours hold.
    """
    return leaf_hash(bytes.fromhex(chained))


@dataclass(frozen=True, slots=True)
class KnownHead:
    """What a checkpoint says that the journal was at one size; `source` names the checkpoint."""

    size: int
    root: bytes
    head: str
    source: str


@dataclass(slots=True)
class Verification:
    """What recomputing the journal found so far; `totals` are sums of postings by currency.

    `faults` are the first `FAULTS_KEPT`, `faults_found` is the number of all. Checkpoints are
    compared where the journal reaches their size (`expect`); `agreed` is the size of the last one
    that the journal agrees with, `compared` the number of all.
    """

    head: str = GENESIS
    seq: int = 0
    commands: int = 0
    entries: int = 0
    postings: int = 0
    transitions: int = 0
    posted_on: date | None = None
    faults: list[str] = field(default_factory=list)
    faults_found: int = 0
    totals: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    tree: Tree = field(default_factory=Tree)
    agreed: int = 0
    compared: int = 0
    disagreed: list[KnownHead] = field(default_factory=list)
    _expected: defaultdict[int, list[KnownHead]] = field(default_factory=lambda: defaultdict(list))

    @property
    def items(self) -> int:
        """How many items were seen."""
        return self.commands + self.entries + self.transitions

    def fault(self, text: str) -> None:
        """Count a fault, and keep it up to `FAULTS_KEPT`."""
        self.faults_found += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(text)

    def expect(self, known: KnownHead) -> None:
        """Compare the journal with a checkpoint when it gets there; to be said before that."""
        self._expected[known.size].append(known)

    def take(self, item: ChainItem, stored: str) -> None:
        """Check one item, in order of the journal, against the hash stored beside it."""
        if item.seq != self.seq + 1:
            self.fault(f"item {item.seq} follows item {self.seq}")
        expected = next_hash(self.head, item)
        if stored != expected:
            self.fault(f"{_name(item)} is not what was hashed")
        if self.posted_on is not None and item.posted_on < self.posted_on:
            self.fault(f"{_name(item)} is posted on {item.posted_on}, after {self.posted_on}")
        self.posted_on = item.posted_on
        # The stored hash is followed, so that one altered row is one fault and not all after it.
        self.head, self.seq = stored, item.seq
        self.tree.add(leaf_of(expected))
        for known in self._expected.pop(self.tree.size, ()):
            self._compare(known)
        match item.what:
            case Commanded():
                self.commands += 1
            case Moved():
                self.transitions += 1
            case Booked():
                self.entries += 1
                self._sum(item.seq, item.what)
            case _:
                assert_never(item.what)

    def close(self, seq: int, head: str) -> None:
        """Compare the end with the chain's head row, and the sum of everything with zero.

        Checkpoints of more items than there are say that some were removed.
        """
        for size in sorted(self._expected):
            for known in self._expected[size]:
                self._disagree(known, f"it covers {size} items, the journal has {self.tree.size}")
        self._expected.clear()
        if (seq, head) != (self.seq, self.head):
            self.fault(f"the journal ends at item {self.seq}, its head says {seq}")
        for currency, minor in self.totals.items():
            if minor:
                self.fault(f"all postings in {currency} sum to {minor}")

    def _compare(self, known: KnownHead) -> None:
        if (known.head, known.root) == (self.head, self.tree.root()):
            self.compared += 1
            self.agreed = known.size
            return
        what = "root" if known.head == self.head else "hash"
        self._disagree(known, f"the journal has another {what} there")

    def _disagree(self, known: KnownHead, why: str) -> None:
        self.compared += 1
        self.disagreed.append(known)
        first = self.agreed + 1
        which = f"items {first} to {known.size} are" if first < known.size else f"item {first} is"
        self.fault(f"{which} not what {known.source} covers: {why}")

    def _sum(self, seq: int, entry: Booked) -> None:
        self.postings += len(entry.postings)
        for posting in entry.postings:
            self.totals[posting.currency] += posting.minor
        for fault in entry_faults(entry.postings):
            self.fault(f"entry {seq} {fault}")


def verify(
    items: Iterable[tuple[ChainItem, str]], *, seq: int, head: str, known: Iterable[KnownHead] = ()
) -> Verification:
    """Recompute a journal of (item, stored hash) against its head row and known checkpoints."""
    found = Verification()
    for one in known:
        found.expect(one)
    for item, stored in items:
        found.take(item, stored)
    found.close(seq, head)
    return found


def _name(item: ChainItem) -> str:
    """The item in words, for a fault."""
    match item.what:
        case Commanded(kind=kind):
            return f"item {item.seq} (command {kind} {item.command_id})"
        case Moved(subject=subject):
            return f"item {item.seq} (move of {subject})"
        case Booked(event=event):
            return f"item {item.seq} (entry {event} of command {item.command_id})"
        case _:
            assert_never(item.what)
