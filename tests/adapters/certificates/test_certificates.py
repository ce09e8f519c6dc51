"""Certificates as files: printed alike twice, read back from PDF and JSON, proven, revoked."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.certificates.files import (
    certificate_json,
    proven,
    read_certificate,
    read_revoked,
    revoked_json,
)
from adapters.certificates.pdf import CHINESE_FONT, FONT_FOLDER, FONT_PACKAGE, pdf_of
from adapters.refusals import SourceRefused
from adapters.signing.ed25519 import Ed25519Signer
from domain.errors import InvalidInput
from domain.ledger.checkpoint import PublicKey
from domain.ledger.proofs import NotProven
from domain.loanclosure.certificate import Certificate, Settlement

NOON = datetime(2026, 3, 20, 4, tzinfo=UTC)
SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"acquit-test-key-of-certificates."))
OTHER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"acquit-test-key-of-somebody-else"))
KEYS = (PublicKey("acquit", SIGNER.public),)
SAID = Settlement(
    loan_id="L-7",
    borrower="b-1",
    currency="CNY",
    principal_minor=1_200_000,
    installments=12,
    disbursed_on=date(2025, 3, 1),
    settled_on=date(2026, 3, 1),
    generation=1,
    issuer="Lender One",
    issued_on=date(2026, 3, 20),
    language="en",
)
needs_font = pytest.mark.skipif(
    not FONT_FOLDER.is_dir(), reason=f"the package {FONT_PACKAGE} is not installed"
)


def given(said: Settlement = SAID, signer: Ed25519Signer = SIGNER) -> Certificate:
    """A certificate of what is said."""
    text = said.text()
    return Certificate(
        said.generation, text, signer.public.hex(), signer.sign(text.encode()).hex(), NOON
    )


def test_a_pdf_carries_its_certificate_and_prints_the_same_twice(tmp_path: Path) -> None:
    """PDF/A-3b by its own metadata; what it carries is proven with the public key alone."""
    certificate = given()
    made = pdf_of(certificate)
    assert made == pdf_of(certificate)
    assert b"pdfaid:part" in made
    file = tmp_path / "c.pdf"
    file.write_bytes(made)
    signed = read_certificate(file)
    assert signed.code == certificate.code
    assert proven(signed, KEYS) == SAID


@needs_font
def test_chinese_is_printed_with_its_font_and_refused_without(tmp_path: Path) -> None:
    """A certificate with empty boxes for words proves nothing to whoever reads it."""
    certificate = given(replace(SAID, language="zh-CN", issuer="借贷公司"))
    made = pdf_of(certificate)
    assert CHINESE_FONT.replace(" ", "").encode() in made
    file = tmp_path / "c.pdf"
    file.write_bytes(made)
    assert proven(read_certificate(file), KEYS).issuer == "借贷公司"
    with pytest.raises(InvalidInput, match=FONT_PACKAGE):
        pdf_of(certificate, tmp_path / "none")


def test_without_the_chinese_font_a_chinese_name_is_refused_in_english_too(tmp_path: Path) -> None:
    """Only what can be shown is printed; a language without words is printed in English."""
    with pytest.raises(InvalidInput, match=FONT_PACKAGE):
        pdf_of(given(replace(SAID, issuer="借贷公司")), tmp_path / "none")
    assert pdf_of(given(replace(SAID, language="fr")), tmp_path / "none").startswith(b"%PDF")


def _changed(change: dict[str, str]) -> str:
    return json.dumps(json.loads(certificate_json(given())) | change, separators=(",", ":"))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no certificate",
        '{"format":"acquit.certificate.v1"',
        '{"format":"acquit.certificate.v1","text":"x"}',
        _changed({"key": "zz"}),
        _changed({"signature": "ab"}),
        _changed({"text": "x" * 5_000}),
    ],
)
def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path, content: str) -> None:
    """Whatever is wrong with it, nothing of it is shown."""
    file = tmp_path / "c.json"
    file.write_text(content)
    with pytest.raises(SourceRefused, match="a certificate, as JSON or PDF"):
        read_certificate(file)


def test_a_changed_text_or_another_key_proves_nothing(tmp_path: Path) -> None:
    """One digit more, a key that is not ours, a signature by somebody else."""
    file = tmp_path / "c.json"
    text = SAID.text().replace("1200000", "1200001")
    for content in (_changed({"text": text}), certificate_json(given(signer=OTHER))):
        file.write_text(content)
        with pytest.raises(NotProven):
            proven(read_certificate(file), KEYS)
    file.write_text(certificate_json(given()))
    assert proven(read_certificate(file), KEYS) == SAID


def test_what_was_signed_must_be_a_certificate() -> None:
    """Another text under our key, such as a checkpoint, is none."""
    text = "some other text"
    signature = SIGNER.sign(text.encode()).hex()
    other = Certificate(1, text, SIGNER.public.hex(), signature, NOON)
    with pytest.raises(InvalidInput):
        pdf_of(other)


def test_a_list_of_revoked_certificates_names_them_and_is_signed(tmp_path: Path) -> None:
    """Only revoked ones are on it; a list that somebody else signed, or changed, is refused."""
    gone = replace(given(), revoked_at=NOON, why="returned")
    file = tmp_path / "revoked.json"
    file.write_text(revoked_json([gone, given(replace(SAID, loan_id="L-8"))], NOON, SIGNER))
    assert read_revoked(file, KEYS).codes == {gone.code: NOON.isoformat()}
    held = json.loads(file.read_text())
    held["text"] = held["text"].replace(gone.code, gone.code[::-1])
    file.write_text(json.dumps(held))
    with pytest.raises((NotProven, SourceRefused)):
        read_revoked(file, KEYS)
    file.write_text(revoked_json([gone], NOON, OTHER))
    with pytest.raises(NotProven):
        read_revoked(file, KEYS)
    file.write_text("{}")
    with pytest.raises(SourceRefused):
        read_revoked(file, KEYS)
