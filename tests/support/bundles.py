"""Evidence bundles for tests: written from books, taken apart, put together again with lies."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.proofs.bundlefile import MANIFEST, MEMBERS, SIGNATURE, BundleWriter, signed_text
from adapters.signing.ed25519 import Ed25519Signer, signed
from adapters.sql.read.evidence import SqlEvidence
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.ledger.checkpoint import Checkpoint, PublicKey
from ports.clock import Clock
from tests.support.forging import a_signer

Members = dict[str, bytes]


async def checkpoint_of(
    engine: AsyncEngine, clock: Clock, signer: Ed25519Signer | None = None
) -> Checkpoint:
    """The checkpoint of books that are not empty."""
    kept = await SqlCheckpoints(engine, clock, signer or a_signer()).seal()
    assert kept is not None
    return kept.checkpoint


async def bundle_of(engine: AsyncEngine, loan_id: str, checkpoint: Checkpoint) -> bytes:
    """The bundle of a loan."""
    output = io.BytesIO()
    writer = BundleWriter(output, loan_id, checkpoint)
    async for row in SqlEvidence(engine).of_loan(loan_id, checkpoint.head):
        writer.take(row)
    manifest, head = writer.manifest(), checkpoint.head
    text = signed_text(head.origin, head.size, manifest)
    writer.seal(manifest, signed(text, head.origin, a_signer()))
    return output.getvalue()


def public_keys(origin: str, mark: int = 1) -> tuple[PublicKey, ...]:
    """The list of the one key of `a_signer`."""
    return (PublicKey(origin, a_signer(mark).public),)


def taken_apart(bundle: bytes) -> Members:
    """The members of a bundle."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_together(
    members: Mapping[str, bytes], each: Callable[[zipfile.ZipInfo], None] = lambda _: None
) -> bytes:
    """An archive of members in their order; `each` may change how one is written."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            each(info)
            archive.writestr(info, content)
    return output.getvalue()


def sealed_anew(members: Members, /, mark: int = 1, **said: Any) -> Members:
    """The members with a manifest that fits them, signed; `said` changes what it says."""
    manifest = json.loads(members[MANIFEST]) | said
    if "members" not in said:
        manifest["members"] = [
            {
                "name": name,
                "size": len(members[name]),
                "rows": 0 if name == "checkpoint" else members[name].count(b"\n"),
                "sha256": sha256(members[name]).hexdigest(),
            }
            for name in MEMBERS[:-2]
        ]
    content = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    text = signed_text(manifest["origin"], manifest["size"], content)
    line = signed(text, manifest["origin"], a_signer(mark)).line().encode()
    return members | {MANIFEST: content, SIGNATURE: line}


def with_row(
    members: Members, name: str, change: Callable[[dict[str, Any]], dict[str, Any]], place: int = 0
) -> Members:
    """The members with one row of a part changed."""
    rows = [json.loads(line) for line in members[name].splitlines()]
    rows[place] = change(rows[place])
    lines = [json.dumps(row, sort_keys=True, separators=(",", ":")).encode() for row in rows]
    return members | {name: b"".join(line + b"\n" for line in lines)}
