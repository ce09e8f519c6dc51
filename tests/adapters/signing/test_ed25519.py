"""Keys in files: made for their owner alone, refused when others may read them, never shown."""

import os
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adapters.refusals import SourceRefused
from adapters.signing.ed25519 import (
    Ed25519Signer,
    is_genuine,
    must_be_signed,
    new_key,
    public_pem,
    read_key,
    read_keys,
    signed,
)
from domain.errors import InvalidInput
from domain.ledger.checkpoint import Checkpoint, PublicKey, TreeHead
from domain.ledger.proofs import NotProven
from ports.signing import Signer
from tests.support.forging import a_signer

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
PEM = (Encoding.PEM, PrivateFormat.PKCS8)


def test_a_new_key_is_its_owners_alone_and_signs(tmp_path: Path) -> None:
    """Mode 0600 from the first moment; what is read back signs as what was made."""
    path = tmp_path / "signing.pem"
    made: Signer = new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = read_key(path)
    assert (again.public, again.sign(b"x")) == (made.public, made.sign(b"x"))
    assert is_genuine(made.public, b"x", made.sign(b"x"))
    path.chmod(0o400)
    assert read_key(path).public == made.public


def test_signatures_are_those_of_the_standard() -> None:
    """RFC 8032, 7.1, test 2: the seed, the public key and the signature of one byte."""
    seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
    signer = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert signer.public.hex() == public
    assert signer.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_no_key_is_replaced(tmp_path: Path) -> None:
    """A name that is taken, and a folder that is not there, are refused; nothing is changed."""
    path = tmp_path / "signing.pem"
    made = new_key(path)
    with pytest.raises(InvalidInput, match="no key is replaced"):
        new_key(path)
    with pytest.raises(InvalidInput, match="a folder that is there"):
        new_key(tmp_path / "no" / "signing.pem")
    assert read_key(path).public == made.public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o777])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    """Read, write or run, group or others: each is one too many."""
    path = tmp_path / "signing.pem"
    new_key(path)
    path.chmod(mode)
    with pytest.raises(SourceRefused, match=f"permissions: '{mode:04o}' is refused: 0600 or 0400"):
        read_key(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Whoever owns it could read and change it."""
    path = tmp_path / "signing.pem"
    new_key(path)
    os.chown(path, 12345, -1)
    with pytest.raises(SourceRefused, match="owner: 12345 is refused"):
        read_key(path)


ANOTHER = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
NO_KEYS = {
    "nothing": b"",
    "no PEM": b"secret-that-nobody-may-see",
    "a public key": ANOTHER.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    ),
    "a key with a password": ANOTHER.private_bytes(*PEM, BestAvailableEncryption(b"p")),
    "a key of another kind": generate_private_key(SECP256R1()).private_bytes(*PEM, NoEncryption()),
    "a large file": b"x" * 100_000,
}


@pytest.mark.parametrize("name", NO_KEYS)
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, name: str) -> None:
    """The error names the file and the rule."""
    path = tmp_path / "signing.pem"
    path.write_bytes(NO_KEYS[name])
    path.chmod(0o600)
    with pytest.raises(SourceRefused) as refused:
        read_key(path)
    assert "secret-that" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_folder_or_a_pipe_is_no_key(tmp_path: Path) -> None:
    """Nothing waits for a writer."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing"):
        with pytest.raises(SourceRefused):
            read_key(path)


def test_a_signer_shows_no_key() -> None:
    """Whatever prints it."""
    assert repr(a_signer()) == str(a_signer()) == "Ed25519Signer(...)"


def test_openssl_reads_what_is_written(tmp_path: Path) -> None:
    """Others need no program of ours: they read the keys, and verify a signature."""
    key, public, text, mark = (tmp_path / name for name in ("k.pem", "p.pem", "text", "mark"))
    signer = new_key(key)
    public.write_text(public_pem(signer.public))
    text.write_bytes(b"what is signed\n")
    mark.write_bytes(signer.sign(b"what is signed\n"))
    words = ("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(public))
    done = subprocess.run(
        [*words, "-in", str(text), "-sigfile", str(mark)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        ["openssl", "pkey", "-in", str(key), "-pubout"], capture_output=True, check=True
    )
    assert shown.stdout.decode() == public.read_text()


def test_public_keys_are_read_as_lines_or_in_pem(tmp_path: Path) -> None:
    """A PEM key has no name: it counts for any."""
    path, key = tmp_path / "keys", PublicKey("acquit/b/main", a_signer().public)
    path.write_text(f"# of the lender\n{key.text()}\n")
    assert read_keys(path) == (key,)
    path.write_text(public_pem(key.content))
    assert read_keys(path) == (replace(key, name=None),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        generate_private_key(SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
)
def test_what_is_no_public_key_is_refused(tmp_path: Path, text: str) -> None:
    """By the name of its file."""
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(SourceRefused, match="public key"):
        read_keys(path)


HEAD = TreeHead("acquit/b/main", 41, b"r" * 32, "ab" * 32, AT)
SIGNED = Checkpoint(HEAD, (signed(HEAD.text(), HEAD.origin, a_signer()),))
KEY = PublicKey(HEAD.origin, a_signer().public)


@pytest.mark.parametrize("key", [KEY, replace(KEY, name=None), replace(KEY, upto=41)])
def test_a_checkpoint_is_signed_by_its_key(key: PublicKey) -> None:
    """Among others that have nothing to do with it."""
    stranger = PublicKey(HEAD.origin, a_signer(2).public)
    assert must_be_signed(SIGNED, [stranger, key]) == key


@pytest.mark.parametrize(
    ("checkpoint", "keys"),
    [
        (SIGNED, []),
        (SIGNED, [PublicKey(HEAD.origin, a_signer(2).public)]),
        (SIGNED, [replace(KEY, upto=40)]),
        (SIGNED, [replace(KEY, name="acquit/c/main")]),
        (replace(SIGNED, head=replace(HEAD, size=42)), [KEY]),
        (replace(SIGNED, head=replace(HEAD, root=b"x" * 32)), [KEY]),
        (replace(SIGNED, head=replace(HEAD, head="cd" * 32)), [KEY]),
        (replace(SIGNED, head=replace(HEAD, at=AT.replace(year=2027))), [KEY]),
        (replace(SIGNED, head=replace(HEAD, origin="acquit/c/main")), [KEY]),
        (replace(SIGNED, signatures=(replace(SIGNED.signatures[0], content=b"s" * 64),)), [KEY]),
        (replace(SIGNED, signatures=(replace(SIGNED.signatures[0], content=b"s" * 70),)), [KEY]),
    ],
)
def test_a_checkpoint_that_is_not_signed_proves_nothing(
    checkpoint: Checkpoint, keys: list[PublicKey]
) -> None:
    """Another key, a key that was no longer to sign, another text, another signature."""
    with pytest.raises(NotProven, match="signed by one of the public keys"):
        must_be_signed(checkpoint, keys)
