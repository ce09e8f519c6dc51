"""Recognises what a statement file is by its first bytes, whatever it is called."""

import codecs
import re
from enum import StrEnum

from adapters.filemarks import file_mark
from ports.statements import StatementRefused

LOOKED_AT = 4096
"""How many bytes are looked at."""
_WANTED = "a camt.052, camt.053 or camt.054 message, MT940, MT942, BAI2, or CSV with a map"
_SWIFT = re.compile(rb"\{1:[A-Z]\d\d|:20:|:94[02]:")
_SWIFT_FIELD = re.compile(rb"(?m)^:(?:20|25P?|28C?|60[FM]|34F):")
_BAI2 = re.compile(rb"01,[^,\r\n]*,[^,\r\n]*,\d{6},\d{0,4},")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Format(StrEnum):
    """The families of formats; each has a reader of its own."""

    CAMT = "camt"
    """ISO 20022 in XML."""
    SWIFT = "swift"
    """MT940 and MT942."""
    BAI2 = "bai2"
    """Cash management reports of banks of the United States and elsewhere."""
    TEXT = "text"
    """Any other text, which may be a table that a map explains."""


def format_of(start: bytes) -> Format:
    """The format of a file that begins so; text of no known form may be a table.

    Raises:
        StatementRefused: the file is empty, packed, a document, or holds no text.
    """
    refuse_no_text(start)
    text = start[:LOOKED_AT].removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        raise StatementRefused("file", "empty", _WANTED, 1)
    if start.startswith(_UTF_16):
        if not start[:LOOKED_AT].decode("utf-16", errors="ignore").lstrip().startswith("<"):
            raise StatementRefused("file", "UTF-16", "text in UTF-8; save it so", 1)
        return Format.CAMT
    if text.startswith(b"<"):
        return Format.CAMT
    if b"\x00" in text:
        raise StatementRefused("file", "binary data", _WANTED, 1)
    if _BAI2.match(text):
        return Format.BAI2
    if _SWIFT.match(text) or len(_SWIFT_FIELD.findall(text)) > 1:
        return Format.SWIFT
    return Format.TEXT


def refuse_no_text(start: bytes) -> None:
    """Refuse a file whose first bytes are those of an archive or a document.

    Raises:
        StatementRefused: by the name of what it is.
    """
    if mark := file_mark(start):
        rule = f"{_WANTED}; {mark.remedy}" if mark.remedy else _WANTED
        raise StatementRefused("format", mark.name, rule, 1)
