"""Checks that the books' cash agrees with every booked balance that a bank has stated.

Books may begin in the middle of an account's life. So what a bank states less what the books have
is one and the same amount on every day of an account: what lay there before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.audit.findings import Finding, FindingKind
from domain.audit.unclosed import LONGEST_HOLIDAY_DAYS


@dataclass(frozen=True, slots=True)
class Stated:
    """A whole statement: its booked balances, and what its lines up to its day come to."""

    id: str
    opening_minor: int | None
    closing_minor: int | None
    sum_minor: int
    is_paged: bool = False


@dataclass(frozen=True, slots=True)
class BankDay:
    """A day on which statements of an account close, and the sum of the books' lines to its end."""

    account: str
    currency: str
    day: date
    booked_minor: int
    statements: Sequence[Stated]


@dataclass(slots=True)
class BankBalances:
    """Takes the days of one account in their order, and gives what does not agree.

    A bank may book back: what the next statement brings right was no fault of the books.
    """

    today: date
    _before: int | None = None
    """What lay there before the books began."""
    _closed: int | None = None
    """The closing balance of the day before."""
    _pending: tuple[int, Finding] | None = None

    def take(self, day: BankDay) -> Iterator[Finding]:
        """Compare one day."""
        yield from _sums(day)
        closings = [s.closing_minor for s in day.statements if s.closing_minor is not None]
        if not closings:
            return
        differences = [closing - day.booked_minor for closing in closings]
        if self._before is None:
            self._before = differences[-1]
        if self._before not in differences:
            yield from self.end()
        if self._before in differences:
            self._pending = None
        elif (fault := self._judged(day, closings[-1])) is None:
            self._before = differences[-1]
        else:
            self._pending = (differences[-1], fault)
        self._closed = closings[-1]

    def end(self) -> Iterator[Finding]:
        """What no later statement has brought right."""
        if self._pending is not None:
            self._before, fault = self._pending
            self._pending = None
            yield fault

    def _judged(self, day: BankDay, closing: int) -> Finding | None:
        """The finding where a closing balance is not the books' own; None: one may be under way."""
        subject, expected = f"{day.account}/{day.day}", day.booked_minor + (self._before or 0)
        openings = [s.opening_minor for s in day.statements]
        if None not in openings and self._closed not in openings:
            if self.today - day.day <= timedelta(days=LONGEST_HOLIDAY_DAYS):
                return None
            text = f"opens with {openings[0]}, the statement before closed with {self._closed}"
        else:
            text = f"closes with {closing}, the books have {expected}"
        return Finding(FindingKind.STATEMENT, subject, text, closing - expected, day.currency)


def _sums(day: BankDay) -> Iterator[Finding]:
    """Statements whose own lines do not lead from their opening to their closing balance."""
    for stated in day.statements:
        if stated.is_paged or stated.opening_minor is None or stated.closing_minor is None:
            continue
        off = stated.closing_minor - stated.opening_minor - stated.sum_minor
        if off:
            text = f"its lines come to {stated.sum_minor}, its balances differ by {off} more"
            subject = f"{day.account} {stated.id}"
            yield Finding(FindingKind.STATEMENT, subject, text, off, day.currency)
