"""Our calendars against gazetted facts and against independent libraries."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
import QuantLib as ql  # noqa: N813

from adapters.calendars import CALENDARS, load_calendar
from adapters.calendars.gazette import parse
from domain.errors import InvalidInput

GAZETTE = Path(__file__).resolve().parents[4] / "shared" / "data" / "calendars"


def days(first_year: int, last_year: int) -> Iterator[date]:
    """Every day of the years named."""
    day = date(first_year, 1, 1)
    while day.year <= last_year:
        yield day
        day += timedelta(days=1)


def ql_date(day: date) -> ql.Date:
    """The same day for QuantLib."""
    return ql.Date(day.day, day.month, day.year)


def test_china_agrees_with_every_gazetted_day() -> None:
    """Each holiday and each make-up day of 2019 to 2026 is exactly as the notices say."""
    if not GAZETTE.is_dir():
        pytest.skip("sample calendars are absent: ../shared/data/calendars")
    china = load_calendar("CN")
    facts = {
        date.fromisoformat(row["date"]): not row["isOffDay"]
        for path in sorted(GAZETTE.glob("cn-*.json"))
        for row in json.loads(path.read_text(encoding="utf-8"))["days"]
    }
    assert len(facts) > 250
    for day in days(2019, 2026):
        assert china.is_banking_day(day) is facts.get(day, day.weekday() < 5), day


def test_china_agrees_with_chinesecalendar_on_every_day_that_it_knows() -> None:
    """An independent library gives the same working days, make-up days included."""
    china = load_calendar("CN")
    differing = [
        day
        for day in days(2019, 2026)
        if chinese_calendar.is_workday(day) != china.is_banking_day(day)
    ]
    assert differing == []


def test_china_agrees_with_quantlib_interbank_calendar() -> None:
    """QuantLib's interbank calendar works on make-up days too; so do we."""
    china, oracle = load_calendar("CN"), ql.China(ql.China.IB)
    differing = [
        day
        for day in days(2019, 2026)
        if oracle.isBusinessDay(ql_date(day)) != china.is_banking_day(day)
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("TARGET", ql.TARGET()),
        ("US-FED", ql.UnitedStates(ql.UnitedStates.FederalReserve)),
        ("ENGLAND", ql.UnitedKingdom(ql.UnitedKingdom.Settlement)),
    ],
)
def test_standing_rules_agree_with_quantlib(name: str, oracle: ql.Calendar) -> None:
    """Thirty-four years of TARGET, the Reserve Banks and England, day by day."""
    ours = load_calendar(name)
    differing = [
        day
        for day in days(2002, 2035)
        if oracle.isBusinessDay(ql_date(day)) != ours.is_banking_day(day)
    ]
    assert differing == []


def test_the_reserve_banks_work_on_the_friday_before_a_saturday_holiday() -> None:
    """Unlike federal offices: 3 July 2026 and 24 December 2027 are banking days."""
    fed = load_calendar("US-FED")
    assert fed.is_banking_day(date(2026, 7, 3))
    assert fed.is_banking_day(date(2027, 12, 24))
    assert not fed.is_banking_day(date(2021, 7, 5))


def test_china_is_confirmed_to_the_end_of_2026_and_never_past_it() -> None:
    """1 January 2027 looks like a Friday like any other, and says that nobody confirmed it."""
    china = load_calendar("CN")
    assert china.is_confirmed(date(2019, 1, 1))
    assert china.is_confirmed(date(2026, 12, 31))
    assert not china.is_confirmed(date(2027, 1, 1))
    assert not china.is_confirmed(date(2018, 12, 31))
    assert china.is_banking_day(date(2027, 1, 1))


def test_england_is_confirmed_only_as_far_as_proclaimed() -> None:
    """A coronation or a jubilee can still add a day to a later year."""
    assert load_calendar("ENGLAND").is_confirmed(date(2027, 12, 31))
    assert not load_calendar("ENGLAND").is_confirmed(date(2028, 1, 1))


def test_the_empty_calendar_works_every_day() -> None:
    """NONE has no weekend, no holiday and no unconfirmed day."""
    none = load_calendar("NONE")
    assert none.is_banking_day(date(2024, 12, 25))
    assert none.is_confirmed(date(9999, 12, 31))


def test_calendars_are_loaded_once() -> None:
    """The same object comes back, so a calendar can be asked for anywhere."""
    for name in CALENDARS:
        assert load_calendar(name) is load_calendar(name)


def test_an_unknown_calendar_is_refused_with_the_names_that_exist() -> None:
    """Field, value and rule stand in the refusal."""
    with pytest.raises(InvalidInput, match="'MARS' is refused: one of CN, TARGET") as refused:
        load_calendar("MARS")
    assert refused.value.field == "calendar"


@pytest.mark.parametrize(
    ("holidays", "working", "sources", "field"),
    [
        (["2024-01-02/2024-01-01"], [], ["x"], "span"),
        (["2024-01-01/2024-03-01"], [], ["x"], "span"),
        (["1 January"], [], ["x"], "span"),
        (["2024-01-01"], ["2024-01-01"], ["x"], "holidays"),
        (["2024-01-01"], [], [], "year 2024 sources"),
    ],
)
def test_a_faulty_gazette_file_is_refused(
    holidays: list[str], working: list[str], sources: list[str], field: str
) -> None:
    """A backwards span, a season of holidays, prose, a contradiction, a year without source."""
    document = {
        "name": "XX",
        "confirmed_from": date(2024, 1, 1),
        "confirmed_until": date(2024, 12, 31),
        "year": {"2024": {"sources": sources, "holidays": holidays, "working_days": working}},
    }
    with pytest.raises(InvalidInput) as refused:
        parse(document)
    assert refused.value.field == field
