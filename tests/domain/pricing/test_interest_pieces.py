"""Interest of a period that is cut by new rates or new parts: the pieces make the whole."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.pricing.interest import pieces_of
from domain.pricing.periods import periods_of
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build

RATE = Decimal(12)


def terms(
    count: DayCount, disbursed: date, first_due: date, changes: tuple[date, ...] = ()
) -> ScheduleTerms:
    """3600.00 for six months at 12 percent, interest only; new rates of 12 percent again."""
    return ScheduleTerms(
        principal_minor=360_000,
        currency="USD",
        annual_rate_percent=RATE,
        periods=6,
        method=Method.INTEREST_ONLY,
        day_count=count,
        disbursed_on=disbursed,
        first_due_on=first_due,
        every=Frequency(1, "month"),
        rate_changes=tuple((day, RATE) for day in changes),
    )


@pytest.mark.parametrize("count", list(DayCount))
@given(
    disbursed=st.dates(date(2023, 1, 1), date(2023, 3, 31)),
    cuts=st.lists(st.dates(date(2023, 4, 1), date(2023, 12, 31)), max_size=4, unique=True),
)
@example(disbursed=date(2023, 3, 15), cuts=[date(2023, 5, 31), date(2023, 7, 31)])
def test_a_new_rate_that_is_the_old_one_changes_nothing(
    count: DayCount, disbursed: date, cuts: list[date]
) -> None:
    """Not even where 30/360 (US) counts the 31st as a day: 15 to 31 March is 16, to 15 April 30."""
    first_due = date(2023, 5, disbursed.day) if disbursed.day < 31 else date(2023, 5, 31)
    plain = build(terms(count, disbursed, first_due))
    cut = build(terms(count, disbursed, first_due, tuple(sorted(cuts))))
    assert cut == plain


def test_pieces_are_counted_from_the_start_of_the_period() -> None:
    """15 March to 15 April 2023 in 30/360 is 30 days: 16 to the 31st, and so 14 after it."""
    made = terms(DayCount.THIRTY_360, date(2023, 3, 15), date(2023, 4, 15), (date(2023, 3, 31),))
    pieces = pieces_of(periods_of(made)[0], made)
    assert [piece.fraction * 360 for piece in pieces] == [16, 14]
    assert [(piece.start, piece.end) for piece in pieces] == [
        (date(2023, 3, 15), date(2023, 3, 31)),
        (date(2023, 3, 31), date(2023, 4, 15)),
    ]
