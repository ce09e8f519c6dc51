"""Evidence bundles as files: a ZIP archive of stored members, a manifest of digests, a signature.

Members are not compressed and stand in one fixed order with one fixed time, so the same content has
the same bytes, and no small file can unfold into a large one. A reader accepts exactly such
archives: everything else is refused before any of it is believed.
"""

import hashlib
import json
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Annotated, Any, BinaryIO, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.validation import faults_of
from domain.errors import InvalidInput
from domain.ledger.checkpoint import (
    NOTE_MOST_BYTES,
    ORIGIN_MOST,
    Checkpoint,
    Signature,
    TreeHead,
    read_checkpoint,
    read_signatures,
)
from domain.ledger.merkle import SIZE_MOST
from domain.ledger.proofs import NotProven
from domain.text import shortened
from ports.evidence import PARTS, ROWS_MOST, PartRow

FORMAT = "acquit.bundle.v1"
CHECKPOINT, MANIFEST, SIGNATURE = "checkpoint", "manifest.json", "manifest.sig"
MEMBERS = (CHECKPOINT, *PARTS, MANIFEST, SIGNATURE)
FILE_MOST_BYTES = 2 * 1024**3
ROW_MOST_BYTES = 6 * 1024 * 1024
_SMALL_MOST = 64 * 1024
_OLDEST = (1980, 1, 1, 0, 0, 0)
_END = struct.Struct("<4s4H2LH")
_END_MARK, _LARGE_MARK = b"PK\x05\x06", b"PK\x06\x07"
_DIRECTORY_MOST = 4096
_HEAD_BYTES = 30
_RULE = "as `acquit evidence export` writes it"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Member(_Strict):
    """What the manifest says of one member."""

    name: str
    size: Annotated[int, Field(ge=0, le=FILE_MOST_BYTES)]
    rows: Annotated[int, Field(ge=0, le=ROWS_MOST)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(_Strict):
    """What a bundle is about, and the digest of every member that stands before it."""

    format: Literal["acquit.bundle.v1"]
    loan: Annotated[str, Field(min_length=1, max_length=120)]
    origin: Annotated[str, Field(max_length=ORIGIN_MOST)]
    size: Annotated[int, Field(ge=1, le=SIZE_MOST)]
    members: Annotated[list[Member], Field(max_length=len(MEMBERS))]


def signed_text(origin: str, size: int, manifest: bytes) -> str:
    """What is signed of a bundle; it ends with a line break."""
    return f"{FORMAT}\n{origin}\n{size}\n{hashlib.sha256(manifest).hexdigest()}\n"


def json_row(row: Mapping[str, Any]) -> bytes:
    """A row as it stands in a bundle: one line, names in order, ASCII."""
    return json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n"


class BundleWriter:
    """Writes one bundle to a file that can be positioned; a row is in memory at a time.

    Rows come in the order of `PARTS`. `seal` ends it: without it the file is none.
    """

    def __init__(self, output: BinaryIO, loan_id: str, checkpoint: Checkpoint) -> None:
        self._zip = zipfile.ZipFile(output, "w", zipfile.ZIP_STORED, allowZip64=False)
        self._loan, self._head = loan_id, checkpoint.head
        self._members: list[Member] = []
        self._open: _Writing | None = None
        self._begin(CHECKPOINT)
        self._add(checkpoint.text().encode())

    def take(self, row: PartRow) -> None:
        """Add a row to its part."""
        while self._open is None or self._open.name != row.part:
            self._begin(MEMBERS[len(self._members) + (self._open is not None)])
        content = json_row(row.row)
        if len(content) > ROW_MOST_BYTES:
            raise InvalidInput(row.part, f"a row of {len(content)} bytes", f"{ROW_MOST_BYTES}")
        self._add(content)

    def manifest(self) -> bytes:
        """The manifest of everything that was taken; nothing can be added behind it."""
        while len(self._members) + 1 < len(MEMBERS) - 2:
            self._begin(MEMBERS[len(self._members) + 1])
        self._end()
        found = Manifest(
            format="acquit.bundle.v1",
            loan=self._loan,
            origin=self._head.origin,
            size=self._head.size,
            members=list(self._members),
        )
        return json_row(found.model_dump())

    def seal(self, manifest: bytes, signature: Signature) -> None:
        """Write the manifest with its signature, and end the file."""
        for name, content in ((MANIFEST, manifest), (SIGNATURE, signature.line().encode())):
            self._zip.writestr(_info(name), content)
        self._zip.close()

    def abandon(self) -> None:
        """Give up: what was written so far is no bundle, and the output may be used again."""
        self._end()
        self._zip.close()

    def _begin(self, name: str) -> None:
        self._end()
        self._open = _Writing(name, self._zip.open(_info(name), "w"))

    def _end(self) -> None:
        if self._open is not None:
            self._members.append(self._open.ended())
            self._open = None

    def _add(self, content: bytes) -> None:
        if self._open is not None:
            self._open.add(content)


class _Writing:
    """A member that is being written."""

    def __init__(self, name: str, output: IO[bytes]) -> None:
        self.name, self._output = name, output
        self._hash, self._size, self._rows = hashlib.sha256(), 0, 0

    def add(self, content: bytes) -> None:
        self._output.write(content)
        self._hash.update(content)
        self._size += len(content)
        self._rows += 1

    def ended(self) -> Member:
        self._output.close()
        rows = 0 if self.name == CHECKPOINT else self._rows
        return Member(name=self.name, size=self._size, rows=rows, sha256=self._hash.hexdigest())


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _OLDEST)
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


@dataclass(frozen=True, slots=True)
class Sealed:
    """The signed head of a bundle: read and well-formed, none of it verified."""

    manifest: Manifest
    text: str
    signatures: tuple[Signature, ...]
    checkpoint: Checkpoint

    @property
    def head(self) -> TreeHead:
        """The head of the ledger under which everything is proven."""
        return self.checkpoint.head


class BundleFile:
    """An open bundle. What is no bundle, or is more than one, is refused by field and rule.

    Raises:
        InvalidInput: the archive, its manifest or a row breaks a rule.
        NotProven: a member is not the one of the manifest.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._zip = _archive(source)
        self.sealed = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._zip.close()

    def _read(self) -> Sealed:
        content = self._small(MANIFEST)
        try:
            manifest = Manifest.model_validate(read_row(MANIFEST, content))
        except ValidationError as error:
            fault = faults_of(error)[0]
            raise InvalidInput(f"{MANIFEST} {fault.field}", fault.value, fault.rule) from None
        if [one.name for one in manifest.members] != list(MEMBERS[:-2]):
            raise InvalidInput(MANIFEST, "its members", "every member in its order, each once")
        for one in manifest.members:
            self._must_be(one)
        checkpoint = read_checkpoint(_ascii(CHECKPOINT, self._small(CHECKPOINT)))
        if (checkpoint.head.origin, checkpoint.head.size) != (manifest.origin, manifest.size):
            raise NotProven(CHECKPOINT, checkpoint.head.size, f"of {manifest.size} items, as said")
        text = signed_text(manifest.origin, manifest.size, content)
        signatures = read_signatures(_ascii(SIGNATURE, self._small(SIGNATURE)))
        return Sealed(manifest, text, signatures, checkpoint)

    @contextmanager
    def _reading(self, name: str) -> Iterator[IO[bytes]]:
        """A member that is read; one whose bytes are not its own proves nothing."""
        try:
            with self._zip.open(name) as source:
                yield source
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
            raise NotProven(name, "its bytes", "those that were written") from None

    def _must_be(self, one: Member) -> None:
        found, size = hashlib.sha256(), 0
        with self._reading(one.name) as source:
            while part := source.read(1024 * 1024):
                found.update(part)
                size += len(part)
        if (size, found.hexdigest()) != (one.size, one.sha256):
            raise NotProven(one.name, f"{size} bytes", "the bytes whose digest is in the manifest")

    def _small(self, name: str) -> bytes:
        most = NOTE_MOST_BYTES if name != MANIFEST else _SMALL_MOST
        with self._reading(name) as source:
            content = source.read(most + 1)
        if len(content) > most:
            raise InvalidInput(name, "(too long)", f"at most {most} bytes")
        return content

    def rows(self, name: str) -> Iterator[Mapping[str, Any]]:
        """The rows of a part, one at a time; their number is that of the manifest."""
        said = next(one.rows for one in self.sealed.manifest.members if one.name == name)
        most = 1 if name.endswith(".json") else ROWS_MOST
        count = 0
        with self._reading(name) as source:
            while line := source.readline(ROW_MOST_BYTES + 1):
                count += 1
                if len(line) > ROW_MOST_BYTES or not line.endswith(b"\n") or count > most:
                    raise InvalidInput(name, f"row {count}", "a whole line of JSON, not too many")
                yield read_row(f"{name} row {count}", line)
        if count != said:
            raise InvalidInput(name, f"{count} rows", f"{said}, as in the manifest")


def read_row(field: str, content: bytes) -> Mapping[str, Any]:
    """One JSON object; a name that stands twice, a deep nest or a number with a point is refused.

    Raises:
        InvalidInput: it is none.
    """
    try:
        found = json.loads(
            content, object_pairs_hook=_unique, parse_constant=_none, parse_float=_none
        )
    except (ValueError, RecursionError):
        raise InvalidInput(
            field, "(not shown)", "JSON, not deeply nested, each name once"
        ) from None
    if not isinstance(found, dict):
        raise InvalidInput(field, "(not shown)", "a JSON object")
    return found


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _none(word: str) -> None:
    raise ValueError(word)


def _ascii(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidInput(name, "(not shown)", "text in UTF-8") from None


def _archive(source: BinaryIO) -> zipfile.ZipFile:
    """The archive, whose members fill the file from its first byte to its directory."""
    size = source.seek(0, 2)
    if not _END.size + 20 <= size <= FILE_MOST_BYTES:
        raise InvalidInput("bundle", f"{size} bytes", f"an archive of up to {FILE_MOST_BYTES}")
    source.seek(size - _END.size - 20)
    before, last = source.read(20), source.read(_END.size)
    mark, disk, first, here, entries, length, start, comment = _END.unpack(last)
    plain = (disk, first, comment) == (0, 0, 0) and here == entries == len(MEMBERS)
    ends = start + length == size - _END.size and length <= _DIRECTORY_MOST
    if mark != _END_MARK or before[:4] == _LARGE_MARK or not plain or not ends:
        rule = f"an archive of {len(MEMBERS)} members, {_RULE}"
        raise InvalidInput("bundle", "the end of the file", rule)
    try:
        found = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise InvalidInput("bundle", "its directory", f"an archive {_RULE}") from None
    _must_be_plain(found.infolist(), start)
    return found


_NAME = re.compile(r"[a-z.]{1,40}")


def _must_be_plain(found: Sequence[zipfile.ZipInfo], directory: int) -> None:
    """See that the members are ours, in order, stored, and that nothing lies between them."""
    at = 0
    for info, name in zip(found, MEMBERS, strict=True):
        shown = info.filename if _NAME.fullmatch(info.filename) else repr(info.filename)
        if info.filename != name:
            raise InvalidInput("bundle member", shortened(shown, 80), f"{name} in this place")
        odd = info.compress_type or info.flag_bits or info.extra or info.comment
        if odd or info.file_size != info.compress_size:
            raise InvalidInput("bundle member", name, "stored as it is, neither packed nor hidden")
        if info.header_offset != at:
            raise InvalidInput("bundle member", name, f"at byte {at}, behind the one before")
        at += _HEAD_BYTES + len(name) + info.file_size
    if at != directory:
        raise InvalidInput("bundle", f"{directory - at} bytes", "nothing beside its members")
