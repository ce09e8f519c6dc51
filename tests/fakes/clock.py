"""A clock for tests: wall time plus an offset that a test may move."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Tells wall time plus `offset`."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """The instant of this clock, UTC."""
        return datetime.now(UTC) + self.offset
