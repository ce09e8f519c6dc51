"""Checkpoints: what a ledger was at one size, as text that is signed and kept by others.

The text is a checkpoint of C2SP `tlog-checkpoint` inside a `signed-note`: the origin, the number of
records, the root in base64, two extension lines, an empty line, and a line for each signature.
Signing itself is not here: it needs a library.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from domain.errors import InvalidInput
from domain.ledger.merkle import HASH_BYTES, SIZE_MOST
from domain.text import shortened

NOTE_MOST_BYTES = 16 * 1024
SIGNATURES_MOST = 16
KEYS_MOST = 1_000
ORIGIN_MOST = 160
ED25519 = b"\x01"
"""The algorithm's byte in ids of keys and in their written form."""
ED25519_COSIGNATURE = b"\x04"
"""The same for witnesses, who sign a time with the text (C2SP `tlog-cosignature`)."""
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_KEY_ID_BYTES = 4
_SHOWN = 80
_DASH = "\N{EM DASH} "
_NAME = re.compile(r"[!-*,-~]+")
_SIZE = re.compile(r"[1-9][0-9]{0,18}")
_HEX = re.compile(r"[0-9a-f]{64}")
_NOTE = "the text of a checkpoint, an empty line, and lines of signatures"


def bad(field: str, value: object, rule: str) -> InvalidInput:
    """The refusal of one value, shown in part."""
    return InvalidInput(field, shortened(str(value), _SHOWN), rule)


def origin_of(books_id: str, ledger: str) -> str:
    """The name under which one ledger of one set of books is known for ever."""
    return f"acquit/{books_id}/{ledger}"


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A ledger at one size: the root over its first `size` records, and the hash of the last one.

    Attributes:
        origin: see `origin_of`.
        size: number of records, at least 1.
        root: of the Merkle tree over the hashes of the records, 32 bytes.
        head: the chain's hash of record `size`, 64 hexadecimal characters.
        at: when it was written, UTC.
    """

    origin: str
    size: int
    root: bytes
    head: str
    at: datetime

    def text(self) -> str:
        """What is signed; it ends with a line break."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nhead {self.head}\ntime {_time(self.at)}\n"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of signature: who signed, the id of the key, and the signature itself."""

    name: str
    key_id: bytes
    content: bytes

    def line(self) -> str:
        """The line as it stands in a note, with its line break."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.content).decode()}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head with its signatures, which are not verified by reading them."""

    head: TreeHead
    signatures: tuple[Signature, ...]

    def text(self) -> str:
        """The whole file."""
        return f"{self.head.text()}\n{''.join(one.line() for one in self.signatures)}"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies signatures: `name+id+base64`, as notes write keys.

    Attributes:
        name: of who signs; None where only the key is known (a PEM file): any name will do.
        content: the Ed25519 key, 32 bytes.
        upto: of a key that is used no more, the largest tree that it has signed; None: no limit.
        algorithm: `ED25519`, or `ED25519_COSIGNATURE` of a witness.
    """

    name: str | None
    content: bytes
    upto: int | None = None
    algorithm: bytes = ED25519

    def key_id(self, name: str) -> bytes:
        """The first four bytes of the digest of name, algorithm and key."""
        named = name.encode() + b"\n" + self.algorithm + self.content
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    def text(self) -> str:
        """The key in one line, without a line break; a PEM key has no such line."""
        name = self.name or ""
        encoded = base64.b64encode(self.algorithm + self.content).decode()
        limit = "" if self.upto is None else f" {self.upto}"
        return f"{name}+{self.key_id(name).hex()}+{encoded}{limit}"

    def matches(self, signature: Signature, size: int) -> bool:
        """Whether a signature says that it was made with this key, and the key may sign a tree."""
        named = self.name is None or self.name == signature.name
        allowed = self.upto is None or size <= self.upto
        return named and allowed and self.key_id(signature.name) == signature.key_id


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from the text of its file.

    Raises:
        InvalidInput: it is none; names the line, its value and the rule.
    """
    if len(text) > NOTE_MOST_BYTES:
        raise bad("checkpoint", f"{len(text)} characters", f"at most {NOTE_MOST_BYTES}")
    body, separator, rest = text.partition("\n\n")
    if not separator:
        raise bad("checkpoint", text, _NOTE)
    signatures = read_signatures(rest)
    if not signatures:
        raise bad("checkpoint", "no signature", "at least one line of signature")
    return Checkpoint(_tree_head(body.split("\n")), signatures)


def _tree_head(lines: list[str]) -> TreeHead:
    names = ("origin", "size", "root", "head", "time")
    if len(lines) != len(names):
        raise bad("checkpoint", f"{len(lines)} lines", f"five: {', '.join(names)}")
    origin, size, root, head, time = lines
    if not _NAME.fullmatch(origin) or len(origin) > ORIGIN_MOST:
        rule = f"up to {ORIGIN_MOST} printable characters without space or plus sign"
        raise bad("checkpoint origin", origin, rule)
    content = from_base64(root)
    if content is None or len(content) != HASH_BYTES:
        raise bad("checkpoint root", root, f"{HASH_BYTES} bytes in base64")
    word, _, chained = head.partition(" ")
    if word != "head" or not _HEX.fullmatch(chained):
        raise bad("checkpoint head", head, "`head ` and 64 hexadecimal characters")
    return TreeHead(origin, read_size("checkpoint size", size), content, chained, _instant(time))


def read_size(field: str, text: str) -> int:
    """A number of records.

    Raises:
        InvalidInput: it is not written as a whole number above zero that a journal can have.
    """
    if not _SIZE.fullmatch(text) or int(text) > SIZE_MOST:
        raise bad(field, text, f"a whole number from 1 to {SIZE_MOST}")
    return int(text)


def _instant(line: str) -> datetime:
    word, _, text = line.partition(" ")
    try:
        found = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        found = None
    if word != "time" or found is None or _time(found) != text:
        raise bad("checkpoint time", line, "`time ` and YYYY-MM-DDTHH:MM:SS.ffffffZ")
    return found


def read_signatures(text: str) -> tuple[Signature, ...]:
    """Lines of signatures.

    Raises:
        InvalidInput: a line is none, two are of one key, or there are more than `SIGNATURES_MOST`.
    """
    *lines, rest = text.split("\n")
    if rest or len(lines) > SIGNATURES_MOST:
        rule = f"up to {SIGNATURES_MOST} whole lines"
        raise bad("signatures", rest or f"{len(lines)} lines", rule)
    found = tuple(_signature(line) for line in lines)
    if len({(one.name, one.key_id) for one in found}) != len(found):
        raise bad("signatures", found[0].name, "one line for each key")
    return found


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    content = from_base64(encoded)
    named = line.startswith(_DASH) and _NAME.fullmatch(name) and len(name) <= ORIGIN_MOST
    if not named or content is None or len(content) < _KEY_ID_BYTES + SIGNATURE_BYTES:
        raise bad("signature", line, "an em dash, a space, a name, a space, base64")
    return Signature(name, content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:])


def read_public_keys(text: str) -> tuple[PublicKey, ...]:
    """Keys, one in each line; empty lines and lines that begin with `#` are left out.

    Raises:
        InvalidInput: a line is no key, one stands twice, or there are none or too many.
    """
    lines = [line.strip() for line in text.splitlines()]
    keys = [_public_key(line) for line in lines if line and not line.startswith("#")]
    if not 1 <= len(keys) <= KEYS_MOST:
        raise bad("public keys", len(keys), f"1 to {KEYS_MOST} lines")
    plain = {replace(key, upto=None) for key in keys}
    if len(plain) != len(keys):
        raise bad("public keys", f"{len(keys) - len(plain)} repeated", "each key once")
    return tuple(keys)


def _public_key(line: str) -> PublicKey:
    written, _, limit = line.partition(" ")
    name, _, rest = written.partition("+")
    key_id, _, encoded = rest.partition("+")
    content = from_base64(encoded) or b""
    algorithm, key = content[:1], content[1:]
    known = algorithm in {ED25519, ED25519_COSIGNATURE} and len(key) == KEY_BYTES
    if not known or not _NAME.fullmatch(name) or len(name) > ORIGIN_MOST:
        raise bad("public key", line, "NAME+ID+BASE64, an Ed25519 key as notes write it")
    upto = read_size("public key limit", limit) if limit else None
    found = PublicKey(name, key, upto, algorithm)
    if found.key_id(name).hex() != key_id:
        raise bad("public key id", key_id, f"{found.key_id(name).hex()}, by name and key")
    return found


def from_base64(text: str) -> bytes | None:
    """The bytes that a text stands for; None where no encoder would write it so."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if base64.b64encode(found).decode() == text else None
