"""Schedules whose interest runs on the balance: one pass over the periods.

A period whose interest is above the equal installment (a long first one, say) asks its interest and
repays nothing. Interest is never added to the balance, so the installment is then fixed anew over
the periods that follow.
"""

from datetime import timedelta
from fractions import Fraction

from domain.money import round_ratio
from domain.pricing.annuity import Ratio, level_installment, round_up_to
from domain.pricing.interest import drawn_within, interest_of
from domain.pricing.periods import Period
from domain.pricing.schedule_line import ScheduleLine
from domain.pricing.schedule_terms import Method, ScheduleTerms


class BalanceRun:
    """One pass: interest on the balance, principal by the method, a new level at each change.

    The level is the equal installment (or the equal principal) in minor units.
    """

    def __init__(self, terms: ScheduleTerms, periods: tuple[Period, ...]) -> None:
        self._terms = terms
        self._periods = periods
        self._balance = terms.first_part_minor
        self._level = 0
        self._by_interest = terms.method in {Method.EQUAL_INSTALLMENT, Method.BALLOON}
        self._changes = {day for day, _ in (*terms.rate_changes, *terms.drawdowns)}
        self._factors = self._factors_at(terms.rate_on(terms.disbursed_on))

    def lines(self) -> tuple[ScheduleLine, ...]:
        """All lines; the last takes the balance, an earlier one that empties it ends the loan."""
        result: list[ScheduleLine] = []
        to_lend = self._terms.principal_minor - self._balance
        grace, above_level = self._terms.principal_grace, False
        while self._balance or to_lend:  # ends: the last period takes whatever is left
            index = len(result)
            period = self._periods[index]
            exact = self._interest(index)
            drawn = drawn_within(period, self._terms) if to_lend else 0
            self._balance += drawn
            to_lend -= drawn
            if index == grace or above_level or self._changed_within(period):
                self._level = self._new_level(index, exact)
            interest = round_ratio(*exact, self._terms.rounding)
            above_level = self._by_interest and index >= grace and interest > self._level
            principal = self._principal(index, interest)
            self._balance -= principal
            result.append(
                ScheduleLine(
                    period.number, period.due_on, period.days, principal, interest, 0, self._balance
                )
            )
        return tuple(result)

    def _changed_within(self, period: Period) -> bool:
        return any(period.start <= day < period.due_on for day in self._changes)

    def _interest(self, index: int) -> Ratio:
        """Exact interest of one period, none in interest-free ones."""
        if self._changes and not self._is_free(index):
            period = self._periods[index]
            return interest_of(self._balance, period, self._terms).as_integer_ratio()
        numerator, denominator = self._factors[index]
        return self._balance * numerator, denominator

    def _factors_at(self, rate: Fraction) -> list[Ratio]:
        """Interest on one unit of balance in each period at one rate."""
        return [
            (0, 1)
            if self._is_free(index)
            else (
                period.fraction.numerator * rate.numerator,
                period.fraction.denominator * rate.denominator,
            )
            for index, period in enumerate(self._periods)
        ]

    def _is_free(self, index: int) -> bool:
        return index < self._terms.interest_free or self._terms.method is Method.ZERO

    def _new_level(self, index: int, interest_now: Ratio) -> int:
        """The equal installment, or the equal principal, from this period to the last one.

        It is fixed under the rate in force at the period's end: a later change sets a new one.
        """
        terms = self._terms
        unit = terms.round_installment_to_minor
        if terms.method in {Method.EQUAL_PRINCIPAL, Method.ZERO}:
            parts = len(self._periods) - max(index, terms.principal_grace)
            exact = self._balance - terms.balloon_minor
            return round_up_to(round_ratio(exact, parts, terms.rounding), unit)
        if terms.installment_minor:
            return terms.installment_minor
        numerator, denominator = interest_now
        owed = (self._balance * denominator + numerator, denominator)
        rate = terms.rate_on(self._periods[index].due_on - timedelta(days=1))
        factors = self._factors_at(rate) if self._changes else self._factors
        return level_installment(
            owed, factors[index + 1 :], terms.balloon_minor, terms.rounding, unit
        )

    def _principal(self, index: int, interest: int) -> int:
        """What this line repays: never negative, never into the balloon before the last line."""
        terms = self._terms
        if index == len(self._periods) - 1:
            return self._balance
        if index < terms.principal_grace or terms.method is Method.INTEREST_ONLY:
            return 0
        wanted = self._level - interest if self._by_interest else self._level
        return max(0, min(wanted, self._balance - terms.balloon_minor))
