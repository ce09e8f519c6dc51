"""The clocks of a process: wall time, and a sandbox's, which is wall time plus an offset."""

from __future__ import annotations

import os
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from domain.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

CLOCK_FILE = "clock"
_BODY = struct.Struct("<4sq")
_WHOLE = struct.Struct("<4sqI")
_MARK = b"AQC1"
_US = timedelta(microseconds=1)
_FARTHEST = timedelta(days=1000 * 366)
"""No sandbox is farther from the wall: its instants would not be instants of the calendar."""
_READINGS = 100
"""How often a file is read again that does not check: another process may be writing it."""


class WallClock:
    """Implements `ports.clock.Clock` for production."""

    def now(self) -> datetime:
        """The wall's time, UTC."""
        return datetime.now(UTC)


class SandboxClock:
    """Implements `ports.clock.Clock` for a sandbox: every process of it reads one small file.

    The file holds a mark, the offset in microseconds and a checksum, 16 bytes in all. They are
    written with one call and read with one call, so every process sees an advance at its next
    reading. Reading needs no right to write.

    Raises:
        InvalidInput: there is no such file, or it is not as a sandbox wrote it. A clock that began
            at zero again would put the books years back.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / CLOCK_FILE
        if not self._path.is_file():  # a pipe would be waited for
            raise self._refused("is damaged" if os.path.lexists(self._path) else "is missing")
        self._file = os.open(self._path, os.O_RDONLY)
        try:
            self._read()
        except InvalidInput:
            self.close()
            raise

    @classmethod
    def begin(cls, home: Path, start: datetime | None = None) -> SandboxClock:
        """Write the clock of a new sandbox, which begins at `start`, or now."""
        offset = timedelta(0) if start is None else start - datetime.now(UTC)
        fresh = home / f"{CLOCK_FILE}.{os.getpid()}"
        fresh.write_bytes(_packed(offset))
        fresh.replace(home / CLOCK_FILE)
        return cls(home)

    def now(self) -> datetime:
        """The sandbox's time, UTC."""
        return datetime.now(UTC) + self._read()

    @property
    def offset(self) -> timedelta:
        """How far the sandbox is ahead of the wall."""
        return self._read()

    def advance(self, to: datetime) -> timedelta:
        """Stand at `to` or later; the clock never goes back. Gives the offset."""
        offset = max(self._read(), to - datetime.now(UTC))
        file = os.open(self._path, os.O_WRONLY)
        try:
            os.pwrite(file, _packed(offset), 0)
        finally:
            os.close(file)
        return offset

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _read(self) -> timedelta:
        for _ in range(_READINGS):
            raw = os.pread(self._file, _WHOLE.size + 1, 0)
            if len(raw) == _WHOLE.size:
                mark, microseconds, check = _WHOLE.unpack(raw)
                whole = mark == _MARK and check == zlib.crc32(raw[: _BODY.size])
                if whole and abs(microseconds) <= _FARTHEST // _US:
                    return timedelta(microseconds=microseconds)
        raise self._refused("is damaged")

    def _refused(self, what: str) -> InvalidInput:
        rule = (
            f"the sandbox's clock {what}; bring the file back from a copy of the home,"
            " or begin anew with `acquit up --fresh`"
        )
        return InvalidInput("clock", str(self._path), rule)


def _packed(offset: timedelta) -> bytes:
    body = _BODY.pack(_MARK, offset // _US)
    return body + struct.pack("<I", zlib.crc32(body))
