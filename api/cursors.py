"""Cursors of the API: opaque, and good for the list, the filter and the portfolios they are of."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from api.problems import Problem
from domain.kernel.canonical import digest

_MOST = 3_000


class Bound:
    """The cursors of one list as one caller sees it."""

    def __init__(self, name: str, filters: Sequence[object], portfolios: frozenset[str]) -> None:
        self._mark = digest((name, tuple(filters), portfolios))[:16]

    def give(self, after: str) -> str | None:
        """The cursor that is given out for one of the books; None at the end of the list."""
        if not after:
            return None
        packed = json.dumps([self._mark, after], separators=(",", ":"))
        return urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    def take(self, text: str) -> str:
        """The cursor of the books in one that was given out; empty for the first page.

        Raises:
            Problem: it is none, or of another list, filter or set of portfolios.
        """
        if not text:
            return ""
        try:
            padded = text[:_MOST].encode("ascii") + b"=" * (-len(text) % 4)
            mark, after = json.loads(urlsafe_b64decode(padded))
        except (ValueError, TypeError):
            raise Problem("request.cursor", field="after") from None
        if mark != self._mark or not isinstance(after, str):
            raise Problem("request.cursor", field="after")
        return after
