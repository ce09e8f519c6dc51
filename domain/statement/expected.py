"""By when a bank's statement of each day has to be there, and of which days one is overdue."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from domain.calendar import ONE_DAY, BankingCalendar, local_day, local_instant
from domain.statement.statement import Statement

LOOK_BACK = timedelta(days=40)
"""Statements may come late: so far back files are asked for, and overdue days are looked for. Cases
about earlier days are left as they are."""
SPAN_MOST = timedelta(days=366)
"""The longest period that a statement tells of day by day: a year."""
AFTER_MOST = 10
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Expected:
    """What was agreed with the bank about the statements of one account.

    Attributes:
        by: local time in `timezone` at which the statement of a day is there.
        after_days: how many banking days after the day that it is of; 0: on the day itself.
        since: the first day of which a statement is expected.
        weekdays: `date.weekday()` numbers of the days that have a statement.
        on_holidays: whether days that are no banking days have one too.
    """

    account: str
    calendar: BankingCalendar
    by: time
    timezone: str
    since: date
    after_days: int = 1
    weekdays: frozenset[int] = EVERY_DAY
    on_holidays: bool = False

    def has_statement(self, day: date) -> bool:
        """Whether a statement of this day is expected at all."""
        is_open = self.on_holidays or self.calendar.is_banking_day(day)
        return day >= self.since and is_open and day.weekday() in self.weekdays

    def due_at(self, day: date) -> datetime:
        """The UTC instant by which the statement of a day has to be there."""
        on = self.calendar.add_banking_days(day, self.after_days) if self.after_days else day
        return local_instant(on, self.by, self.timezone)

    def looked_at(self, now: datetime) -> tuple[date, date]:
        """The first and last day that are looked at: both local, the last is today."""
        today = local_day(now, self.timezone)
        return min(max(self.since, today - LOOK_BACK), today), today

    def overdue(self, statements: Sequence[Statement], now: datetime) -> tuple[date, ...]:
        """Days up to now of which a statement is due and none of these tells.

        A statement tells of every day of its period, of the day of its closing balance where none
        is stated.
        """
        days = [day for day in self._due(now) if not any(covers(it, day) for it in statements)]
        return tuple(days)

    def _due(self, now: datetime) -> Iterator[date]:
        """Days with a statement that is due, from the earliest that is looked at."""
        day, today = self.looked_at(now)
        while day <= today:
            if self.has_statement(day) and self.due_at(day) <= now:
                yield day
            day += ONE_DAY


def covers(statement: Statement, day: date) -> bool:
    """Whether a statement tells of a day.

    One with a period beyond `SPAN_MOST`, such as 0001 to 9999, tells of its closing day only.
    """
    if statement.period is not None and statement.period[1] - statement.period[0] <= SPAN_MOST:
        return statement.period[0] <= day <= statement.period[1]
    return statement.booked_on == day
