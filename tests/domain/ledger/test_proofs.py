"""Proofs for outsiders: accepted for what they are about, refused for everything else."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.kernel.canonical import canonical
from domain.ledger.chain import GENESIS, ChainItem, Commanded, hash_after, leaf_of, next_hash
from domain.ledger.checkpoint import TreeHead
from domain.ledger.merkle import (
    Range,
    Tree,
    consistency_ranges,
    hashes_of,
    inclusion_ranges,
    nodes_of,
)
from domain.ledger.proofs import (
    ConsistencyProof,
    InclusionProof,
    NotProven,
    prove_consistency,
    proven_item,
)

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
SIZE = 11


def item(seq: int) -> ChainItem:
    what = Commanded("roll_day", "d" * 64, None, None, None, "{}", None, "L1")
    return ChainItem(seq, f"c-{seq}", "test", "t", "why", "p@1", AT, date(2026, 3, 2), what)


HASHES = [GENESIS]
for number in range(1, SIZE + 1):
    HASHES.append(next_hash(HASHES[-1], item(number)))


def tree(size: int, ranges: tuple[Range, ...] = ()) -> Tree:
    made = Tree(wanted=[node for part in ranges for node in nodes_of(part)])
    for stored in HASHES[1 : size + 1]:
        made.add(leaf_of(stored))
    return made


def head(size: int) -> TreeHead:
    return TreeHead("acquit/b/main", size, tree(size).root(), HASHES[size], AT)


def proof(number: int, size: int = SIZE) -> InclusionProof:
    ranges = inclusion_ranges(number - 1, size)
    path = hashes_of(ranges, tree(size, ranges).found)
    return InclusionProof(number, canonical(item(number)), HASHES[number - 1], path)


def growth(earlier: int, later: int) -> ConsistencyProof:
    ranges = consistency_ranges(earlier, later)
    return ConsistencyProof(earlier, later, hashes_of(ranges, tree(later, ranges).found))


@pytest.mark.parametrize("number", range(1, SIZE + 1))
def test_a_proven_item_says_what_was_hashed(number: int) -> None:
    """The reader is shown the bytes that lead to the root, and nothing that stands beside them."""
    said = proven_item(proof(number), head(SIZE))
    assert (said["seq"], said["command_id"], said["reason"]) == (number, f"c-{number}", "why")
    assert said["at"] == AT
    assert said["what"]["kind"] == "roll_day"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"number": 5}, "lead from the item to the root"),
        ({"number": 0}, "from 1 to 11"),
        ({"number": -4}, "from 1 to 11"),
        ({"number": 12}, "from 1 to 11"),
        (
            {"content": canonical(replace(item(4), reason="other"))},
            "lead from the item to the root",
        ),
        ({"previous": HASHES[2]}, "lead from the item to the root"),
        ({"path": ()}, "lead from the item to the root"),
        ({"path": (b"x",) * 4}, "lead from the item to the root"),
        ({"path": proof(5).path}, "lead from the item to the root"),
    ],
)
def test_an_item_that_is_not_proven_is_refused(changed: dict[str, object], rule: str) -> None:
    """Another number, content, hash before it or path leads to another root."""
    with pytest.raises(NotProven, match=rule):
        proven_item(replace(proof(4), **changed), head(SIZE))  # type: ignore[arg-type]


def test_an_item_is_proven_under_its_own_checkpoint_only() -> None:
    """A proof is made for one size."""
    assert proven_item(proof(4, 7), head(7))
    with pytest.raises(NotProven, match="lead from the item to the root"):
        proven_item(proof(4, 7), head(SIZE))


@pytest.mark.parametrize("content", [canonical(item(9)), canonical("text"), canonical({"a": 1})])
def test_what_names_another_number_than_its_place_is_refused(content: bytes) -> None:
    """A ledger whose first leaf is something else was not written by these books."""
    made = Tree()
    made.add(leaf_of(hash_of(content)))
    only = TreeHead("acquit/b/main", 1, made.root(), hash_of(content), AT)
    with pytest.raises(NotProven, match=r"seq in its content: .* is refused: 1, as its place"):
        proven_item(InclusionProof(1, content, GENESIS, ()), only)


def hash_of(content: bytes) -> str:
    return hash_after(GENESIS, content)


@pytest.mark.parametrize("earlier", range(1, SIZE + 1))
def test_a_ledger_that_only_grew_is_proven(earlier: int) -> None:
    """From every size to the last one."""
    prove_consistency(growth(earlier, SIZE), head(earlier), head(SIZE))


@pytest.mark.parametrize(
    ("made", "earlier", "later", "rule"),
    [
        (growth(4, 9), head(4), replace(head(9), origin="acquit/c/main"), "of the same ledger"),
        (growth(4, 9), head(4), head(10), "as the checkpoints say"),
        (growth(4, 9), head(5), head(9), "as the checkpoints say"),
        (growth(4, 9), head(4), replace(head(9), root=head(8).root), "roots of both"),
        (growth(4, 9), replace(head(4), root=head(3).root), head(9), "roots of both"),
        (replace(growth(4, 9), path=()), head(4), head(9), "roots of both"),
        (ConsistencyProof(9, 4, growth(4, 9).path), head(9), head(4), "roots of both"),
    ],
)
def test_growth_that_is_not_proven_is_refused(
    made: ConsistencyProof, earlier: TreeHead, later: TreeHead, rule: str
) -> None:
    """Another ledger, size or root, or a path that leads elsewhere."""
    with pytest.raises(NotProven, match=rule):
        prove_consistency(made, earlier, later)
