"""Calendars with standing rules, computed for a span of years that their sources cover."""

from datetime import date, timedelta

from domain.calendar import BankingCalendar

FIRST_YEAR, LAST_YEAR = 2002, 2035
ENGLAND_PROCLAIMED_UNTIL = 2027
"""gov.uk/bank-holidays lists so far; later ones follow the rule but may get an extra day."""
_YEARS = range(FIRST_YEAR, LAST_YEAR + 1)
_SUNDAY = 6


def target() -> BankingCalendar:
    """T2 (TARGET) closing days: ECB decision of 14 December 2000, in force since 2002."""
    import holidays  # noqa: PLC0415  a second of start-up that most commands do not need

    return _calendar("TARGET", set(holidays.financial_holidays("XECB", years=_YEARS)), LAST_YEAR)


def federal_reserve() -> BankingCalendar:
    """Holidays of the Reserve Banks: on a Sunday the Monday after is closed; on a Saturday none.

    Source: federalreserve.gov, K.8; 5 U.S.C. 6103 without its rule for Saturdays.
    """
    import holidays  # noqa: PLC0415

    days = set(holidays.country_holidays("US", years=_YEARS, observed=False))
    moved = {day + timedelta(days=1) for day in days if day.weekday() == _SUNDAY}
    return _calendar("US-FED", days | moved, LAST_YEAR)


def england() -> BankingCalendar:
    """Bank holidays of England and Wales with their substitute days; confirmed as proclaimed."""
    import holidays  # noqa: PLC0415

    days = set(holidays.country_holidays("GB", subdiv="ENG", years=_YEARS))
    return _calendar("ENGLAND", days, ENGLAND_PROCLAIMED_UNTIL)


def _calendar(name: str, days: set[date], confirmed_year: int) -> BankingCalendar:
    return BankingCalendar(
        name=name,
        holidays=frozenset(days),
        extra_working_days=frozenset(),
        confirmed_from=date(FIRST_YEAR, 1, 1),
        confirmed_until=date(confirmed_year, 12, 31),
    )
