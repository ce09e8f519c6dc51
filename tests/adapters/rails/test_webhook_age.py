"""A proven notice is also fresh, whichever scheme signed it."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.rails.webhooks import TOLERANCE_S, check_age
from ports.rail import Forged

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


def stamp(**late: float) -> str:
    """The header's seconds of a moment before (or, negative, after) now."""
    return str(int((NOW - timedelta(**late)).timestamp()))


@pytest.mark.parametrize("late", [0, TOLERANCE_S, -TOLERANCE_S])
def test_a_notice_within_the_tolerance_is_taken(late: int) -> None:
    """Five minutes either way."""
    check_age(stamp(seconds=late), NOW)


@pytest.mark.parametrize("late", [TOLERANCE_S + 1, -TOLERANCE_S - 1, 24 * 3600])
def test_a_notice_of_yesterday_is_refused_though_its_signature_holds(late: int) -> None:
    """Libraries that verify WeChat-style notices accept a day-old one; we do not."""
    with pytest.raises(Forged, match="stale"):
        check_age(stamp(seconds=late), NOW)


@pytest.mark.parametrize("said", ["", "now", "-5", "1e9", "9" * 13, "\uff11\uff12"])
def test_a_time_that_is_no_number_of_seconds_is_refused(said: str) -> None:
    """It cannot be compared, so it is not believed."""
    with pytest.raises(Forged, match="malformed"):
        check_age(said, NOW)
