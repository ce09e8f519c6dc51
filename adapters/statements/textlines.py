"""Reads a text file line by line within limits, hashes what passes, and decodes each line."""

import codecs
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from adapters.statements.formats import refuse_no_text
from adapters.statements.guarded import Limits
from ports.statements import StatementRefused

Decode = Callable[[bytes], str]
_CHUNK = 64 * 1024
_ENDS = b"\r\x1a\x03"
"""What old systems write behind the last line: the end of a text, of a file."""


def western(line: bytes) -> str:
    """UTF-8, else Windows-1252 as banks of the West write it; each line by itself."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


class TextLines:
    """Iterates `(number, text)` of the lines, from 1; ends of lines are LF, CR LF or CR.

    Raises:
        StatementRefused: a file or a line that is too long, a NUL byte, UTF-16, an archive.
    """

    def __init__(self, source: BinaryIO, limits: Limits, decode: Decode = western) -> None:
        self._source, self.limits, self._decode = source, limits, decode
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self._number = 0

    @property
    def sha256(self) -> str:
        """Of everything read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        left = b""
        while chunk := self._source.read(_CHUNK):
            self._look(chunk)
            text = left + chunk
            held = b"\r" if text.endswith(b"\r") else b""  # the second half may be in what follows
            parts = text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *whole, left = parts.split(b"\n")
            for line in whole:
                yield self._line(line)
            left += held
            self._refuse_long(left)
        if left := left.rstrip(_ENDS):
            yield self._line(left)

    def _line(self, line: bytes) -> tuple[int, str]:
        self._refuse_long(line)
        self._number += 1
        if self._number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        return self._number, self._decode(line)

    def _refuse_long(self, line: bytes) -> None:
        most = self.limits.line_bytes
        if len(line) > most:
            rule = f"at most {most} bytes in a line"
            raise StatementRefused("line", f"over {most} bytes", rule, self._number + 1)

    def _look(self, chunk: bytes) -> None:
        if self.size_bytes == 0:
            refuse_no_text(chunk)
            if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise StatementRefused("file", "UTF-16", "text in one byte or UTF-8; save it so", 1)
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        if self.size_bytes > self.limits.size_bytes:
            most = self.limits.size_bytes
            raise StatementRefused("file", f"over {most} bytes", f"at most {most} bytes")
        if (place := chunk.find(b"\x00")) >= 0:
            line = self._number + 1 + chunk.count(b"\n", 0, place)
            raise StatementRefused("line", "a NUL byte", "text without NUL bytes", line)


@contextmanager
def rewindable(source: BinaryIO, limits: Limits) -> Iterator[BinaryIO]:
    """The source itself where it can be read twice, else a copy on disk within the limits.

    Raises:
        StatementRefused: a source that is larger than the limits allow.
    """
    if source.seekable():
        yield source
        return
    with TemporaryFile() as copy:
        size = 0
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > limits.size_bytes:
                most = limits.size_bytes
                raise StatementRefused("file", f"over {most} bytes", f"at most {most} bytes")
            copy.write(chunk)
        copy.seek(0)
        yield cast("BinaryIO", copy)
