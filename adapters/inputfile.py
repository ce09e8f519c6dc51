"""Opens files that people name: kind, size and form are checked before a byte is read.

A directory, a pipe or a device, a file that is too large, and a file that is plainly something else
(compressed, a spreadsheet, UTF-16) are refused by name. Nothing here waits for a writer.
"""

import codecs
import csv
import io
import os
import stat
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from adapters.filemarks import file_mark
from adapters.refusals import SourceRefused, refused

_HEAD_BYTES = 4096
_LONGEST_LINE = 64 * 1024
_LONGEST_ROW = 2 * _LONGEST_LINE
_ROW_LINES = 500
_CHUNK_BYTES = 64 * 1024
_MOST_POINTS = 100
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def open_bytes(path: Path, most_bytes: int) -> BinaryIO:
    """A regular file of at most `most_bytes`, open for reading.

    Raises:
        SourceRefused: it is not there, may not be read, is no regular file, or is too large.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer that may never come.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise refused(path, "file", path.name, _why(error)) from None
    found, fault = os.fstat(handle), None
    if not stat.S_ISREG(found.st_mode):
        fault = refused(path, "file", path.name, "a regular file; not a folder, pipe or device")
    elif found.st_size > most_bytes:
        fault = refused(path, "size", found.st_size, f"at most {most_bytes} bytes")
    if fault is not None:
        os.close(handle)
        raise fault
    return os.fdopen(handle, "rb")


def open_text(path: Path, most_bytes: int) -> io.TextIOWrapper:
    """A text file in UTF-8, with or without its mark, open for reading; line ends stay as they are.

    Raises:
        SourceRefused: as `open_bytes`, and where its first bytes are not those of UTF-8 text.
    """
    source = open_bytes(path, most_bytes)
    try:
        head = source.read(_HEAD_BYTES)
    except OSError as error:
        source.close()
        raise refused(path, "file", path.name, _why(error)) from None
    source.seek(0)
    if fault := _no_text(head):
        source.close()
        raise refused(path, "content", path.name, f"text in UTF-8; this {fault}")
    return io.TextIOWrapper(source, encoding="utf-8-sig", errors="strict", newline="")


def read_text(path: Path, most_bytes: int) -> str:
    """The whole text of a file in UTF-8.

    Raises:
        SourceRefused: as `open_text`, and where a byte is not UTF-8.
    """
    with open_text(path, most_bytes) as source:
        try:
            return source.read()
        except UnicodeDecodeError:
            raise _no_utf8(path) from None


def toml_tables(path: Path, most_bytes: int) -> dict[str, Any]:
    """The tables of a TOML file; numbers with a point are exact decimals, never floats.

    Raises:
        SourceRefused: as `read_text`, and where it is no TOML, or nested as nobody writes it. For a
            key with points the parser takes time by the square of their number.
    """
    text = read_text(path, most_bytes)
    for number, line in enumerate(text.splitlines(), start=1):
        if (points := line.count(".")) > _MOST_POINTS:
            raise refused(path, f"line {number}", f"{points} points", f"at most {_MOST_POINTS}")
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise refused(path, "content", path.name, f"TOML in UTF-8: {error}") from None
    except ValueError:
        raise refused(path, "content", path.name, "TOML without endless numbers") from None
    except RecursionError:
        raise refused(path, "content", path.name, "TOML that is less deeply nested") from None


def csv_rows(source: io.TextIOWrapper, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with the number of the line that each ends on.

    Raises:
        SourceRefused: an endless line or row, a byte that is not UTF-8, or no well-formed CSV.
    """
    lines = _Lines(source, path)
    reader = csv.reader(lines, strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            lines.of_row = lines.size = 0
            yield reader.line_num, cells
    except UnicodeDecodeError:
        raise _no_utf8(path) from None
    except csv.Error as error:
        line = max(reader.line_num, 1)
        raise refused(path, f"line {line}", str(error), "well-formed CSV") from None


def _places_of_twins(header: list[str]) -> str:
    """The places, from 1, of the first name that stands twice; empty where none does."""
    number = Counter(header)
    twin = next((name for name in header if number[name] > 1), None)
    places = [place for place, name in enumerate(header, start=1) if name == twin]
    return ", ".join(map(str, places[:10]))


def csv_table(source: io.TextIOWrapper, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file by the names of its header, trimmed; empty rows are left out.

    The header comes first, each name as its own value.

    Raises:
        SourceRefused: as `csv_rows`; a name that stands twice; a row that is longer or shorter.
    """
    header: list[str] = []
    for line, row in csv_rows(source, path):
        cells = [cell.strip() for cell in row]
        if not header:
            header = cells
            if places := _places_of_twins(header):
                # By place: a first line that is no header but a row may hold a person's name.
                raise refused(path, f"line {line}: columns", places, "each column once")
        if not any(cells):
            continue
        if len(cells) != len(header):
            rule = f"{len(header)}, as in the header"
            raise refused(path, f"line {line}: columns", len(cells), rule)
        yield line, dict(zip(header, cells, strict=True))


class _Lines:
    """Lines of at most `_LONGEST_LINE` characters: one endless line must not fill the memory.

    Nor may the lines that a quoted field joins to one row: they are counted until it is whole.
    """

    def __init__(self, source: io.TextIOWrapper, path: Path) -> None:
        self._source, self._path = source, path
        self.of_row = self.size = 0

    def __iter__(self) -> Iterator[str]:
        number = 0
        while line := self._source.readline(_LONGEST_LINE + 1):
            number, self.of_row, self.size = number + 1, self.of_row + 1, self.size + len(line)
            if len(line) > _LONGEST_LINE or self.size > _LONGEST_ROW:
                most = _LONGEST_LINE if len(line) > _LONGEST_LINE else _LONGEST_ROW
                where = f"line {number}"
                raise refused(
                    self._path, where, max(self.size, len(line)), f"at most {most} characters"
                )
            if self.of_row > _ROW_LINES:
                rule = f"at most {_ROW_LINES} lines of one row: is a quote not closed?"
                raise refused(self._path, f"line {number}", self.of_row, rule)
            yield line


def _no_utf8(path: Path) -> SourceRefused:
    """The error of a file with a byte that is not UTF-8, by its line and its character there.

    Decoders read ahead of the lines that they give, so the file is read anew.
    """
    line = column = 1
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    # Makes one of the two characters that may end a line, also where they lie in two chunks.
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    with open_bytes(path, sys.maxsize) as source:
        chunk = b"read"
        while chunk:
            chunk, fault = source.read(_CHUNK_BYTES), None
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                fault, text = error, error.object[: error.start].decode("utf-8-sig")
            text = newlines.decode(text, final=fault is not None)
            if ends := text.count("\n"):
                line, column = line + ends, len(text) - text.rindex("\n")
            else:
                column += len(text)
            if fault is not None:
                byte = f"byte 0x{fault.object[fault.start]:02x}"
                return refused(path, f"line {line}, column {column}", byte, "text in UTF-8")
    return refused(path, "content", path.name, "a file that stays the same while it is read")


def _no_text(head: bytes) -> str:
    if mark := file_mark(head):
        return f"is {mark}"
    if head.startswith(_UTF_16):
        return "is UTF-16: save it as UTF-8"
    return "holds binary data" if b"\x00" in head else ""


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "must exist"
        case PermissionError():
            return "must be a file that may be read"
        case _:
            return f"a file that can be opened and read ({os.strerror(error.errno or 0)})"
