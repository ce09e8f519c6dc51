"""Ed25519 keys: made and read from PEM files that nobody else may read; signatures verified."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapters.inputfile import open_bytes, read_text
from adapters.refusals import SourceRefused, refused
from domain.errors import InvalidInput
from domain.ledger.checkpoint import (
    Checkpoint,
    PublicKey,
    Signature,
    TreeHead,
    read_public_keys,
)
from domain.ledger.proofs import NotProven
from ports.signing import Signer

KEY_FILE_MOST_BYTES = 16 * 1024
KEYS_FILE_MOST_BYTES = 1024 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PEM = "-----BEGIN "


class Ed25519Signer:
    """Implements `ports.signing.Signer` with a key in memory; its text shows no key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Ed25519Signer(...)"

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """The signature of some bytes, 64 bytes."""
        return self._key.sign(content)


def new_key(path: Path) -> Ed25519Signer:
    """Make a key and write it to a new file (PKCS #8 in PEM) that only its owner may read.

    Raises:
        InvalidInput: the name is taken, or its folder is not there.
    """
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    if not path.parent.is_dir():
        raise InvalidInput("key file", str(path), "a file in a folder that is there")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        raise InvalidInput(
            "key file", str(path), "a name that is free; no key is replaced"
        ) from None
    with os.fdopen(handle, "wb") as output:
        output.write(content)
        output.flush()
        os.fsync(output.fileno())
    return Ed25519Signer(key)


def read_key(path: Path) -> Ed25519Signer:
    """The private key of a file.

    Raises:
        SourceRefused: it is no regular file, others than its owner may use it, it is somebody
            else's, or it holds no Ed25519 key without a password. No content is shown.
    """
    with open_bytes(path, KEY_FILE_MOST_BYTES) as source:
        found = os.fstat(source.fileno())
        if found.st_mode & _OTHERS:
            mode = f"{stat.S_IMODE(found.st_mode):04o}"
            raise refused(path, "permissions", mode, "0600 or 0400: nobody but its owner")
        if found.st_uid not in {os.geteuid(), 0}:
            raise refused(path, "owner", found.st_uid, "the user of this program, or root")
        content = source.read()
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise refused(path, "key", "(not shown)", "an Ed25519 key in PEM (PKCS #8), no password")
    return Ed25519Signer(key)


def read_keys(path: Path) -> tuple[PublicKey, ...]:
    """The public keys of a file: lines as notes write keys, or one key in PEM.

    Raises:
        SourceRefused: it is neither.
    """
    text = read_text(path, KEYS_FILE_MOST_BYTES)
    try:
        return (_pem_key(text),) if text.lstrip().startswith(_PEM) else read_public_keys(text)
    except InvalidInput as fault:
        raise SourceRefused(str(path), [fault]) from None


def _pem_key(text: str) -> PublicKey:
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput("public key", "(not shown)", "a public Ed25519 key in PEM")
    return PublicKey(None, key.public_bytes_raw())


def public_pem(key: bytes) -> str:
    """A public key in PEM, as other programs read it."""
    return (
        Ed25519PublicKey.from_public_bytes(key)
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def is_genuine(key: bytes, content: bytes, signature: bytes) -> bool:
    """Whether a signature of some bytes was made with the private half of a key."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed(text: str, name: str, signer: Signer) -> Signature:
    """The line of signature of a text, in the name of its origin."""
    key = PublicKey(name, signer.public)
    return Signature(name, key.key_id(name), signer.sign(text.encode()))


def must_be_signed(checkpoint: Checkpoint, keys: Iterable[PublicKey]) -> PublicKey:
    """The key among `keys` that signed a checkpoint in the name of its origin.

    Raises:
        NotProven: none of them did; or one did that was no longer to sign at that size.
    """
    head = checkpoint.head
    return key_of("checkpoint", head.text(), checkpoint.signatures, head, keys)


def key_of(
    what: str,
    text: str,
    signatures: Iterable[Signature],
    head: TreeHead,
    keys: Iterable[PublicKey],
) -> PublicKey:
    """The key that signed a text in the name of a ledger, at the size that the ledger had.

    Raises:
        NotProven: none did; or one did that was no longer to sign at that size. It names `what`.
    """
    content = text.encode()
    own = [one for one in signatures if one.name == head.origin]
    known = list(keys)
    for signature in own:
        for key in known:
            matching = key.matches(signature, head.size)
            if matching and is_genuine(key.content, content, signature.content):
                return key
    ids = ", ".join(one.key_id.hex() for one in own) or f"nobody named {head.origin}"
    rule = "signed by one of the public keys, as long as that key was in use"
    raise NotProven(f"{what} signature", ids, rule)
