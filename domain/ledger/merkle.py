"""Merkle trees as RFC 6962 defines them: hashes, roots, inclusion and consistency proofs.

Hashes are SHA-256, 32 bytes. Leaves count from 0, sizes from 1. A tree is never in memory: what a
root needs of any number of leaves is one hash for each bit of that number (`Frontier`), and a proof
is planned first (`inclusion_ranges`, `consistency_ranges`), then read off while leaves pass by.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.errors import InvariantBroken

HASH_BYTES = 32
SIZE_MOST = 2**63 - 1
"""Most leaves of a tree: what a number of the journal can be."""
PATH_MOST = 64
"""Most hashes of an inclusion proof; a consistency proof has one more at most."""
_LEAF, _NODE = b"\x00", b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

Range = tuple[int, int]
"""Leaves from the first, up to and without the second."""
Node = tuple[int, int]
"""A whole subtree: its level (0 is a leaf) and its place among those of its level, from 0."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf; its prefix keeps it apart from every node."""
    return hashlib.sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return hashlib.sha256(_NODE + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What of a tree of `size` leaves is needed to let it grow: its whole subtrees, largest first.

    Raises:
        InvariantBroken: the number of hashes is not that of the bits of `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(peak) for peak in self.peaks} | {HASH_BYTES}
        if self.size < 0 or len(self.peaks) != self.size.bit_count() or lengths != {HASH_BYTES}:
            raise InvariantBroken(f"{len(self.peaks)} hashes cannot be those of {self.size} leaves")

    def root(self) -> bytes:
        """The root of the tree."""
        return folded(self.peaks)


def folded(peaks: Sequence[bytes]) -> bytes:
    """The root over whole subtrees that stand beside each other, largest first."""
    if not peaks:
        return EMPTY_ROOT
    *others, root = peaks
    for peak in reversed(others):
        root = node_hash(peak, root)
    return root


class Tree:
    """A tree that grows leaf by leaf, and remembers the hashes of the nodes that are wanted.

    Args:
        frontier: where it goes on.
        wanted: nodes whose hashes are kept in `found` when they are complete.
    """

    __slots__ = ("_peaks", "_wanted", "found", "size")

    def __init__(self, frontier: Frontier | None = None, wanted: Iterable[Node] = ()) -> None:
        start = frontier or Frontier()
        self.size = start.size
        self.found: dict[Node, bytes] = {}
        self._peaks = list(start.peaks)
        self._wanted = frozenset(wanted)

    def add(self, leaf: bytes) -> None:
        """Append a leaf, given by its hash."""
        index, level, merged = self.size, 0, leaf
        self._keep(0, index, merged)
        while index & 1:
            index, level = index >> 1, level + 1
            merged = node_hash(self._peaks.pop(), merged)
            self._keep(level, index, merged)
        self._peaks.append(merged)
        self.size += 1

    def frontier(self) -> Frontier:
        """What is needed to let it grow later on."""
        return Frontier(self.size, tuple(self._peaks))

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return folded(self._peaks)

    def _keep(self, level: int, index: int, value: bytes) -> None:
        if (level, index) in self._wanted:
            self.found[level, index] = value


def nodes_of(part: Range) -> tuple[Node, ...]:
    """The whole subtrees that a range of a proof consists of, largest first."""
    first, last = part
    found: list[Node] = []
    while first < last:
        level = (last - first).bit_length() - 1
        found.append((level, first >> level))
        first += 1 << level
    return tuple(found)


def hashes_of(ranges: Iterable[Range], found: Mapping[Node, bytes]) -> tuple[bytes, ...]:
    """The hashes of a proof: the root of each of its ranges, from the nodes that were found."""
    return tuple(folded([found[node] for node in nodes_of(part)]) for part in ranges)


def inclusion_ranges(index: int, size: int) -> tuple[Range, ...]:
    """The ranges whose roots prove that leaf `index` is in a tree of `size`, the lowest first.

    Raises:
        InvariantBroken: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise InvariantBroken(f"a tree of {size} leaves has no leaf {index}")
    first, last, found = 0, size, list[Range]()
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            found.append((middle, last))
            last = middle
        else:
            found.append((first, middle))
            first = middle
    return tuple(reversed(found))


def consistency_ranges(earlier: int, later: int) -> tuple[Range, ...]:
    """The ranges whose roots prove that a tree of `earlier` leaves is the beginning of `later`.

    Raises:
        InvariantBroken: the earlier tree is empty or the larger one.
    """
    if not 0 < earlier <= later:
        raise InvariantBroken(f"a tree of {earlier} leaves is no beginning of one of {later}")
    first, last, found = 0, later, list[Range]()
    while last != earlier:
        middle = first + _split(last - first)
        if earlier <= middle:
            found.append((middle, last))
            last = middle
        else:
            found.append((first, middle))
            first = middle
    if first:
        found.append((first, last))
    return tuple(reversed(found))


def _split(size: int) -> int:
    """The greatest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether a path proves that the leaf of hash `leaf` stands at `index` of a tree.

    The algorithm is that of RFC 9162, 2.1.3.2. Nothing of the arguments is trusted.
    """
    if not 0 <= index < size <= SIZE_MOST or len(path) > PATH_MOST or not _are_hashes(path):
        return False
    at, last, found = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(beside, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    earlier: int, later: int, earlier_root: bytes, later_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a path proves that a tree is the beginning of a larger one, or the same.

    The algorithm is that of RFC 9162, 2.1.4.2. Nothing of the arguments is trusted. An empty tree
    is the beginning of every other and needs no proof; asking for one is answered with False.
    """
    if not 0 < earlier <= later <= SIZE_MOST or len(path) > PATH_MOST + 1 or not _are_hashes(path):
        return False
    if earlier == later:
        return not path and earlier_root == later_root
    if not path:
        return False
    hashes = iter(path)
    whole = earlier.bit_count() == 1
    start = earlier_root if whole else next(hashes)
    return (earlier_root, later_root) == _roots(earlier - 1, later - 1, start, hashes)


def _roots(at: int, last: int, start: bytes, path: Iterator[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees that a path leads to; None where its length is wrong."""
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = start
    for beside in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = node_hash(beside, old), node_hash(beside, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, beside)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def _are_hashes(path: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in path)
