"""Knows files by the bytes that they begin with: packed ones, spreadsheets and documents."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileMark:
    """A kind of file that holds no text, by its first bytes.

    Attributes:
        name: what the file is; `article` stands before it in a sentence.
        remedy: what makes text of it; empty where nothing does.
    """

    first_bytes: bytes
    name: str
    article: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.article} {self.name}".lstrip()
        return f"{text}: {self.remedy}" if self.remedy else text


_UNPACK = "unpack it first"
_MARKS = (
    FileMark(b"\x1f\x8b", "gzip", remedy=_UNPACK),
    FileMark(b"BZh", "bzip2", remedy=_UNPACK),
    FileMark(b"\xfd7zXZ\x00", "xz", remedy=_UNPACK),
    FileMark(b"\x28\xb5\x2f\xfd", "zstd", remedy=_UNPACK),
    FileMark(
        b"PK\x03\x04", "zip archive or spreadsheet (xlsx)", "a", "unpack it or save it as text"
    ),
    FileMark(
        b"\xd0\xcf\x11\xe0", "old spreadsheet or document (xls, doc)", "an", "save it as text"
    ),
    FileMark(b"%PDF-", "PDF", "a"),
)


def file_mark(start: bytes) -> FileMark | None:
    """The kind of a file that begins so, if it is one that holds no text."""
    return next((mark for mark in _MARKS if start.startswith(mark.first_bytes)), None)
