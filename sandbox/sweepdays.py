"""Decides on which days the virtual clock stops for the bulk work that begins a day.

Production sweeps every day. A rehearsal of a year must not: most of its days bring nothing but one
more day of penalty, and a sweep catches up from the last day done. So such days are left out, up
to `patience` of them in a row; days on which anything else happens are never moved.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from domain.loan.agenda import next_roll_on
from ports.driverqueries import DriverQueries
from ports.sweepqueries import SweepQueries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.calendar import BankingCalendar
    from domain.loan.aggregate import Loan, Rulebook

ONE_DAY = timedelta(days=1)
WEEKLY = timedelta(days=7)
"""The longest a rehearsal goes without a sweep; a collection of statements looks further back."""
LOOKED_AT_MOST = 60
"""With more loans than this to roll, the sweep is cheaper than finding out why."""


class DayQueries(DriverQueries, SweepQueries, Protocol):
    """The readers that this needs."""


class SweepDays:
    """Answers for one set of books.

    Args:
        calendars: of the rails; a statement can be new only after a banking day of one of them.
        patience: how long days of nothing but penalty may wait; one day makes every day count.
    """

    def __init__(
        self,
        queries: DayQueries,
        rules: Rulebook,
        calendars: Sequence[BankingCalendar],
        patience: timedelta = ONE_DAY,
    ) -> None:
        self._queries, self._rules, self._calendars = queries, rules, calendars
        self._patience = patience
        self._swept: dict[str, date] = {}

    def swept(self, zone: str, day: date) -> None:
        """Remember the last day that was swept in a zone."""
        self._swept[zone] = day

    async def next_day(self, zone: str, now: datetime, first: date) -> date | None:
        """The first day from `first` on that the loans of a zone want swept; None for none."""
        roll = await self._queries.next_roll(zone)
        if roll is None:
            return None
        day = max(roll, first)
        swept = self._swept.get(zone)
        # The first sweep of a zone waits for nothing: nobody knows how long ago the last one was.
        latest = day if swept is None else max(day, swept + self._patience)
        seen: set[str] = set()
        while day < latest:  # bounded by `patience`
            page = await self._queries.loans_to_roll(day, "", LOOKED_AT_MOST + 1, zone)
            if len(page) > LOOKED_AT_MOST:
                return day
            for loan_id in page:
                if loan_id in seen:
                    continue
                seen.add(loan_id)
                pressing = self._pressing(await self._queries.loan(loan_id), now)
                if pressing is not None:
                    latest = min(latest, max(pressing, day))
            if latest > day:
                day += ONE_DAY
        return latest

    def next_statement_day(self, after: date) -> date:
        """The first day after `after` on which a new statement can lie at the bank."""
        day = after + ONE_DAY
        for _ in range(WEEKLY.days):
            eve = day - ONE_DAY
            if any(calendar.is_banking_day(eve) for calendar in self._calendars):
                return day
            day += ONE_DAY
        return day

    def _pressing(self, loan: Loan | None, now: datetime) -> date | None:
        """The next day on which a loan wants more than one more day of penalty."""
        if loan is None:
            return None
        if loan.product.penalty is not None:
            loan = replace(loan, product=replace(loan.product, penalty=None))
        return next_roll_on(loan, self._rules, now)
