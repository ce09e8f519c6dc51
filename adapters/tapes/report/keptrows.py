"""The good rows of a tape, kept as short texts and made into loans whenever they are asked for.

A loan with its schedule takes fifty times the memory of its row, and a tape may have a million.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import overload

from adapters.tapes.files.history import History
from adapters.tapes.files.rows import Row, row_of
from adapters.tapes.loan.comparing import Compared
from adapters.tapes.loan.loans import BoardingRules, RowLoan, loan_of
from domain.errors import InvariantBroken
from domain.loan.boarding import BoardLoan


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One good row: its line in the file, its place among all rows, and its cells as JSON.

    `installment` and `next_debit` are what it states of them beside what we compute.
    """

    line: int
    position: int
    loan_id: str
    currency: str
    installments: int
    unconfirmed: int
    installment: Compared | None
    next_debit: Compared | None
    cells: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows of one tape are read with; `header` are its columns."""

    rules: BoardingRules
    history: History
    header: list[str] = field(default_factory=list)

    def kept(self, row: Row, position: int, loan: RowLoan) -> KeptRow:
        """A row that was read, to be kept."""
        if not self.header:
            self.header.extend(row.raw)
        command = loan.command
        return KeptRow(
            row.line,
            position,
            command.loan_id,
            command.currency,
            len(command.schedule),
            loan.unconfirmed,
            loan.installment,
            loan.next_debit,
            json.dumps(list(row.raw.values())),
        )

    def command(self, kept: KeptRow) -> BoardLoan:
        """The command of a row that was kept."""
        cells: list[str] = json.loads(kept.cells)
        row = row_of(kept.line, cells, self.header, self.rules.tape_map)
        if not isinstance(row, Row):
            raise InvariantBroken(f"line {kept.line} was a row before")
        history = self.history.of(kept.loan_id)
        return loan_of(row, kept.position, self.rules, history).command


class LoanRows(Sequence[BoardLoan]):
    """The loans of some rows in the order of the tape; each is made when it is taken."""

    def __init__(self, reading: Reading, kept: Iterable[KeptRow]) -> None:
        self._reading = reading
        self.kept = tuple(kept)

    def __len__(self) -> int:
        return len(self.kept)

    @overload
    def __getitem__(self, index: int) -> BoardLoan: ...

    @overload
    def __getitem__(self, index: slice) -> "LoanRows": ...

    def __getitem__(self, index: int | slice) -> "BoardLoan | LoanRows":
        if isinstance(index, slice):
            return LoanRows(self._reading, self.kept[index])
        return self._reading.command(self.kept[index])

    @property
    def installments(self) -> int:
        """Installments of all of them."""
        return sum(row.installments for row in self.kept)

    def only(self, indexes: Iterable[int]) -> "LoanRows":
        """Some of them, by their numbers from 0."""
        return LoanRows(self._reading, (self.kept[index] for index in indexes))
