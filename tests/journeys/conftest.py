"""Journeys know the long holidays that lie around their base dates."""

import pytest

from tests.support.base import close_long_holidays


@pytest.fixture(scope="session", autouse=True)
def long_holidays() -> None:
    """Add the long holidays of the base dates to the calendar of this process."""
    close_long_holidays()
