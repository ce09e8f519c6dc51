"""One canonical encoding of values, for hashes that must mean the same for ever.

Every value is written as a tag, its length in bytes and its bytes; a dataclass is written as its
pinned `kind` if it has one, then each field's name and value, so that no hash depends on what a
class is called. Lengths make the encoding prefix-free. An enum member is written as its value, a
tuple like a list, a set sorted, a Decimal as the fraction that it is: apart from these, two
different values of one type never share an encoding. A field marked `ADDED_LATER` is left out while
it holds its default: what was hashed before the field existed keeps its hash.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

from domain.errors import InvariantBroken

ADDED_LATER: Mapping[str, bool] = MappingProxyType({"added_later": True})
"""Metadata of a dataclass field that was added after values were hashed; it needs a default."""
_ALWAYS = object()
"""In place of a default: the field is written whatever it holds."""


def canonical(value: object) -> bytes:
    """The canonical bytes of a value made of dataclasses, mappings, sequences and scalars."""
    match value:
        case None:
            return _part("n", b"")
        case bool():
            return _part("b", b"1" if value else b"0")
        case Enum():
            return _part("s", str(value.value).encode())
        case int():
            return _part("i", str(value).encode())
        case str():
            return _part("s", value.encode())
        case bytes():
            return _part("y", value)
        case datetime():
            return _part("t", value.astimezone(UTC).isoformat(timespec="microseconds").encode())
        case date() | time():
            return _part("d", value.isoformat().encode())
        case timedelta():
            return _part("u", str(value // timedelta(microseconds=1)).encode())
        case Decimal() | Fraction():
            return _part("f", str(Fraction(value)).encode())
        case Mapping():
            pairs = sorted((canonical(key), canonical(item)) for key, item in value.items())
            return _part("m", b"".join(key + item for key, item in pairs))
        case tuple() | list():
            return _part("l", b"".join(canonical(item) for item in value))
        case frozenset():
            return _part("l", b"".join(sorted(canonical(item) for item in value)))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _part("o", _fields(value))
        case _:
            raise InvariantBroken(f"no canonical encoding for {type(value).__name__}")


def digest(value: object) -> str:
    """SHA-256 of the canonical encoding, 64 hexadecimal characters."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _part(tag: str, content: bytes) -> bytes:
    return b"%s%d:%s" % (tag.encode(), len(content), content)


def _fields(value: object) -> bytes:
    kind: type[Any] = type(value)
    title = str(getattr(value, "kind", ""))
    names = _names(kind)  # type: ignore[arg-type]  # every class is hashable
    held = ((getattr(value, name), written, out) for name, written, out in names)
    pairs = (written + canonical(it) for it, written, out in held if out is _ALWAYS or it != out)
    return canonical(title) + b"".join(pairs)


@cache
def _names(kind: type[Any]) -> tuple[tuple[str, bytes, object], ...]:
    """The fields of a dataclass: name, its encoding, and the default with which it is left out."""
    return tuple(
        (
            field.name,
            canonical(field.name),
            field.default if "added_later" in field.metadata else _ALWAYS,
        )
        for field in fields(kind)
    )


NAME_MOST = 240
"""Characters that an id, a key or the name of a stream holds in the books."""


def bounded(name: str) -> str:
    """The name, or as much of it as the books hold with a digest of the whole."""
    if len(name) <= NAME_MOST:
        return name
    mark = digest(name)[:32]
    return f"{name[: NAME_MOST - len(mark) - 1]}~{mark}"
