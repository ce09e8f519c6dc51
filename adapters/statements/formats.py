"""Recognises files that are no camt.053 document, so that each is refused by its own name."""

import re

from adapters.filemarks import file_mark
from domain.errors import InvalidInput
from ports.statements import StatementRefused

_LOOKED_AT = 4096
_NAMED = "a camt.053 file (ISO 20022, version 2 or later)"
_SWIFT = re.compile(rb"\{1:[A-Z]\d\d|:20:")
_SWIFT_FIELD = re.compile(rb"(?m)^:(?:20|25|28C?|60[FM]):")
_INTRADAY = re.compile(rb"(?m)^:(?:34F|13D?):")
_BAI2 = re.compile(rb"01,[^,\r\n]*,[^,\r\n]*,\d{6},\d{4},")
_MESSAGES = {
    "camt.052": "a booked statement (camt.053): an intraday report does not move the bank account",
    "camt.054": "a booked statement (camt.053): a notification does not move the bank account",
}
_OLDEST = 2


def refuse_other_formats(start: bytes) -> None:
    """Refuse a file whose first bytes are those of another format.

    Raises:
        StatementRefused: MT940, MT942, BAI2, or a file that holds no text, by its name.
    """
    if mark := file_mark(start):
        rule = f"{_NAMED}; {mark.remedy}" if mark.remedy else _NAMED
        raise StatementRefused("format", mark.name, rule, 1)
    text = start[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return
    if _BAI2.match(text):
        raise StatementRefused("format", "BAI2", _NAMED, 1)
    if _SWIFT.match(text) or len(_SWIFT_FIELD.findall(text)) > 1:
        name = "MT942" if _INTRADAY.search(text) else "MT940"
        raise StatementRefused("format", name, _NAMED, 1)


def message_namespace(tag: str) -> str:
    """The namespace of the root tag, if it is that of a camt.053 document, whoever publishes it.

    Raises:
        InvalidInput: another root, no namespace, another message, or a version before the second.
    """
    namespace, _, root = tag.removeprefix("{").rpartition("}")
    if root != "Document":
        rule = "the element Document; a statement in an envelope is taken out of it first"
        raise InvalidInput("root element", root, rule)
    if not namespace:
        rule = "a namespace such as urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
        raise InvalidInput("Document/xmlns", "none", rule)
    family, _, version = namespace.rpartition(".")
    message = ".".join(family.rpartition(":")[2].split(".")[:2])
    if message in _MESSAGES:
        raise InvalidInput("Document/xmlns", namespace, _MESSAGES[message])
    if not family.endswith("camt.053.001") or not version.isdigit() or int(version) < _OLDEST:
        raise InvalidInput("Document/xmlns", namespace, "camt.053.001.02 or later")
    return namespace
