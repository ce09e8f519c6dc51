"""Dispatchers of the outbox that bring views to drivers: topics `open` and `wake`."""

from typing import Any, Literal

from pydantic import TypeAdapter

from domain.kernel.view import View
from ports.drivers import Drivers
from ports.outbox import OutboxRow

_VIEW: TypeAdapter[View[Any]] = TypeAdapter(View[Any])

Topic = Literal["open", "wake"]


class DriverDispatcher:
    """Delivers the messages of one topic; body `{"view": <a view as a JSON object>}`.

    Delivering twice or late does no harm: an open driver is left alone, and a driver folds views
    by maximum.
    """

    def __init__(self, drivers: Drivers, topic: Topic) -> None:
        self._drivers, self._topic = drivers, topic

    async def deliver(self, row: OutboxRow) -> None:
        """Bring the view to its driver.

        Raises:
            DriverGone, Conflict: the driver cannot take it; the row stays and is seen.
        """
        view = _VIEW.validate_python(row.body["view"])
        if self._topic == "open":
            await self._drivers.open(view)
        else:
            await self._drivers.wake(view)


def dispatchers(drivers: Drivers) -> dict[str, DriverDispatcher]:
    """The dispatchers by topic, as the outbox takes them."""
    return {"open": DriverDispatcher(drivers, "open"), "wake": DriverDispatcher(drivers, "wake")}
