"""What the loans in progress of a tape come to, by currency: the figures of its control rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.tapes.files.columns import sums_by_column
from domain.loan.boarding import BoardLoan
from domain.loan.debthistory import DebtSums
from domain.loan.opening import Opening
from domain.loan.openingrules import debt_history


@dataclass(frozen=True, slots=True)
class OpeningTotals:
    """The loans in progress of one currency; amounts in minor units.

    Attributes:
        sums: what became of the debt before the cut-over, and what is owed of it.
        advance: paid ahead and not placed.
        unplaced: taken by debits, and owed by nothing.
    """

    currency: str
    loans: int = 0
    sums: DebtSums = field(default_factory=DebtSums)
    advance: int = 0
    unplaced: int = 0

    def columns(self) -> dict[str, int]:
        """The figures by the columns of the tape that state them, costs left out."""
        return sums_by_column(self.sums, self.advance, self.unplaced)

    def and_loan(self, command: BoardLoan, opening: Opening) -> "OpeningTotals":
        """These figures with those of one loan more."""
        more = debt_history(command, opening).sums()
        sums = DebtSums(*(one + other for one, other in zip(self.sums, more, strict=True)))
        advance = self.advance + opening.advance_minor
        unplaced = self.unplaced + sum(it.unplaced_minor for it in opening.payments)
        return OpeningTotals(self.currency, self.loans + 1, sums, advance, unplaced)


class Totals:
    """The figures of loans that bring an opening, added up by currency."""

    def __init__(self) -> None:
        self._found: dict[str, OpeningTotals] = {}

    def add(self, command: BoardLoan) -> None:
        """Count one loan, if it brings an opening."""
        if (opening := command.opening) is not None:
            so_far = self._found.get(command.currency, OpeningTotals(command.currency))
            self._found[command.currency] = so_far.and_loan(command, opening)

    @property
    def by_currency(self) -> tuple[OpeningTotals, ...]:
        """The figures so far, in order of currencies."""
        return tuple(self._found[currency] for currency in sorted(self._found))


def opening_totals(commands: Iterable[BoardLoan]) -> tuple[OpeningTotals, ...]:
    """The figures of all loans that bring an opening, in order of currencies."""
    totals = Totals()
    for command in commands:
        totals.add(command)
    return totals.by_currency
