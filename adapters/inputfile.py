"""Opens files that people name: kind, size and form are checked before a byte is read.

A directory, a pipe or a device, a file that is too large, and a file that is plainly something else
(compressed, a spreadsheet, UTF-16) are refused by name. Nothing here waits for a writer.
"""

import codecs
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

from adapters.filemarks import file_mark
from adapters.refusals import SourceRefused
from domain.errors import InvalidInput

_HEAD_BYTES = 4096
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
        raise _refused(path, "file", path.name, _why(error)) from None
    found, fault = os.fstat(handle), None
    if not stat.S_ISREG(found.st_mode):
        fault = _refused(path, "file", path.name, "a regular file; not a folder, pipe or device")
    elif found.st_size > most_bytes:
        fault = _refused(path, "size", found.st_size, f"at most {most_bytes} bytes")
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
    head = source.read(_HEAD_BYTES)
    source.seek(0)
    if fault := _no_text(head):
        source.close()
        raise _refused(path, "content", path.name, f"text in UTF-8; this {fault}")
    return io.TextIOWrapper(source, encoding="utf-8-sig", errors="strict", newline="")


def read_text(path: Path, most_bytes: int) -> str:
    """The whole text of a file in UTF-8.

    Raises:
        SourceRefused: as `open_text`, and where a byte is not UTF-8.
    """
    with open_text(path, most_bytes) as source:
        try:
            return source.read()
        except UnicodeDecodeError as error:
            where = f"byte {error.start}"
            raise _refused(path, where, error.object[error.start], "text in UTF-8") from None


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
            return f"a file that can be opened ({os.strerror(error.errno or 0)})"


def _refused(path: Path, field: str, value: object, rule: str) -> SourceRefused:
    return SourceRefused(str(path), [InvalidInput(field, value, rule)])
