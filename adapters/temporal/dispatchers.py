"""Dispatchers of the outbox that bring views to drivers: topics `open` and `wake`."""

from adapters.payloads import read_payload
from domain.kernel.driver import OPEN, WAKE, DriverNews
from domain.kernel.message import Topic
from ports.drivers import Drivers
from ports.outbox import OutboxRow


class DriverDispatcher:
    """Delivers the messages of one topic, `OPEN` or `WAKE`.

    Delivering twice or late does no harm: an open driver is left alone, and a driver folds views
    by maximum.
    """

    def __init__(self, drivers: Drivers, topic: Topic[DriverNews]) -> None:
        self._drivers, self._topic = drivers, topic

    async def deliver(self, row: OutboxRow) -> None:
        """Bring the view to its driver.

        Raises:
            DriverGone, Conflict: the driver cannot take it; the row stays and is seen.
        """
        view = read_payload(self._topic, row.body).view
        if self._topic is OPEN:
            await self._drivers.open(view)
        else:
            await self._drivers.wake(view)


def dispatchers(drivers: Drivers) -> dict[str, DriverDispatcher]:
    """The dispatchers by topic, as the outbox takes them."""
    return {topic.name: DriverDispatcher(drivers, topic) for topic in (OPEN, WAKE)}
