"""Evidence bundles as files: what is altered, hostile or a lie is refused, by two readers alike.

The other reader is `examples/evidence/check_bundle.py`, which knows our pages and none of our code.
"""

import asyncio
import importlib.util
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.proofs.bundlecheck import Verified, verify_bundle
from adapters.proofs.bundlefile import MANIFEST, MEMBERS, SIGNATURE, json_row
from adapters.proofs.prooffile import GrowthFile
from adapters.sql.engine import books_engine
from adapters.sql.read.proving import SqlProofs
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.errors import InvalidInput
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.proofs import NotProven
from domain.loanclosure.certificate import Settlement, code_of
from tests.support.booksbench import StillClock, apply_all
from tests.support.bundles import (
    Members,
    bundle_of,
    checkpoint_of,
    public_keys,
    put_together,
    sealed_anew,
    taken_apart,
    with_row,
)
from tests.support.forging import a_signer
from tests.support.memory import RULES, board
from tests.support.tampered import LOANS, fill
from tests.support.tree import ROOT


class Made(NamedTuple):
    """Bundles of all loans under one checkpoint, and a later bundle with proof of growth."""

    bundles: dict[str, bytes]
    checkpoint: Checkpoint
    later: bytes
    growth: GrowthFile


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Give bundles of books with something of everything in them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}"

    async def make(engine: AsyncEngine) -> Made:
        await fill(engine)
        clock = StillClock()
        checkpoint = await checkpoint_of(engine, clock)
        bundles = {name: await bundle_of(engine, name, checkpoint) for name in LOANS}
        async with SqlBooks(engine, clock, RULES) as books:
            await apply_all(books, [board("L6")])
        grown = await checkpoint_of(engine, clock)
        proof = await SqlProofs(engine).of_growth(checkpoint.head, grown.head)
        later = await bundle_of(engine, "L1", grown)
        return Made(bundles, checkpoint, later, GrowthFile(checkpoint, grown, proof))

    async def all_of_it() -> Made:
        await upgrade(url)
        engine = books_engine(url)
        try:
            return await make(engine)
        finally:
            await engine.dispose()

    return asyncio.run(all_of_it())


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """Give the reader that was written from the page alone."""
    path = ROOT / "examples" / "evidence" / "check_bundle.py"
    spec = importlib.util.spec_from_file_location("check_bundle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Readers:
    """Our reader and the example's, which must agree."""

    def __init__(self, example: ModuleType, folder: Path, origin: str) -> None:
        self._example, self._path, self._keys = example, folder / "a.evidence", folder / "a.pub"
        self._origin = origin

    def read(self, bundle: bytes, mark: int = 1, **kept: Any) -> Verified | InvalidInput:
        """What ours says; the example must say the same, unless a checkpoint is kept."""
        self._path.write_bytes(bundle)
        keys = public_keys(self._origin, mark)
        self._keys.write_text("".join(f"{key.text()}\n" for key in keys), encoding="utf-8")
        try:
            ours: Verified | InvalidInput = verify_bundle(self._path, keys, **kept)
        except InvalidInput as error:
            ours = error
        if not kept:
            code = self._example.main(str(self._path), str(self._keys))
            assert code == isinstance(ours, InvalidInput), ours
        return ours


@pytest.fixture
def readers(made: Made, example: ModuleType, tmp_path: Path) -> Readers:
    """Give both readers."""
    return Readers(example, tmp_path, made.checkpoint.head.origin)


@pytest.mark.parametrize("loan", LOANS)
def test_a_bundle_is_proven_and_says_what_is_not(made: Made, readers: Readers, loan: str) -> None:
    """Both readers find every bundle proven; what is only stated is named."""
    found = readers.read(made.bundles[loan])
    assert isinstance(found, Verified), found
    assert found.sealed.manifest.loan == loan
    assert found.rows["journal.jsonl"] > found.rows["decisions.jsonl"] > 0
    assert any("signed by key" in one for one in found.proven)
    assert found.stated[-1].startswith("that the journal has no other item")
    assert "certificate.json: none was issued" in found.stated


def first(name: str, **values: Any) -> Callable[[Members], Members]:
    """Change values of the first row of a part."""
    return lambda members: with_row(members, name, lambda row: row | values)


def _installment(**values: Any) -> Callable[[Members], Members]:
    def change(row: dict[str, Any]) -> dict[str, Any]:
        head, *others = row["installments"]
        return row | {"installments": [head | values, *others]}

    return lambda members: with_row(members, "loan.json", change)


def _proves_another(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"proves": [{"payment": "R-1", "minor": 1, "fee_minor": 0}]}


def without(name: str) -> Callable[[Members], Members]:
    """Leave out the first row of a part."""
    return lambda members: members | {name: members[name].partition(b"\n")[2]}


def _journal_swapped(members: Members) -> Members:
    head, second, *rest = members["journal.jsonl"].splitlines(keepends=True)
    return members | {"journal.jsonl": b"".join([second, head, *rest])}


def _raw(name: str, content: bytes) -> Callable[[Members], Members]:
    return lambda members: members | {name: content}


LIES: dict[str, Callable[[Members], Members]] = {
    "a state": _installment(state="CANCELLED"),
    "an open amount": _installment(owed_minor=1),
    "another loan": first("loan.json", loan="L9"),
    "another product": first("product.json", ref="other@1"),
    "an outcome": first("attempts.jsonl", state="RETURNED"),
    "an order": first("attempts.jsonl", order_no="X1"),
    "a message": first("notices.jsonl", message_id="N-9"),
    "a payment": first("payments.jsonl", payment="R-9"),
    "a line": first("lines.jsonl", line="A/S9/1"),
    "a line of another payment": lambda members: with_row(members, "lines.jsonl", _proves_another),
    "a case": first("cases.jsonl", state="OPEN"),
    "a payout": _raw("payouts.jsonl", b'{"payout":"P1","state":"PROVEN"}\n'),
    "an approver": first("decisions.jsonl", approver="somebody"),
    "a decision less": without("decisions.jsonl"),
    "items in another order": _journal_swapped,
    "another number": first("journal.jsonl", number=2),
    "another content": first("journal.jsonl", content="bjA6"),
    "no base64": first("journal.jsonl", content="***"),
    "another hash before": first("journal.jsonl", previous="f" * 64),
    "no path": first("journal.jsonl", path=[]),
    "a path of numbers": first("journal.jsonl", path=[1]),
    "no items": _raw("journal.jsonl", b""),
    "a row that is no object": _raw("cases.jsonl", b"[1]\n"),
    "a row without its end": _raw("cases.jsonl", b"{}"),
    "a row of no JSON": _raw("cases.jsonl", b"{\n"),
    "a number with a point": _raw("cases.jsonl", b'{"case":1.5}\n'),
    "no number": _raw("cases.jsonl", b'{"case":NaN}\n'),
    "a name twice": _raw("cases.jsonl", b'{"case":"1","case":"1"}\n'),
    "a deep nest": _raw("cases.jsonl", b'{"case":' + b"[" * 200_000 + b"\n"),
    "two loans": lambda members: members | {"loan.json": members["loan.json"] * 2},
    "a certificate that nobody knows": _raw("certificate.json", b'{"code":"1"}\n'),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_of_the_lender_is_found(made: Made, readers: Readers, lie: str) -> None:
    """The manifest fits the lie and is signed by the right key: the items say otherwise."""
    members = taken_apart(made.bundles["L1"])
    lied = put_together(sealed_anew(LIES[lie](members)))
    assert isinstance(readers.read(lied), InvalidInput)
    honest = put_together(sealed_anew(members))
    assert isinstance(readers.read(honest), Verified)


def _certificate(**lie: Any) -> Members:
    """A certificate of L1, signed like all others."""
    day = date(2026, 3, 10)
    said = Settlement("L1", "b-1", "CNY", 1, 3, day, day, 1, "lender", day, "en")
    text = replace(said, **{name: lie[name] for name in lie if name == "loan_id"}).text()
    signature = a_signer().sign(text.encode()).hex()
    row = {"code": code_of(text), "text": text, "key": a_signer().public.hex()}
    row |= {"signature": signature, "issued_at": "", "revoked_at": "", "why": ""}
    row |= {name: value for name, value in lie.items() if name in row}
    return {"certificate.json": json_row({"certificates": [row]})}


CERTIFIED: dict[str, Members] = {
    "of another loan": _certificate(loan_id="L2"),
    "another code": _certificate(code="AAAA-AAAA-AAAA-AAAA-AAAA"),
    "another signature": _certificate(signature="00" * 64),
    "no signature": _certificate(signature="zz"),
    "another key": _certificate(key=a_signer(2).public.hex()),
    "another text": _certificate(text="{}"),
    "none in it": {"certificate.json": b'{"certificates":[]}\n'},
    "a number": {"certificate.json": b'{"certificates":[1]}\n'},
}


@pytest.mark.parametrize("lie", CERTIFIED)
def test_a_certificate_is_of_the_loan_and_signed(made: Made, readers: Readers, lie: str) -> None:
    """By a key of its ledger; all else is refused, and a genuine one is proven."""
    members = taken_apart(made.bundles["L1"])
    lied = put_together(sealed_anew(members | CERTIFIED[lie]))
    assert isinstance(readers.read(lied), InvalidInput)
    found = readers.read(put_together(sealed_anew(members | _certificate())))
    assert isinstance(found, Verified), found
    assert "every certificate, by its signature" in found.proven[-1]


MANIFESTS: dict[str, dict[str, Any]] = {
    "another format": {"format": "acquit.bundle.v2"},
    "another ledger": {"origin": "acquit/x/main"},
    "another size": {"size": 3},
    "no members": {"members": []},
    "another loan": {"loan": "L2"},
    "one field more": {"more": 1},
}


@pytest.mark.parametrize("lie", MANIFESTS)
def test_a_manifest_is_about_these_members(made: Made, readers: Readers, lie: str) -> None:
    """Its fields are known, and name this loan, ledger and checkpoint."""
    members = sealed_anew(taken_apart(made.bundles["L1"]), **MANIFESTS[lie])
    assert isinstance(readers.read(put_together(members)), InvalidInput)


def test_only_the_right_key_counts(made: Made, readers: Readers) -> None:
    """Signed anew by another key it proves nothing; nor does it to a reader with another key."""
    members = sealed_anew(taken_apart(made.bundles["L1"]), mark=2)
    found = readers.read(put_together(members))
    assert isinstance(found, NotProven)
    assert "bundle signature" in str(found)
    found = readers.read(put_together(members), mark=2)  # its checkpoint is of the right key
    assert isinstance(found, NotProven)
    assert "checkpoint signature" in str(found)
    assert isinstance(readers.read(made.bundles["L1"], mark=3), NotProven)


def test_a_flipped_byte_anywhere_is_found(made: Made, readers: Readers) -> None:
    """In every member, in its head and in the directory."""
    bundle = made.bundles["L5"]
    for place in range(7, len(bundle), len(bundle) // 90):
        flipped = bytearray(bundle)
        flipped[place] ^= 0x41
        found = readers.read(bytes(flipped))
        if isinstance(found, Verified):  # times and rights of the archive say nothing
            assert taken_apart(bytes(flipped)) == taken_apart(bundle)


def _packed(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def _with_extra(info: zipfile.ZipInfo) -> None:
    info.extra = struct.pack("<HHL", 0x4141, 4, 1)


def _with_comment(info: zipfile.ZipInfo) -> None:
    info.comment = b"PK\x06\x07" + b"x" * 16


def _of(bundle: bytes, kind: str) -> bytes:
    """A hostile archive."""
    members = taken_apart(bundle)
    others = {name: members[name] for name in MEMBERS if name != "cases.jsonl"}
    match kind:
        case "nothing" | "no archive":
            return b"" if kind == "nothing" else b"x" * 5_000
        case "cut off":
            return bundle[:-10]
        case "something before":
            return b"#!/bin/sh\n" + bundle
        case "something behind":
            return bundle + b"more"
        case "packed":
            return put_together(members | {"cases.jsonl": b"\n" * 10_000_000}, _packed)
        case "extra fields":
            return put_together(members, _with_extra)
        case "comments":
            return put_together(members, _with_comment)
        case "a member missing":
            return put_together(others)
        case "another order":
            return put_together(dict(reversed(members.items())))
        case "a name that leads out":
            return put_together(others | {"../cases.jsonl": b""})
        case "a member more":
            return put_together(members | {"more": b""})
        case "no text in the checkpoint":
            return put_together(sealed_anew(members | {"checkpoint": b"\xff"}))
        case "no checkpoint":
            return put_together(sealed_anew(members | {"checkpoint": b"x\n\ny"}))
        case "a long signature":
            return put_together(members | {SIGNATURE: b"x" * 100_000})
        case "a long manifest":
            return put_together(members | {MANIFEST: b"x" * 100_000})
        case _:
            raise AssertionError(kind)


HOSTILE = (
    "nothing",
    "no archive",
    "cut off",
    "something before",
    "something behind",
    "packed",
    "extra fields",
    "comments",
    "a member missing",
    "another order",
    "a name that leads out",
    "a member more",
    "no text in the checkpoint",
    "no checkpoint",
    "a long signature",
    "a long manifest",
)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused(made: Made, readers: Readers, kind: str) -> None:
    """Before anything of it is believed, in one line."""
    found = readers.read(_of(made.bundles["L1"], kind))
    assert isinstance(found, InvalidInput)
    assert "\n" not in str(found)


def test_a_member_that_stands_twice_is_refused(made: Made, readers: Readers) -> None:
    """Whoever looks a name up would see the last one, and somebody else the first."""
    members = taken_apart(made.bundles["L1"])
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name in MEMBERS[:-1]:
            archive.writestr(zipfile.ZipInfo(name), members[name])
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(zipfile.ZipInfo("loan.json"), b"{}\n")
    assert isinstance(readers.read(output.getvalue()), InvalidInput)


def test_a_kept_checkpoint_must_be_the_one_or_have_grown(made: Made, readers: Readers) -> None:
    """A bundle under a later checkpoint needs the proof of growth from the kept one."""
    mine, growth = made.checkpoint, made.growth
    found = readers.read(made.bundles["L1"], trusted=mine)
    assert isinstance(found, Verified)
    assert "the one that you keep" in found.proven[-1]
    assert isinstance(readers.read(made.later, trusted=mine), NotProven)
    found = readers.read(made.later, trusted=mine, growth=growth)
    assert isinstance(found, Verified)
    assert "grew of the one that you keep" in found.proven[-1]
    backwards = GrowthFile(growth.earlier, growth.earlier, growth.proof)
    assert isinstance(readers.read(made.later, trusted=mine, growth=backwards), NotProven)
    other = GrowthFile(growth.later, growth.later, growth.proof)
    assert isinstance(readers.read(made.later, trusted=mine, growth=other), NotProven)
