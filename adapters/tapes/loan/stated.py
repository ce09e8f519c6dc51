"""What a row states of a loan in progress: its head, its sums, and how far it was paid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from adapters.tapes.files.columns import OPENING, OPENING_SUMS
from adapters.tapes.files.fields import amount, bounded_text, given, whole_day
from adapters.tapes.loan.holds import bars_of, hold_of
from domain.debit.mandate import Bar
from domain.errors import InvalidInput
from domain.loan.opening import OpeningHold
from domain.loan.openingrules import check_advance, check_head
from domain.pricing.amounts import Amounts
from domain.pricing.schedule import ScheduleLine, ScheduleTerms

LAST_YEAR = 2999
ADVANCE_REF_MOST = 140


@dataclass(frozen=True, slots=True)
class Plan:
    """The schedule of a loan as its terms give it.

    Attributes:
        terms: what it was computed from.
        scheduled: its rows, due on the days of the terms.
        lines: the same rows, due on banking days.
        adjust: the banking day of a due date.
        is_agreed: a former system agreed these rows; the terms would give others.
    """

    terms: ScheduleTerms
    scheduled: tuple[ScheduleLine, ...]
    lines: tuple[ScheduleLine, ...]
    adjust: Callable[[date], date]
    is_agreed: bool = False

    def first_day(self, index: int) -> date:
        """The earlier of the two days on which a row (from 0) is due."""
        return min(self.scheduled[index].due_on, self.lines[index].due_on)

    def is_due_date(self, index: int, day: date) -> bool:
        """Whether a row (from 0) is due on this day, moved to a banking day or not."""
        return day in {self.scheduled[index].due_on, self.lines[index].due_on}


@dataclass(frozen=True, slots=True)
class Stated:
    """The columns of a loan in progress, read; amounts in minor units.

    `sums` has the amounts that the row gives, by column; `texts` what it gives, as it is written;
    `hold` is the one on the whole loan, `bars` are why its mandate is barred.
    """

    texts: Mapping[str, str]
    currency: str
    as_of: date
    holder: str
    evidence: str
    advance_ref: str
    sums: Mapping[str, int]
    hold: OpeningHold | None = None
    bars: tuple[Bar, ...] = ()

    def of(self, columns: tuple[str, ...]) -> Amounts:
        """The amounts of four columns, one for each component; zero where it gives none."""
        return Amounts(*map(self.minor, columns))

    def minor(self, column: str) -> int:
        """The amount of one column, zero where it is not given."""
        return self.sums.get(column, 0)

    def day(self, column: str) -> date | None:
        """The day in a column; None where it is not given."""
        return None if column not in self.texts else whole_day(self.texts[column], column)

    def fault(self, column: str, rule: str) -> InvalidInput:
        """The error of a column whose value breaks a rule."""
        return InvalidInput(column, self.texts.get(column), rule)


def is_in_progress(values: Mapping[str, str]) -> bool:
    """Whether a row brings a history.

    Raises:
        InvalidInput: it has columns that mean nothing without `as_of`.
    """
    if "as_of" in values:
        return True
    if (stray := next((name for name in OPENING if name in values), None)) is not None:
        raise InvalidInput(stray, values[stray], "given together with as_of, or not at all")
    return False


def stated_of(values: Mapping[str, str], currency: str) -> Stated:
    """What a row states, each value by itself.

    Raises:
        InvalidInput: the first value that cannot be read.
    """
    as_of = whole_day(given(values, "as_of"), "as_of")
    if as_of.year > LAST_YEAR:
        raise InvalidInput("as_of", values["as_of"], f"a day of the year {LAST_YEAR} or before")
    holder, evidence = given(values, "holder"), given(values, "evidence")
    check_head(holder, evidence)
    advance_ref = bounded_text(values, "advance_ref", ADVANCE_REF_MOST)
    sums = {name: amount(values[name], currency, name) for name in OPENING_SUMS if name in values}
    check_advance(sums.get("advance", 0), advance_ref)
    hold = _hold(values)
    bars = bars_of(values)
    return Stated(values, currency, as_of, holder, evidence, advance_ref, sums, hold, bars)


def _hold(values: Mapping[str, str]) -> OpeningHold | None:
    """The hold on a loan as a whole, if there is one."""
    if "hold" in values:
        since = whole_day(values["hold_since"], "hold_since") if "hold_since" in values else None
        return hold_of(values, "hold", "hold_reason", since)
    for name in ("hold_reason", "hold_since"):
        if name in values:
            raise InvalidInput(name, values[name], "given with what is on hold, and only then")
    return None


def closed_rows(stated: Stated, plan: Plan) -> int:
    """How many rows are paid through, from the first.

    Raises:
        InvalidInput: `paid_through` lies before the first due date or after the last one.
    """
    through = stated.day("paid_through")
    if through is None:
        return 0
    last = max(plan.scheduled[-1].due_on, plan.lines[-1].due_on)
    if through < (first := plan.first_day(0)):
        raise stated.fault("paid_through", f"not before the first due date {first}")
    if through > last:
        raise stated.fault("paid_through", f"not after the last due date {last}")
    return sum(1 for index in range(len(plan.lines)) if plan.first_day(index) <= through)


def check_next_due(stated: Stated, plan: Plan, closed: int) -> None:
    """See that `next_due_on`, where given, is when the first row that is not closed falls due.

    Raises:
        InvalidInput: it is another day, or no row is left.
    """
    day = stated.day("next_due_on")
    if day is None:
        return
    if closed == len(plan.lines):
        raise stated.fault("next_due_on", f"empty: all {closed} installments are paid through")
    if not plan.is_due_date(closed, day):
        rule = f"{plan.scheduled[closed].due_on}, when installment {closed + 1} falls due"
        raise stated.fault("next_due_on", rule)
