"""Masks secrets and personal data in everything that is logged, traced or shown, and bounds it.

Only the standard library is loaded: the command line passes its unexpected errors through here.
"""

import dataclasses
import traceback
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adapters.telemetry.keys import is_identifier, sort_of
from adapters.telemetry.patterns import MASK, SECRET, masked

TEXT_MOST = 2_000
"""Characters of one text; an error's message is bounded alike."""
KEY_MOST = 80
ITEMS_MOST = 40
DEPTH_MOST = 5
FRAMES_MOST = 25
CAUSES_MOST = 6
_SHORTEST_SECRET = 4
_ROOT = f"{Path(__file__).resolve().parents[2]}/"


class Redactor:
    """Masks texts and values.

    Args:
        secrets: the very secrets of this process: masked wherever they turn up, whatever their
            shape. Those of less than four characters are no secrets and would mask half the text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        known |= {quote(secret, safe="") for secret in known}
        # The longest first: one secret may begin with another.
        self._secrets = sorted(known, key=lambda secret: (-len(secret), secret))

    def text(self, text: str, key: str = "", most: int = TEXT_MOST) -> str:
        """`text` masked and at most `most` characters long, with a mark where it was cut.

        The text is cut after it is masked, or half of a secret could be left over; what is very
        long is cut roughly before, to bound the work.
        """
        text = text[: most * 4]
        for secret in self._secrets:
            text = text.replace(secret, SECRET)
        text = masked(text, identifier=is_identifier(key))
        return text if len(text) <= most else f"{text[:most]}…"

    def value(self, value: object, key: str = "", depth: int = 0) -> object:
        """`value`, found under `key`, as something that JSON can hold; never raises."""
        match sort_of(key) if key else "open":
            case "secret":
                return SECRET if value not in (None, "") else value
            case "personal" if not (value is None or isinstance(value, bool)):
                return MASK
            case _:
                pass
        match value:
            case None | bool():
                return value
            case Enum():
                return self.value(value.value, depth=depth)
            case int() | float():
                text = str(value)
                return value if self.text(text, key) == text else MASK
            case str():
                return self.text(value, key)
            case bytes() | bytearray() | memoryview():
                return f"[{len(value)} bytes]"
            case datetime() | date():
                return value.isoformat()
            case timedelta() | Decimal():
                return str(value)
            case BaseException():
                return self.error(value)
            case _:
                return self._whole(value, key, depth)

    def mapping(self, values: Mapping[Any, object], depth: int = 0) -> dict[str, object]:
        """A mapping with its keys and values masked, and at most `ITEMS_MOST` of them."""
        kept: dict[str, object] = {}
        for index, (name, value) in enumerate(values.items()):
            if index == ITEMS_MOST:
                kept["left_out"] = len(values) - ITEMS_MOST
                break
            key = str(name)
            kept[self.text(key, key, KEY_MOST)] = self.value(value, key, depth)
        return kept

    def error(self, error: BaseException) -> dict[str, object]:
        """An error as type, message and frames, with the errors that it came from.

        Frames name file, line and function: neither source lines nor variables.
        """
        chain = [_reported(item, self) for item in _causes(error)]
        return {**chain[0], "causes": chain[1:]} if len(chain) > 1 else chain[0]

    def trace(self, error: BaseException) -> str:
        """The same for people: many lines, the first cause first."""
        lines: list[str] = []
        for item in reversed(_causes(error)):
            reported = _reported(item, self)
            lines += ["Traceback (most recent call last):"]
            lines += [f"  {frame}" for frame in _frames(item)]
            lines += [f"{reported['type']}: {reported['message']}", ""]
        return "\n".join(lines)

    def _whole(self, value: object, key: str, depth: int) -> object:
        """Containers one level deeper; anything else by its own text."""
        try:
            if depth < DEPTH_MOST:
                match value:
                    case Mapping():
                        return self.mapping(value, depth + 1)
                    case list() | tuple() | AbstractSet():
                        items = list(value)[:ITEMS_MOST]
                        return [self.value(item, depth=depth + 1) for item in items]
                    case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                        fields = [field for field in dataclasses.fields(value) if field.repr]
                        return self.mapping(
                            {field.name: getattr(value, field.name) for field in fields}, depth + 1
                        )
                    case _:
                        pass
            return self.text(str(value), key)
        except Exception as error:  # noqa: BLE001  (a log line must never fail what it tells of)
            return f"[unprintable: {type(error).__name__}]"


def _reported(error: BaseException, redactor: Redactor) -> dict[str, object]:
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  (an error whose text fails is still an error to be reported)
        message = "[unprintable]"
    reported: dict[str, object] = {
        "type": type(error).__qualname__,
        "message": redactor.text(message),
        "frames": _frames(error),
    }
    if isinstance(error, BaseExceptionGroup):
        reported["among"] = [redactor.text(repr(item), most=300) for item in error.exceptions[:10]]
    return reported


def _causes(error: BaseException) -> list[BaseException]:
    """The error, then what it came from, as Python would show it; bounded, circles cut."""
    chain: list[BaseException] = []
    item: BaseException | None = error
    while item is not None and item not in chain and len(chain) < CAUSES_MOST:
        chain.append(item)
        item = item.__cause__ or (None if item.__suppress_context__ else item.__context__)
    return chain


def _frames(error: BaseException) -> list[str]:
    """The innermost places, outermost first; no source is read, which a workflow must not do."""
    walked = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [
        f"{code.co_filename.removeprefix(_ROOT)}:{line} {code.co_name}"
        for code, line in walked[-FRAMES_MOST:]
    ]
