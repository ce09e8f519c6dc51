"""Verifies an evidence bundle without our books: what it proves, and what it only states."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from adapters.inputfile import open_bytes
from adapters.proofs.bundlefile import FILE_MOST_BYTES, BundleFile, Sealed
from adapters.proofs.prooffile import GrowthFile
from adapters.signing.ed25519 import is_genuine, key_of, must_be_signed
from domain.errors import InvalidInput
from domain.ledger.bundle import BundleProof, Row
from domain.ledger.checkpoint import Checkpoint, PublicKey, from_base64
from domain.ledger.proofs import InclusionProof, NotProven, proven_item
from domain.loanclosure.certificate import code_of, read_settlement
from ports.evidence import JOURNAL, PARTS

DECISIONS, CERTIFICATE = "decisions.jsonl", "certificate.json"
_STATED = {
    "product.json": "the text of the product's rules",
    "notices.jsonl": "what became of messages after they were queued",
    "payments.jsonl": "amounts and days of payments beside those in entries",
    "lines.jsonl": "that the bank's file holds a line: compare the file with its digest",
    "payouts.jsonl": "the other items of a payout, which its digest stands for",
    "cases.jsonl": "codes, owners and times of cases",
}
"""What of a part no item proves."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle proved, in words, and what it states without proof.

    Attributes:
        sealed: its manifest and checkpoint.
        key_id: of the key that signed it, hexadecimal.
        rows: how many rows each part has.
    """

    sealed: Sealed
    key_id: str
    rows: dict[str, int]
    proven: tuple[str, ...]
    stated: tuple[str, ...]


def verify_bundle(
    path: Path,
    keys: Sequence[PublicKey],
    trusted: Checkpoint | None = None,
    growth: GrowthFile | None = None,
) -> Verified:
    """Verify a bundle with the public keys of its ledger alone.

    Args:
        path: of the file.
        keys: whom to believe.
        trusted: a checkpoint that the reader keeps; the bundle's must be the same or grown of it.
        growth: proves that the bundle's checkpoint grew of the trusted one.

    Raises:
        SourceRefused: there is no such file.
        InvalidInput: it is no bundle. `NotProven`: it is one and does not prove what it must.
    """
    with open_bytes(path, FILE_MOST_BYTES) as source, BundleFile(source) as bundle:
        sealed = bundle.sealed
        key = key_of("bundle", sealed.text, sealed.signatures, sealed.head, keys)
        must_be_signed(sealed.checkpoint, keys)
        compared = _compared(sealed.checkpoint, keys, trusted, growth)
        proof = BundleProof(sealed.manifest.loan)
        for said, found in zip_longest(bundle.rows(DECISIONS), _items(bundle, proof)):
            if said != found:
                raise NotProven(f"{DECISIONS} {_number(said, found)}", "a row", "as its item says")
        if not proof.about:
            raise NotProven(JOURNAL, f"{proof.items} items", f"about {sealed.manifest.loan}")
        for part in PARTS[2:-1]:
            for row in bundle.rows(part):
                proof.check(part, row)
        for row in bundle.rows(CERTIFICATE):
            _must_be_certified(row, sealed.manifest.loan, keys)
        return _verified(sealed, key.key_id(sealed.head.origin).hex(), proof, compared)


def _must_be_certified(row: Row, loan_id: str, keys: Sequence[PublicKey]) -> None:
    """See that every certificate is about the loan, and signed by one of the keys."""
    held = row.get("certificates")
    for one in held if isinstance(held, list) and held else [None]:
        match one:
            case {"text": str(text), "key": str(key), "signature": str(signature), "code": code}:
                said = read_settlement(text)
                known = {known.content.hex(): known.content for known in keys}
                genuine = key in known and _is_signed(known[key], text, signature)
                if not genuine or code != code_of(text) or said.loan_id != loan_id:
                    rule = "a certificate of this loan, signed by a key of its ledger"
                    raise NotProven(CERTIFICATE, said.loan_id, rule)
            case _:
                raise NotProven(CERTIFICATE, "a row", "certificates with text, key and signature")


def _is_signed(key: bytes, text: str, signature: str) -> bool:
    try:
        return is_genuine(key, text.encode(), bytes.fromhex(signature))
    except ValueError:
        return False


def _items(bundle: BundleFile, proof: BundleProof) -> Iterator[Row]:
    """The commands among the items, each item proven and taken."""
    last = 0
    for row in bundle.rows(JOURNAL):
        one = _inclusion(row)
        if one.number <= last:
            raise InvalidInput(JOURNAL, one.number, "numbers in ascending order, each once")
        last = one.number
        decision = proof.take(proven_item(one, bundle.sealed.head))
        if decision is not None:
            yield decision


def _inclusion(row: Row) -> InclusionProof:
    """A row of the journal; of another shape it is refused."""
    match row:
        case {
            "number": int(number),
            "content": str(content),
            "previous": str(previous),
            "path": [*path],
        }:
            known = [from_base64(one) for one in path if isinstance(one, str)]
            hashes = tuple(one for one in known if one is not None)
            decoded = from_base64(content)
            if decoded is not None and len(hashes) == len(path) and previous.isascii():
                return InclusionProof(number, decoded, previous, hashes)
        case _:
            pass
    raise InvalidInput(JOURNAL, "a row", "number, content, previous and path of an item")


def _compared(
    checkpoint: Checkpoint,
    keys: Sequence[PublicKey],
    trusted: Checkpoint | None,
    growth: GrowthFile | None,
) -> str:
    """What the bundle's checkpoint has to do with the one that the reader keeps, in words."""
    if trusted is None:
        return ""
    must_be_signed(trusted, keys)
    mine, theirs = checkpoint.head, trusted.head
    if mine.text() == theirs.text():
        return "its checkpoint is the one that you keep"
    if growth is None:
        rule = f"the one that you keep, of {theirs.size} items, or --growth with a proof"
        raise NotProven("checkpoint", f"of {mine.size} items", rule)
    if growth.later.head.text() != mine.text():
        raise NotProven("growth", growth.later.head.size, f"to {mine.size} items, as the bundle's")
    growth.prove(trusted)
    if growth.earlier.head.text() != theirs.text():
        raise NotProven("growth", growth.earlier.head.size, f"from {theirs.size} items, as yours")
    return f"its checkpoint grew of the one that you keep, of {theirs.size} items"


def _number(said: Row | None, found: Row | None) -> Any:  # noqa: ANN401  (whatever stands there)
    return (found or said or {}).get("number")


def _verified(sealed: Sealed, key_id: str, proof: BundleProof, compared: str) -> Verified:
    head, rows = sealed.head, {one.name: one.rows for one in sealed.manifest.members}
    proven = [
        f"the bundle is signed by key {key_id}, and whole: {len(rows)} members",
        f"{proof.items} items stand in ledger {head.origin}, under its checkpoint of {head.size}",
        f"{rows[DECISIONS]} decisions, word for word",
        "state and open amount of every installment, by its last move and its entries",
        f"the fate of {rows['attempts.jsonl']} debit orders, by their last moves",
        f"that {rows['notices.jsonl']} messages were queued",
        f"{rows['payments.jsonl']} payments, and {rows['lines.jsonl']} bank lines that prove them",
        f"the states of {rows['payouts.jsonl']} payouts and {rows['cases.jsonl']} cases",
    ]
    stated = [f"{part}: {text}" for part, text in _STATED.items() if rows[part]]
    if rows[CERTIFICATE]:
        proven.append("every certificate, by its signature; read certificate.json for which stands")
    else:
        stated.append("certificate.json: none was issued")
    stated.append("that the journal has no other item about the loan: only the whole ledger tells")
    return Verified(
        sealed, key_id, rows, (*proven, *([compared] if compared else [])), tuple(stated)
    )
