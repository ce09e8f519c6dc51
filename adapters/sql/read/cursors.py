"""Cursors of lists: the sort key of the last item, as text that says nothing to its reader."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from domain.errors import InvalidInput

_TEXT_MOST = 2_000
_NUMBER_MOST = 2**63 - 1
_RULE = "a cursor as a page of the same list gave it"


def write_cursor(name: str, values: Sequence[object]) -> str:
    """The cursor behind an item of the list `name` with this sort key."""
    packed = json.dumps([name, *(_packed(value) for value in values)], ensure_ascii=False)
    return urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def read_cursor(name: str, text: str, shape: Sequence[type]) -> tuple[Any, ...]:
    """The sort key in a cursor of the list `name`; `shape`: the type of each part.

    Raises:
        InvalidInput: it is no cursor of this list.
    """
    try:
        padded = text[:_TEXT_MOST].encode("ascii") + b"=" * (-len(text) % 4)
        found = json.loads(urlsafe_b64decode(padded))
        pairs = zip((name, *found[1:]), (str, *shape), strict=True)
        key = tuple(_read(value, kind) for value, kind in pairs)
    except (ValueError, TypeError, LookupError, RecursionError):
        raise InvalidInput("after", text[:40], _RULE) from None
    if found[0] != name:
        raise InvalidInput("after", text[:40], _RULE)
    return key[1:]


def behind(columns: Sequence[ColumnElement[Any]], key: Sequence[Any]) -> ColumnElement[bool]:
    """Rows that sort after a key, by these columns, each ascending."""
    found: ColumnElement[bool] = false()
    for column, value in reversed(list(zip(columns, key, strict=True))):
        found = or_(column > value, and_(column == value, found))
    return found


def _packed(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _read(value: object, kind: type) -> object:
    if kind is datetime and isinstance(value, str):
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("an instant has a zone")
        return instant
    if isinstance(value, bool) or not isinstance(value, kind):
        raise TypeError(kind.__name__)
    if isinstance(value, str) and "\0" in value.encode().decode():
        raise ValueError("no text holds NUL")
    if isinstance(value, int) and abs(value) > _NUMBER_MOST:
        raise ValueError("no number is so large")
    return value
