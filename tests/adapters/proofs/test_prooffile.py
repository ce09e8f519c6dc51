"""Proof files: what is written is read back, and hostile files are refused by name, at once."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.proofs.prooffile import (
    GrowthFile,
    ItemsFile,
    read_checkpoint_file,
    read_proof,
)
from adapters.refusals import SourceRefused
from adapters.signing.ed25519 import signed
from domain.ledger.checkpoint import Checkpoint, TreeHead
from domain.ledger.proofs import ConsistencyProof, InclusionProof
from ports.proofs import ITEMS_MOST
from tests.support.forging import a_signer

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)


def checkpoint(size: int) -> Checkpoint:
    head = TreeHead("acquit/b/main", size, b"r" * 32, "ab" * 32, AT)
    return Checkpoint(head, (signed(head.text(), head.origin, a_signer()),))


ITEMS = ItemsFile(
    checkpoint(41),
    (
        InclusionProof(3, b"x", "0" * 64, (b"a" * 32, b"b" * 32)),
        InclusionProof(4, b"y", "1" * 64, ()),
    ),
)
GROWTH = GrowthFile(checkpoint(4), checkpoint(41), ConsistencyProof(4, 41, (b"a" * 32,)))


@pytest.mark.parametrize("file", [ITEMS, GROWTH], ids=["items", "growth"])
def test_what_is_written_is_read_back(tmp_path: Path, file: ItemsFile | GrowthFile) -> None:
    """Both kinds; the checkpoints stand in the file as they were given out."""
    path = tmp_path / "a.proof"
    path.write_text(file.text())
    assert read_proof(path) == file


def changed(file: ItemsFile | GrowthFile, change: Callable[[Any], None]) -> str:
    content = json.loads(file.text())
    change(content)
    return json.dumps(content)


def item(name: str, value: object) -> str:
    return changed(ITEMS, lambda it: it["items"][0].update({name: value}))


def grown(name: str, value: object) -> str:
    return changed(GROWTH, lambda it: it.update({name: value}))


HASH = base64.b64encode(b"a" * 32).decode()
HOSTILE: dict[str, tuple[str, str]] = {
    "nothing": ("", "content"),
    "no JSON": ("{", "content"),
    "a list": ("[]", "proof"),
    "another kind": (grown("kind", "other"), "proof"),
    "another format": (grown("format", "acquit.proof.v2"), "format"),
    "a field too many": (grown("more", 1), "more"),
    "a field missing": (changed(GROWTH, lambda it: it.pop("path")), "path"),
    "a field twice": (GROWTH.text().replace('"kind"', '"path": [], "kind"'), "field: 'path'"),
    "deeply nested": ("[" * 100_000 + "]" * 100_000, "content"),
    "an endless number": (
        item("number", 0).replace('"number": 0', f'"number": {"9" * 9999}'),
        "content",
    ),
    "no number": (item("number", 0).replace('"number": 0', '"number": NaN'), "number"),
    "a fraction": (item("number", 3.0), "number"),
    "a number as text": (item("number", "3"), "number"),
    "true": (item("number", True), "number"),
    "a negative number": (item("number", -3), "number"),
    "zero": (item("number", 0), "number"),
    "a number beyond all journals": (item("number", 2**63), "number"),
    "the same item twice": (item("number", 4), "items"),
    "items out of order": (item("number", 5), "items"),
    "no items": (changed(ITEMS, lambda it: it.update(items=[])), "items"),
    "too many items": (
        changed(ITEMS, lambda it: it.update(items=it["items"][:1] * (ITEMS_MOST + 1))),
        "items",
    ),
    "content that is no base64": (item("content", "?"), "items.0.content"),
    "a hash before in capitals": (item("previous", "AB" * 32), "items.0.previous"),
    "a short hash before": (item("previous", "ab"), "items.0.previous"),
    "a short hash": (item("path", [base64.b64encode(b"a" * 31).decode()]), "items.0.path.0"),
    "a long hash": (item("path", [base64.b64encode(b"a" * 33).decode()]), "items.0.path.0"),
    "a hash that is no base64": (item("path", ["?" * 44]), "items.0.path.0"),
    "an endless path": (item("path", [HASH] * 65), "items.0.path"),
    "an endless growth": (grown("path", [HASH] * 66), "path"),
    "a checkpoint that is none": (grown("later", "x"), "checkpoint"),
    "a checkpoint of negative size": (
        grown("earlier", checkpoint(4).text().replace("\n4\n", "\n-4\n")),
        "checkpoint size",
    ),
    "a large checkpoint": (grown("later", "x" * 100_000), "later"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """The error names the file, the field and the rule; and is short, whatever the file holds."""
    text, field = HOSTILE[name]
    path = tmp_path / "a.proof"
    path.write_text(text)
    with pytest.raises(SourceRefused) as refused:
        read_proof(path)
    assert str(path) in str(refused.value)
    assert field in str(refused.value)
    assert len(str(refused.value)) < 8_000


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    """A folder, a missing file, bytes that are no text, and a file beyond the limit."""
    binary, large = tmp_path / "binary", tmp_path / "large"
    binary.write_bytes(b'{"a": "\xff"}')
    with large.open("wb") as output:
        output.truncate(65 * 1024 * 1024)
    for path in (tmp_path, tmp_path / "missing", binary, large):
        for read in (read_proof, read_checkpoint_file):
            with pytest.raises(SourceRefused):
                read(path)


def test_a_checkpoint_is_read_from_its_file(tmp_path: Path) -> None:
    """What is none is refused with the name of the file."""
    path = tmp_path / "a.checkpoint"
    path.write_text(checkpoint(41).text())
    assert read_checkpoint_file(path) == checkpoint(41)
    path.write_text(checkpoint(41).text()[:-1])
    with pytest.raises(SourceRefused, match=r"a\.checkpoint: signatures"):
        read_checkpoint_file(path)
