"""The good rows of a tape, kept as short texts and made into loans whenever they are asked for.

A loan with its schedule takes fifty times the memory of its row, and a tape may have a million.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import overload

from adapters.tapes.files.history import History
from adapters.tapes.files.rows import Row, row_of
from adapters.tapes.loan.loans import BoardingRules, RowLoan, loan_of
from domain.errors import InvariantBroken
from domain.loan.boarding import BoardLoan


@dataclass(frozen=True, slots=True)
class Place:
    """One good row: its line in the file, its place among all rows, and its cells as JSON.

    `stated_minor` is the installment that the lender states, `computed_minor` ours.
    """

    line: int
    position: int
    loan_id: str
    currency: str
    installments: int
    unconfirmed: int
    stated_minor: int | None
    computed_minor: int
    cells: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows of one tape are read with; `header` are its columns."""

    rules: BoardingRules
    history: History
    header: list[str] = field(default_factory=list)

    def place_of(self, row: Row, position: int, loan: RowLoan) -> Place:
        """A row that was read, to be kept."""
        if not self.header:
            self.header.extend(row.raw)
        command = loan.command
        return Place(
            row.line,
            position,
            command.loan_id,
            command.currency,
            len(command.schedule),
            loan.unconfirmed,
            loan.stated_minor,
            loan.computed_minor,
            json.dumps(list(row.raw.values())),
        )

    def command(self, place: Place) -> BoardLoan:
        """The command of a row that was kept."""
        cells: list[str] = json.loads(place.cells)
        row = row_of(place.line, cells, self.header, self.rules.tape_map)
        if not isinstance(row, Row):
            raise InvariantBroken(f"line {place.line} was a row before")
        history = self.history.of(place.loan_id)
        return loan_of(row, place.position, self.rules, history).command


class LoanRows(Sequence[BoardLoan]):
    """The loans of some rows in the order of the tape; each is made when it is taken."""

    def __init__(self, reading: Reading, places: Iterable[Place]) -> None:
        self._reading = reading
        self.places = tuple(places)

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> BoardLoan: ...

    @overload
    def __getitem__(self, index: slice) -> "LoanRows": ...

    def __getitem__(self, index: int | slice) -> "BoardLoan | LoanRows":
        if isinstance(index, slice):
            return LoanRows(self._reading, self.places[index])
        return self._reading.command(self.places[index])

    @property
    def installments(self) -> int:
        """Installments of all of them."""
        return sum(place.installments for place in self.places)

    def only(self, indexes: Iterable[int]) -> "LoanRows":
        """Some of them, by their numbers from 0."""
        return LoanRows(self._reading, (self.places[index] for index in indexes))
