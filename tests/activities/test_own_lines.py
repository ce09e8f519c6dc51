"""Equal lines of many statements: a booking counts once, and none is lost without a word."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

import pytest

from activities.statementlines import OwnLines
from domain.statement.identity import LineIds
from domain.statement.statement import LineItem, Statement, StatementLine
from tests.fakes.bulk import FakeArchive

FIRST = date(2026, 1, 1)
Booking = tuple[int, int]
"""A day, from 0, and an amount: bookings of one day and amount are equal lines."""


@dataclass
class Books(FakeArchive):
    """Lines by id, each with the statement that brought it."""

    lines: dict[str, str] = field(default_factory=dict)

    async def brought_by(self, line_ids: Sequence[str]) -> dict[str, str]:
        return {name: self.lines[name] for name in line_ids if name in self.lines}


@dataclass
class Account:
    """What a bank booked on some days, and the statements by which it tells of it."""

    dice: Random
    numbered: bool
    swept: bool
    booked: list[Booking] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def tell(self) -> None:
        """Days in one to three statements, some twice; perhaps a day or the month whole."""
        opening = balance = self.dice.choice([0, 50, 100])
        days = self.dice.randint(1, 3)
        for day in range(days):
            amounts = self.dice.choices([50, 50, -50, 20], k=self.dice.randint(0, 4))
            left = sum(amounts)
            if self.swept and left:
                amounts.append(-left)
            bookings = [(day, amount) for amount in amounts]
            self.booked += bookings
            cuts = sorted(self.dice.choices(range(len(bookings) + 1), k=self.dice.randint(0, 2)))
            for start, end in zip([0, *cuts], [*cuts, len(bookings)], strict=True):
                number = len(self.statements) + 1 if self.numbered else None
                part = self._add(f"S{day}.{start}-{end}", bookings[start:end], balance, (day, day))
                self.statements[-1] = replace(part, sequence=number)
                balance += sum(amount for _, amount in bookings[start:end])
        for reported in list(self.statements):
            if self.dice.random() < 0.2:
                self.statements.append(replace(reported, id=f"{reported.id} again", sequence=None))
        if self.dice.random() < 0.3:
            self._add("day", [one for one in self.booked if one[0] == 0], opening, (0, 0))
        if self.dice.random() < 0.5:
            self._add("month", self.booked, opening, (0, days - 1))

    def _add(
        self, name: str, bookings: list[Booking], opening: int, days: tuple[int, int]
    ) -> Statement:
        ids, lines = LineIds(), []
        for day, amount in bookings:
            on, item = FIRST + timedelta(days=day), LineItem(None, None, None, amount)
            line = StatementLine("", "A", on, on, amount, "EUR", None, items=(item,))
            lines.append(replace(line, id=ids.next(line)))
        period = (FIRST + timedelta(days=days[0]), FIRST + timedelta(days=days[1]))
        closing = opening + sum(amount for _, amount in bookings)
        reported = Statement(
            name, "A", "EUR", None, period[1], opening, closing, tuple(lines), period=period
        )
        self.statements.append(reported)
        return reported


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize("shuffled", [True, False])
async def test_nothing_counts_twice_and_nothing_is_lost_in_silence(
    *, numbered: bool, swept: bool, shuffled: bool
) -> None:
    """All bookings once, or fewer and a fault that says so; in any order of files none is twice."""
    for seed in range(150):
        account = Account(Random(seed), numbered, swept)
        account.tell()
        given = list(account.statements)
        if shuffled:
            account.dice.shuffle(given)
        books, read, reported = Books(), list[Statement](), False
        for statement in [*given, *given[:2]]:
            head = replace(statement, lines=())
            own = OwnLines(books, head, [*read, head])
            names = [line.id for line in await own.named(statement.lines)]
            known = [name for name in names if name in books.lines]
            books.lines |= {name: head.id for name in names if name not in known}
            await own.known(known)
            assert own.unsettled == set()
            reported |= own.faults() != ()
            read.append(head)
        assert len(books.lines) <= len(account.booked), seed
        assert shuffled or reported or len(books.lines) == len(account.booked), seed
