"""Reads canonical bytes back, so that what is shown is exactly what was hashed.

The bytes come from outside: lengths, depth and number of values have limits, and nothing is built
but plain values. A dataclass becomes a mapping of its fields, its pinned kind under `kind`.
"""

import re
from datetime import date, datetime, time
from typing import Any

from domain.errors import InvalidInput

BYTES_MOST = 4 * 1024 * 1024
DEPTH_MOST = 16
_HEAD = re.compile(rb"([a-z])(0|[1-9][0-9]{0,9}):")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,30}")
_RULE = "one value in the canonical encoding"


def read_canonical(content: bytes) -> Any:  # noqa: ANN401  (any plain value)
    """The one value that the bytes stand for.

    Raises:
        InvalidInput: they are no canonical encoding, or larger or deeper than any record is.
    """
    if len(content) > BYTES_MOST:
        raise InvalidInput("record", f"{len(content)} bytes", f"at most {BYTES_MOST}")
    found = _parts(content, 0)
    if len(found) != 1:
        raise InvalidInput("record", f"{len(found)} values", _RULE)
    return found[0]


def _parts(content: bytes, depth: int) -> list[Any]:
    """The values that stand one behind the other."""
    if depth > DEPTH_MOST:
        raise InvalidInput("record", f"deeper than {DEPTH_MOST}", _RULE)
    found: list[Any] = []
    at = 0
    while at < len(content):
        head = _HEAD.match(content, at)
        end = head.end() + int(head[2]) if head else 0
        if head is None or end > len(content):
            raise InvalidInput("record", f"byte {at} of a value", _RULE)
        tag, inside = head[1].decode(), content[head.end() : end]
        found.append(_value(tag, inside, depth))
        at = end
    return found


def _value(tag: str, content: bytes, depth: int) -> object:
    match tag:
        case "l":
            return tuple(_parts(content, depth + 1))
        case "m":
            return _pairs(_parts(content, depth + 1), {})
        case "o":
            title, *fields = _parts(content, depth + 1) or [None]
            if not isinstance(title, str):
                raise InvalidInput("record", "an object without a title", _RULE)
            return _pairs(fields, {"kind": title} if title else {})
        case "y":
            return content
        case _:
            return _scalar(tag, content)


def _pairs(parts: list[Any], start: dict[str, Any]) -> dict[str, Any]:
    """Names and values by turns; no name may stand twice."""
    names, values = parts[::2], parts[1::2]
    texts = all(isinstance(name, str) for name in names)
    if len(names) != len(values) or not texts or len(set(names)) != len(names):
        raise InvalidInput("record", "names of fields", "each once, with a value")
    return start | dict(zip(names, values, strict=True))


def _scalar(tag: str, content: bytes) -> object:
    try:
        text = content.decode()
        match tag, text:
            case "n", "":
                return None
            case "b", "0" | "1":
                return text == "1"
            case "i", _ if _WHOLE.fullmatch(text):
                return int(text)
            case "s" | "f" | "u", _:
                return text
            case "t", _:
                return datetime.fromisoformat(text)
            case "d", _:
                return _day(text)
            case _:
                raise InvalidInput("record", f"tag {tag}", _RULE)
    except ValueError:
        raise InvalidInput("record", f"a value of tag {tag}", _RULE) from None


def _day(text: str) -> date | time:
    return time.fromisoformat(text) if ":" in text else date.fromisoformat(text)
