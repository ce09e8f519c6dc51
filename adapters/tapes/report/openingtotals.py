"""What the loans in progress of a tape come to, by currency: the figures of its control rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.tapes.files.mapping import PAID, WAIVED, WRITTEN_OFF
from domain.loan.boarding import BoardLoan
from domain.loan.opening import Opening
from domain.pricing.amounts import Amounts


@dataclass(frozen=True, slots=True)
class InProgress:
    """The loans in progress of one currency; amounts in minor units.

    Attributes:
        paid, waived, written_off: what became of the debt before the cut-over.
        balance: principal that is still to be repaid.
        penalty: charged before and still owed.
        advance: paid ahead and not placed.
    """

    currency: str
    loans: int = 0
    paid: Amounts = Amounts()
    waived: Amounts = Amounts()
    written_off: Amounts = Amounts()
    balance: int = 0
    penalty: int = 0
    advance: int = 0

    def columns(self) -> dict[str, int]:
        """The figures by the columns of the tape that state them, costs left out."""
        return {
            **dict(zip(PAID, self.paid.values(), strict=False)),
            **dict(zip(WAIVED, self.waived.values(), strict=False)),
            **dict(zip(WRITTEN_OFF, self.written_off.values(), strict=False)),
            "balance": self.balance,
            "penalty_accrued": self.penalty,
            "advance": self.advance,
        }

    def and_loan(self, command: BoardLoan, opening: Opening) -> "InProgress":
        """These figures with those of one loan more."""
        left, paid, waived, lost = open_amounts(command, opening), Amounts(), Amounts(), Amounts()
        for part in (part for payment in opening.payments for part in payment.parts):
            paid += part.amounts
        for item in opening.items:
            waived += item.waived
            if item.written_off_on is not None:
                lost += left.pop(item.number)
        owed = sum(left.values(), Amounts())
        return InProgress(
            self.currency,
            self.loans + 1,
            self.paid + paid,
            self.waived + waived,
            self.written_off + lost,
            self.balance + owed.principal,
            self.penalty + owed.penalty,
            self.advance + opening.advance_minor,
        )


class Totals:
    """The figures of loans that bring an opening, added up by currency."""

    def __init__(self, commands: Iterable[BoardLoan] = ()) -> None:
        self._found: dict[str, InProgress] = {}
        for command in commands:
            self.add(command)

    def add(self, command: BoardLoan) -> None:
        """Count one loan, if it brings an opening."""
        if (opening := command.opening) is not None:
            so_far = self._found.get(command.currency, InProgress(command.currency))
            self._found[command.currency] = so_far.and_loan(command, opening)

    @property
    def by_currency(self) -> tuple[InProgress, ...]:
        """The figures so far, in order of currencies."""
        return tuple(self._found[currency] for currency in sorted(self._found))


def in_progress(commands: Iterable[BoardLoan]) -> tuple[InProgress, ...]:
    """The figures of all loans that bring an opening, in order of currencies."""
    return Totals(commands).by_currency


def open_amounts(command: BoardLoan, opening: Opening) -> dict[int, Amounts]:
    """What each installment asks for beyond what was paid and waived, written off or not.

    Cancelled ones are left out.
    """
    cancelled = {item.number for item in opening.items if item.is_cancelled}
    left = {
        line.number: Amounts(line.principal, line.interest, line.fee)
        for line in command.schedule
        if line.number not in cancelled
    }
    for part in (part for payment in opening.payments for part in payment.parts):
        left[part.number] -= part.amounts
    for item in opening.items:
        if not item.is_cancelled:
            left[item.number] += item.charged - item.waived
    return left
