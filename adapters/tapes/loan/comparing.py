"""Figures that a tape states and we compute: compared, never used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from adapters.tapes.files.fields import money, whole_day
from domain.loan.boarding import BoardLoan
from domain.loan.opening import Opening
from domain.loan.openingrules import debt_history
from domain.pricing.schedule import ScheduleLine, usual_line

AGREES_WITHIN_MINOR = 1


@dataclass(frozen=True, slots=True)
class Due:
    """What falls due, in minor units, and when; None for what is not compared."""

    minor: int | None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of a loan, as the tape states it and as we compute it."""

    stated: Due
    computed: Due

    @property
    def agrees(self) -> bool:
        """Whether the days are the same, and the amounts within one minor unit."""
        stated, computed = self.stated, self.computed
        if stated.minor is not None and computed.minor is not None:
            if abs(stated.minor - computed.minor) > AGREES_WITHIN_MINOR:
                return False
        elif stated.minor is not None:
            return False
        return stated.on is None or stated.on == computed.on


def installment(
    values: Mapping[str, str], scheduled: tuple[ScheduleLine, ...], currency: str
) -> Compared | None:
    """The usual installment of the whole term; None where the tape does not state it."""
    text = values.get("installment")
    if text is None:
        return None
    stated = Due(money(text, currency, "installment"))
    return Compared(stated, Due(usual_line(scheduled).total))


def next_debit(
    values: Mapping[str, str],
    command: BoardLoan,
    opening: Opening,
    adjust: Callable[[date], date],
) -> Compared | None:
    """The first installment of which something is owed; None where the tape states nothing of it.

    `adjust`: the banking day of a due date; the tape may state the day before or after it moved.
    """
    day, amount = values.get("next_due_on"), values.get("next_due_amount")
    if day is None and amount is None:
        return None
    stated = Due(
        None if amount is None else money(amount, command.currency, "next_due_amount"),
        None if day is None else whole_day(day, "next_due_on"),
    )
    first, left = next(debt_history(command, opening).owed(), (None, None))
    if first is None or left is None:
        return Compared(stated, Due(None))
    moved = stated.on is not None and adjust(stated.on) == first.due_on
    return Compared(stated, Due(left.total, stated.on if moved else first.due_on))
