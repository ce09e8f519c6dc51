"""The one clock: wall time in production, wall plus a stored offset in the sandbox."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time to every party."""

    def now(self) -> datetime:
        """The current instant, UTC, with a time zone."""
        ...
