"""Merkle trees: the answers published with Certificate Transparency, and a recursive oracle."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvariantBroken
from domain.ledger.merkle import (
    EMPTY_ROOT,
    PATH_MOST,
    SIZE_MOST,
    Frontier,
    Tree,
    consistency_ranges,
    hashes_of,
    inclusion_ranges,
    leaf_hash,
    nodes_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots over the first 0 to 8 leaves, from the tests of the reference implementation."""
A96, B5F = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
)
C6B, DBC = (
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
)
ECA, F0E = (
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
INCLUSION = {
    (0, 1): [],
    (0, 8): [A96, B5F, C6B],
    (5, 8): [DBC, ECA, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], B5F, DBC],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [A96, B5F, C6B],
    (6, 8): [F0E, ECA, ROOTS[4]],
    (2, 5): [B5F, DBC],
}
MANY = [bytes([number]) * 3 for number in range(70)]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 6962, 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def path_of(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The definition of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path_of(m, leaves[:k]), root_of(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), root_of(leaves[:k])]


def proof_of(m: int, leaves: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    """The definition of RFC 6962, 2.1.2."""
    if m == len(leaves):
        return [] if known else [root_of(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*proof_of(m, leaves[:k], known=known), root_of(leaves[k:])]
    return [*proof_of(m - k, leaves[k:], known=False), root_of(leaves[:k])]


def split(size: int) -> int:
    """The greatest power of two below a size, by counting up."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def grown(leaves: Sequence[bytes], ranges: Sequence[tuple[int, int]] = ()) -> Tree:
    """A tree over leaves that keeps what the ranges of a proof need."""
    tree = Tree(wanted=[node for part in ranges for node in nodes_of(part)])
    for leaf in leaves:
        tree.add(leaf_hash(leaf))
    return tree


def hexed(hashes: Sequence[bytes]) -> list[str]:
    return [value.hex() for value in hashes]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    """What any other program computes over these leaves is what ours computes."""
    assert grown(LEAVES[:size]).root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(index: int, size: int) -> None:
    """The published paths are what we produce and what we accept."""
    ranges = inclusion_ranges(index, size)
    path = hashes_of(ranges, grown(LEAVES[:size], ranges).found)
    assert hexed(path) == INCLUSION[index, size]
    assert verify_inclusion(leaf_hash(LEAVES[index]), index, size, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("earlier", "later"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(earlier: int, later: int) -> None:
    """The published proofs are what we produce and what we accept."""
    ranges = consistency_ranges(earlier, later)
    path = hashes_of(ranges, grown(LEAVES[:later], ranges).found)
    assert hexed(path) == CONSISTENCY[earlier, later]
    roots = bytes.fromhex(ROOTS[earlier]), bytes.fromhex(ROOTS[later])
    assert verify_consistency(earlier, later, *roots, path)


@given(st.lists(st.binary(max_size=40), max_size=70), st.data())
def test_roots_and_paths_are_those_of_the_definition(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """Over any leaves, growing gives what the recursive definition gives."""
    assert grown(leaves).root() == root_of(leaves)
    if leaves:
        index = data.draw(st.integers(0, len(leaves) - 1))
        ranges = inclusion_ranges(index, len(leaves))
        found = hashes_of(ranges, grown(leaves, ranges).found)
        assert list(found) == path_of(index, leaves)
        earlier = data.draw(st.integers(1, len(leaves)))
        ranges = consistency_ranges(earlier, len(leaves))
        found = hashes_of(ranges, grown(leaves, ranges).found)
        assert list(found) == proof_of(earlier, leaves)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_path_proves_its_leaf_and_no_other(size: int) -> None:
    """A path is accepted at its own index, for its own leaf, tree and root only."""
    root, leaves = root_of(MANY[:size]), MANY[:size]
    for index in range(size):
        path, leaf = path_of(index, leaves), leaf_hash(leaves[index])
        assert verify_inclusion(leaf, index, size, path, root)
        accepted = [at for at in range(size + 1) if verify_inclusion(leaf, at, size, path, root)]
        assert accepted == [index]
        assert not verify_inclusion(leaf_hash(b"another"), index, size, path, root)
        assert not verify_inclusion(leaf, index, size, path, leaf) or size == 1
        assert not verify_inclusion(leaf, index, size, [*path, root], root)
        assert not verify_inclusion(leaf, index, size, path[:-1], root) or size == 1
        assert [verify_inclusion(leaf, index, size, other, root) for other in altered(path)] == [
            False
        ] * len(path)


@pytest.mark.parametrize("later", range(1, 34))
def test_every_consistency_proof_proves_its_two_trees_and_no_others(later: int) -> None:
    """A proof is accepted for its own two sizes and roots only."""
    new = root_of(MANY[:later])
    for earlier in range(1, later + 1):
        old, path = root_of(MANY[:earlier]), proof_of(earlier, MANY[:later])
        assert verify_consistency(earlier, later, old, new, path)
        assert not verify_consistency(earlier, later, leaf_hash(b"x"), new, path)
        assert not verify_consistency(earlier, later, old, leaf_hash(b"x"), path)
        assert not verify_consistency(earlier, later, old, new, [*path, new])
        assert not verify_consistency(earlier, later, old, new, path[:-1]) or not path
        refused = [verify_consistency(earlier, later, old, new, other) for other in altered(path)]
        assert refused == [False] * len(path)


def altered(path: Sequence[bytes]) -> list[list[bytes]]:
    """The path with one bit of one hash changed, once for each hash."""
    return [
        [*path[:at], bytes([value[0] ^ 1, *value[1:]]), *path[at + 1 :]]
        for at, value in enumerate(path)
    ]


@given(st.integers(0, 70), st.integers(0, 70))
def test_a_tree_goes_on_from_its_frontier(first: int, second: int) -> None:
    """What was kept of a tree lets it grow as if nothing had been left out, in few hashes."""
    cut = min(first, second)
    frontier = grown(MANY[:cut]).frontier()
    assert len(frontier.peaks) == cut.bit_count()
    assert frontier.root() == root_of(MANY[:cut])
    tree = Tree(frontier)
    for leaf in MANY[cut : max(first, second)]:
        tree.add(leaf_hash(leaf))
    assert tree.root() == root_of(MANY[: max(first, second)])


@pytest.mark.parametrize(
    ("size", "peaks"), [(1, ()), (0, (EMPTY_ROOT,)), (3, (EMPTY_ROOT,)), (1, (b"short",)), (-1, ())]
)
def test_a_frontier_that_cannot_be_one_is_refused(size: int, peaks: tuple[bytes, ...]) -> None:
    """Its hashes are as many as the bits of its size, and each has 32 bytes."""
    with pytest.raises(InvariantBroken, match="cannot be those of"):
        Frontier(size, peaks)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_a_leaf_that_is_not_there_has_no_path(index: int, size: int) -> None:
    """Asking for it is a mistake of ours."""
    with pytest.raises(InvariantBroken, match="has no leaf"):
        inclusion_ranges(index, size)


@pytest.mark.parametrize(("earlier", "later"), [(0, 3), (4, 3), (-1, 3)])
def test_a_tree_that_is_no_beginning_has_no_proof(earlier: int, later: int) -> None:
    """Asking for it is a mistake of ours."""
    with pytest.raises(InvariantBroken, match="is no beginning"):
        consistency_ranges(earlier, later)


HOSTILE_PATHS: dict[str, tuple[int, int, list[bytes]]] = {
    "a negative index": (-1, 8, [EMPTY_ROOT] * 3),
    "an index behind the end": (8, 8, [EMPTY_ROOT] * 3),
    "a tree without leaves": (0, 0, []),
    "a negative size": (0, -8, [EMPTY_ROOT] * 3),
    "a size beyond all journals": (0, SIZE_MOST + 1, [EMPTY_ROOT] * 63),
    "too many hashes": (0, 8, [EMPTY_ROOT] * (PATH_MOST + 1)),
    "a short hash": (0, 2, [b"short"]),
    "a long hash": (0, 2, [EMPTY_ROOT + b"x"]),
}


@pytest.mark.parametrize("name", HOSTILE_PATHS)
def test_hostile_inclusion_proofs_prove_nothing(name: str) -> None:
    """Whatever a file holds, the answer is no and comes at once."""
    index, size, path = HOSTILE_PATHS[name]
    root = bytes.fromhex(ROOTS[8])
    assert not verify_inclusion(leaf_hash(LEAVES[0]), index, size, path, root)


HOSTILE_PROOFS: dict[str, tuple[int, int, list[bytes]]] = {
    "a negative size": (-1, 8, [EMPTY_ROOT]),
    "an empty tree": (0, 8, []),
    "a larger earlier tree": (9, 8, [EMPTY_ROOT]),
    "a size beyond all journals": (1, SIZE_MOST + 1, [EMPTY_ROOT] * 63),
    "too many hashes": (6, 8, [EMPTY_ROOT] * (PATH_MOST + 2)),
    "no hashes": (6, 8, []),
    "hashes where none are needed": (8, 8, [EMPTY_ROOT]),
    "a short hash": (6, 8, [b"short"]),
}


@pytest.mark.parametrize("name", HOSTILE_PROOFS)
def test_hostile_consistency_proofs_prove_nothing(name: str) -> None:
    """Whatever a file holds, the answer is no and comes at once."""
    earlier, later, path = HOSTILE_PROOFS[name]
    root = bytes.fromhex(ROOTS[8])
    assert not verify_consistency(earlier, later, root, root, path)


def test_a_tree_of_one_root_is_its_own_beginning_with_that_root_only() -> None:
    """Two trees of one size are the same or no proof helps."""
    one, other = bytes.fromhex(ROOTS[8]), bytes.fromhex(ROOTS[7])
    assert verify_consistency(8, 8, one, one, [])
    assert not verify_consistency(8, 8, one, other, [])
