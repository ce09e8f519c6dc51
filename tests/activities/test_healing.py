"""Healing: what is missing is started, what lags is woken, what cannot be healed is named."""

from dataclasses import replace

from temporalio.testing import ActivityEnvironment

from activities import healing
from activities.healing import HealActivities, HealOrder
from domain.loan.view import InstallmentView, installment
from tests.fakes.books import FakeBooks
from tests.fakes.bulk import FakeDrivers, FakeOutbox, FakeQueries
from tests.fakes.clock import FakeClock


def views(count: int) -> list[InstallmentView]:
    first = FakeBooks("r", "L").current
    return [replace(first, subject=installment(f"L-{number:04d}", 1)) for number in range(count)]


async def test_missing_drivers_are_started_and_running_ones_left_alone() -> None:
    """The books list who must run; whoever does not is woken, page by page."""
    count = healing.PAGE + 3
    queries, drivers = FakeQueries(open=views(count)), FakeDrivers()
    drivers.alive = {installment(f"L-{number:04d}", 1) for number in range(count) if number != 101}
    activities = HealActivities(queries, FakeOutbox(3), drivers, FakeClock())
    healed = await ActivityEnvironment().run(activities.heal, HealOrder())
    assert (healed.delivered, healed.looked_at, healed.started) == (3, count, 1)
    assert drivers.woken == [installment("L-0101", 1)]


async def test_driver_that_cannot_be_woken_is_named_and_the_rest_go_on() -> None:
    """One broken driver is a fault in the report; the lagging one after it is woken."""
    queries, drivers = FakeQueries(late=views(2)), FakeDrivers(broken={installment("L-0000", 1)})
    activities = HealActivities(queries, FakeOutbox(), drivers, FakeClock())
    healed = await ActivityEnvironment().run(activities.heal, HealOrder())
    assert healed.faults == ("installment/L-0000/1/g1: cannot be woken",)
    assert drivers.woken == [installment("L-0001", 1)]
    assert (healed.woken, healed.failed) == (1, 1)


async def test_missing_driver_that_cannot_be_started_counts_as_failed() -> None:
    """The report says what was done, not what was tried: of two missing drivers one runs now."""
    queries, drivers = FakeQueries(open=views(2)), FakeDrivers(broken={installment("L-0000", 1)})
    activities = HealActivities(queries, FakeOutbox(), drivers, FakeClock())
    healed = await ActivityEnvironment().run(activities.heal, HealOrder())
    assert (healed.looked_at, healed.started, healed.failed) == (2, 1, 1)
    assert drivers.woken == [installment("L-0001", 1)]
