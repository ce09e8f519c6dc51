"""The clocks of the house: the wall, and a sandbox's, which is the wall plus a stored offset."""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CLOCK_FILE = "clock"
_FORMAT = struct.Struct("<q")
_US = timedelta(microseconds=1)


class WallClock:
    """Implements `ports.clock.Clock` for production."""

    def now(self) -> datetime:
        """The wall's time, UTC."""
        return datetime.now(UTC)


class SandboxClock:
    """Implements `ports.clock.Clock` for a sandbox: every process of it reads one small file.

    The offset is eight bytes that are written and read whole, so an advance is seen by every
    process at its next look and no look costs more than a system call.
    """

    def __init__(self, home: Path) -> None:
        path = home / CLOCK_FILE
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if os.fstat(self._file).st_size < _FORMAT.size:
            os.pwrite(self._file, _FORMAT.pack(0), 0)

    def now(self) -> datetime:
        """The sandbox's time, UTC."""
        return datetime.now(UTC) + self.offset

    @property
    def offset(self) -> timedelta:
        """How far the sandbox is ahead of the wall."""
        (microseconds,) = _FORMAT.unpack(os.pread(self._file, _FORMAT.size, 0))
        return timedelta(microseconds=microseconds)

    def advance(self, to: datetime) -> timedelta:
        """Stand at `to` or later; the clock never goes back. Gives the offset."""
        offset = max(self.offset, to - datetime.now(UTC))
        os.pwrite(self._file, _FORMAT.pack(offset // _US), 0)
        return offset

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
