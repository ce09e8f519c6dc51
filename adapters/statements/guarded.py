"""Guards the XML parser: limits sizes, refuses document types, and hashes what passes.

A document type is the only way into entities, external or exponential, and it can stand only before
the root element. So a second expat parser looks at the bytes until the root has begun and then
leaves; the rest of the file costs nothing extra.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

from adapters.statements.formats import refuse_no_text
from ports.archive import FILE_BYTES_MOST
from ports.statements import StatementRefused


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one file may ask of us. The defaults let a day of a large lender pass.

    Attributes:
        size_bytes: of the whole file.
        held_bytes: read since the last entry or transaction was finished, so that neither one
            endless text nor endless siblings fill the memory.
        depth: elements inside each other; the message itself needs about 15.
        statements, entries: in one file. items: transactions in one entry.
        line_bytes: one line of a text format, or a field or record of several lines.
        field_lines: lines of one field or record.
    """

    size_bytes: int = FILE_BYTES_MOST
    held_bytes: int = 2 << 20
    depth: int = 40
    statements: int = 2_000
    entries: int = 2_000_000
    items: int = 100_000
    line_bytes: int = 64 << 10
    field_lines: int = 500


class GuardedSource:
    """Reads from `source` and refuses what must not reach the parser.

    Raises:
        StatementRefused: from `read`, at the first breach.
    """

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._hash = hashlib.sha256()
        self._prolog: expat.XMLParserType | None = _prolog_parser(self._root_begun)
        self.size_bytes = 0
        self.held_bytes = 0

    @property
    def sha256(self) -> str:
        """Of everything read so far: of the file, once `read` has answered nothing."""
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, already looked at; at most 64 KiB whatever is asked."""
        chunk = self._source.read(_CHUNK if size < 0 else min(size, _CHUNK))
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        self.held_bytes += len(chunk)
        if self.size_bytes > self._limits.size_bytes:
            most = self._limits.size_bytes
            raise StatementRefused("file", f"over {most} bytes", f"at most {most} bytes")
        if self.held_bytes > self._limits.held_bytes:
            most = self._limits.held_bytes
            rule = f"no element but a batch is larger than {most} bytes"
            raise StatementRefused("file", f"over {most} bytes without an entry", rule)
        if self.size_bytes == len(chunk):
            refuse_no_text(chunk)
        if self._prolog is not None:
            self._look(self._prolog, chunk)
        return chunk

    def _look(self, parser: expat.XMLParserType, chunk: bytes) -> None:
        try:
            parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise StatementRefused("XML", error, "well-formed XML", error.lineno) from None
        except (LookupError, ValueError) as error:
            raise StatementRefused("XML", error, "an encoding that we know", 1) from None

    def _root_begun(self) -> None:
        self._prolog = None


_CHUNK = 64 * 1024


def _prolog_parser(root_begun: Callable[[], None]) -> expat.XMLParserType:
    parser = expat.ParserCreate()

    def doctype(name: str, *declared: object) -> None:
        del declared  # the mere presence is refused
        line = parser.CurrentLineNumber
        raise StatementRefused("DOCTYPE", name, "no document type and no entities", line)

    def element(name: str, attributes: object) -> None:
        del name, attributes
        parser.StartElementHandler = None
        root_begun()

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    return parser
