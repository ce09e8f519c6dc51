"""A stream as long as a test wants, which is never in memory as a whole."""

from collections.abc import Iterator
from io import RawIOBase


class Endless(RawIOBase):
    """A stream that cannot seek and is written while it is read."""

    def __init__(self, parts: Iterator[str]) -> None:
        self._parts = parts
        self._left = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size:
            part = next(self._parts, None)
            if part is None:
                break
            self._left += part.encode()
        out, self._left = self._left[:size], self._left[size:]
        return out
