"""What starts and wakes drivers and the reading of files. All idempotent."""

from typing import Any, Protocol

from domain.errors import AcquitError
from domain.kernel.view import View


class DriverGone(AcquitError):
    """A driver ended although the books are not final for its generation: a fault to look at."""


class Drivers(Protocol):
    """One driver for each open subject and generation, of whatever kind."""

    async def open(self, view: View[Any]) -> None:
        """Have a driver started, asleep until its first action. A running one is left alone.

        Raises:
            DriverGone: the driver has ended and the books are not final for its generation.
            Conflict: the driver's id belongs to other books.
        """
        ...

    async def wake(self, view: View[Any]) -> None:
        """Bring a newer view to the driver, starting it if there is none.

        Raises:
            DriverGone, Conflict: as `open`.
        """
        ...

    async def running(self, view: View[Any]) -> bool:
        """Whether the driver of this generation runs."""
        ...


class Starter(Protocol):
    """Starts work on files that have come."""

    async def start_statement(self, tenant: str, sha256: str, account: str = "") -> bool:
        """Have a kept statement file read and booked; False when that was done or is under way."""
        ...
