"""Proof files: JSON with the checkpoint that a proof is about, for programs without our books."""

import base64
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.inputfile import read_text
from adapters.refusals import SourceRefused, refused
from adapters.validation import faults_of
from domain.errors import InvalidInput
from domain.ledger.checkpoint import (
    NOTE_MOST_BYTES,
    Checkpoint,
    TreeHead,
    from_base64,
    read_checkpoint,
)
from domain.ledger.merkle import HASH_BYTES, PATH_MOST, SIZE_MOST
from domain.ledger.proofs import (
    ConsistencyProof,
    InclusionProof,
    NotProven,
    prove_consistency,
    proven_item,
)
from ports.proofs import ITEMS_MOST

FILE_MOST_BYTES = 64 * 1024 * 1024
FORMAT = "acquit.proof.v1"
_CONTENT_MOST = 6 * 1024 * 1024


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


_Hash = Annotated[str, Field(min_length=44, max_length=44)]
_Path = Annotated[list[_Hash], Field(max_length=PATH_MOST + 1)]
_Note = Annotated[str, Field(max_length=NOTE_MOST_BYTES)]
_Number = Annotated[int, Field(ge=1, le=SIZE_MOST)]


class _Item(_Strict):
    number: _Number
    content: Annotated[str, Field(max_length=_CONTENT_MOST)]
    previous: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    path: Annotated[list[_Hash], Field(max_length=PATH_MOST)]


class _Items(_Strict):
    format: Literal["acquit.proof.v1"]
    kind: Literal["items"]
    checkpoint: _Note
    items: Annotated[list[_Item], Field(min_length=1, max_length=ITEMS_MOST)]


class _Growth(_Strict):
    format: Literal["acquit.proof.v1"]
    kind: Literal["growth"]
    earlier: _Note
    later: _Note
    path: _Path


class _File(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    proof: Annotated[_Items | _Growth, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class ItemsFile:
    """Items that a proof is about, under one checkpoint."""

    checkpoint: Checkpoint
    items: tuple[InclusionProof, ...]

    def text(self) -> str:
        """The file."""
        return _json(
            {
                "format": FORMAT,
                "kind": "items",
                "checkpoint": self.checkpoint.text(),
                "items": [
                    {
                        "number": item.number,
                        "content": _base64(item.content),
                        "previous": item.previous,
                        "path": [_base64(value) for value in item.path],
                    }
                    for item in self.items
                ],
            }
        )

    def facts(self) -> dict[str, Any]:
        """What the file is about, in short."""
        numbers = [item.number for item in self.items]
        return {"kind": "items", "checkpoint": _short(self.checkpoint.head), "items": numbers}

    def proven(self, trusted: Checkpoint) -> list[dict[str, Any]]:
        """What the items say, proven by a checkpoint that somebody trusts.

        Raises:
            NotProven: one is not, or the proof was made for another checkpoint.
        """
        if not _same(self.checkpoint.head, trusted.head):
            rule = f"the one of {self.checkpoint.head.size} items that the proof is made for"
            raise NotProven("checkpoint", _named(trusted.head), rule)
        return [proven_item(item, trusted.head) for item in self.items]


@dataclass(frozen=True, slots=True)
class GrowthFile:
    """Two checkpoints, and what proves that the ledger of the later one begins as the earlier."""

    earlier: Checkpoint
    later: Checkpoint
    proof: ConsistencyProof

    def text(self) -> str:
        """The file."""
        return _json(
            {
                "format": FORMAT,
                "kind": "growth",
                "earlier": self.earlier.text(),
                "later": self.later.text(),
                "path": [_base64(value) for value in self.proof.path],
            }
        )

    def facts(self) -> dict[str, Any]:
        """What the file is about, in short."""
        earlier, later = _short(self.earlier.head), _short(self.later.head)
        return {"kind": "growth", "earlier": earlier, "later": later}

    def prove(self, trusted: Checkpoint) -> None:
        """See that the ledger only grew between the two, one of which somebody trusts.

        Raises:
            NotProven: it did not, or the trusted checkpoint is neither of the two.
        """
        if not any(_same(one.head, trusted.head) for one in (self.earlier, self.later)):
            sizes = f"{self.earlier.head.size} or {self.later.head.size}"
            rule = f"one of the two that the proof is made for, of {sizes} items"
            raise NotProven("checkpoint", _named(trusted.head), rule)
        prove_consistency(self.proof, self.earlier.head, self.later.head)


def read_proof(path: Path) -> ItemsFile | GrowthFile:
    """The proof in a file. Nothing of it is proven by reading it.

    Raises:
        SourceRefused: the file is too large, no JSON, names a field twice, or breaks a rule.
    """
    text = read_text(path, FILE_MOST_BYTES)
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
        found = _File.model_validate({"proof": content}).proof
        return _items(found) if isinstance(found, _Items) else _growth(found)
    except ValidationError as error:
        faults = [
            InvalidInput(fault.field.removeprefix("proof."), fault.value, fault.rule)
            for fault in faults_of(error)
        ]
        raise SourceRefused(str(path), faults[:_FAULTS_MOST]) from None
    except InvalidInput as fault:
        raise SourceRefused(str(path), [fault]) from None
    except RecursionError:
        raise refused(path, "content", path.name, "JSON that is less deeply nested") from None
    except ValueError:
        raise refused(path, "content", path.name, "JSON in UTF-8") from None


_FAULTS_MOST = 20


def read_checkpoint_file(path: Path) -> Checkpoint:
    """The checkpoint in a file. Its signatures are not verified by reading it.

    Raises:
        SourceRefused: it is none.
    """
    text = read_text(path, NOTE_MOST_BYTES)
    try:
        return read_checkpoint(text)
    except InvalidInput as fault:
        raise SourceRefused(str(path), [fault]) from None


def _items(found: _Items) -> ItemsFile:
    numbers = [item.number for item in found.items]
    if sorted(set(numbers)) != numbers:
        raise InvalidInput("items", "their numbers", "in ascending order, each once")
    items = tuple(
        InclusionProof(
            item.number,
            _bytes(f"items.{place}.content", item.content),
            item.previous,
            _hashes(f"items.{place}.path", item.path),
        )
        for place, item in enumerate(found.items)
    )
    return ItemsFile(read_checkpoint(found.checkpoint), items)


def _growth(found: _Growth) -> GrowthFile:
    earlier, later = read_checkpoint(found.earlier), read_checkpoint(found.later)
    proof = ConsistencyProof(earlier.head.size, later.head.size, _hashes("path", found.path))
    return GrowthFile(earlier, later, proof)


def _hashes(field: str, path: list[str]) -> tuple[bytes, ...]:
    found = tuple(_bytes(f"{field}.{place}", one) for place, one in enumerate(path))
    for place, value in enumerate(found):
        if len(value) != HASH_BYTES:
            raise InvalidInput(f"{field}.{place}", f"{len(value)} bytes", f"{HASH_BYTES} bytes")
    return found


def _bytes(field: str, text: str) -> bytes:
    found = from_base64(text)
    if found is None:
        raise InvalidInput(field, "(not shown)", "base64")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        numbers = Counter(name for name, _ in pairs)
        twice = next(name for name, number in numbers.items() if number > 1)
        raise InvalidInput("field", twice[:80], "each once")
    return found


def _no_number(word: str) -> None:
    raise InvalidInput("number", word, "a whole number")


def _same(one: TreeHead, other: TreeHead) -> bool:
    return (one.origin, one.size, one.root, one.head) == (
        other.origin,
        other.size,
        other.root,
        other.head,
    )


def _short(head: TreeHead) -> dict[str, Any]:
    return {"origin": head.origin, "size": head.size, "root": head.root.hex(), "at": head.at}


def _named(head: TreeHead) -> str:
    return f"{head.origin}, {head.size} items"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"
