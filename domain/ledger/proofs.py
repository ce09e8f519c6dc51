"""Proofs for outsiders: that an item stands in a ledger, and that a ledger only grew.

They need a checkpoint and nothing of the books.
"""

from dataclasses import dataclass
from typing import Any

from domain.errors import InvalidInput
from domain.kernel.canonical_reading import read_canonical
from domain.ledger.chain import hash_after, leaf_of
from domain.ledger.checkpoint import TreeHead
from domain.ledger.merkle import verify_consistency, verify_inclusion


class NotProven(InvalidInput):
    """Something is well-formed and does not prove what it must."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """One item of the journal, and what leads from it to the root of a checkpoint.

    Attributes:
        number: of the item, from 1.
        content: its canonical bytes; what it says can be read from them.
        previous: the chain's hash of the item before it, 64 hexadecimal characters.
        path: hashes of the Merkle tree, the lowest first.
    """

    number: int
    content: bytes
    previous: str
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """What leads from the root of an earlier tree to that of a later one."""

    earlier: int
    later: int
    path: tuple[bytes, ...]


def proven_item(proof: InclusionProof, head: TreeHead) -> dict[str, Any]:
    """What the item says, now that it is proven to stand in the ledger of a checkpoint.

    Raises:
        NotProven: it is not proven, or names another number than its place; says which rule.
    """
    field = f"item {proof.number}"
    if not 1 <= proof.number <= head.size:
        raise NotProven(field, proof.number, f"from 1 to {head.size}, as the checkpoint has")
    leaf = leaf_of(hash_after(proof.previous, proof.content))
    if not verify_inclusion(leaf, proof.number - 1, head.size, proof.path, head.root):
        rule = "hashes that lead from the item to the root of the checkpoint"
        raise NotProven(f"{field} path", f"{len(proof.path)} hashes", rule)
    said = read_canonical(proof.content)
    number = said.get("seq") if isinstance(said, dict) else None
    if not isinstance(said, dict) or number != proof.number:
        raise NotProven(f"{field} seq in its content", number, f"{proof.number}, as its place")
    return said


def prove_consistency(proof: ConsistencyProof, earlier: TreeHead, later: TreeHead) -> None:
    """See that the later checkpoint's ledger begins with all that the earlier one covers.

    Raises:
        NotProven: it is not proven, or they are of two ledgers; says which rule.
    """
    if earlier.origin != later.origin:
        rule = f"of the same ledger, {earlier.origin}"
        raise NotProven("later checkpoint origin", later.origin, rule)
    if (proof.earlier, proof.later) != (earlier.size, later.size):
        sizes = f"from {proof.earlier} to {proof.later} items"
        rule = f"from {earlier.size} to {later.size}, as the checkpoints say"
        raise NotProven("consistency proof", sizes, rule)
    if not verify_consistency(earlier.size, later.size, earlier.root, later.root, proof.path):
        rule = "hashes that lead to the roots of both checkpoints"
        raise NotProven("consistency proof path", f"{len(proof.path)} hashes", rule)
