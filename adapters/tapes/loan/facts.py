"""What the history of one loan comes to, by installment."""

from dataclasses import dataclass, field
from datetime import date

from domain.loan.opening import OpeningAttempt, OpeningItem, OpeningPayment
from domain.pricing.amounts import Amounts
from domain.pricing.schedule import ScheduleLine


@dataclass(slots=True)
class Facts:
    """What a history comes to, by number of the installment; amounts in minor units."""

    schedule: tuple[ScheduleLine, ...]
    paid: dict[int, Amounts] = field(default_factory=dict)
    waived: dict[int, Amounts] = field(default_factory=dict)
    charged: dict[int, Amounts] = field(default_factory=dict)
    written_off: dict[int, date] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    payments: tuple[OpeningPayment, ...] = ()
    attempts: tuple[OpeningAttempt, ...] = ()

    def left(self, number: int) -> Amounts:
        """What an installment still asks for, written off or cancelled or not."""
        line = self.schedule[number - 1]
        asked = Amounts(line.principal, line.interest, line.fee)
        asked += self.charged.get(number, Amounts())
        return asked - self.paid.get(number, Amounts()) - self.waived.get(number, Amounts())

    def is_covered(self, number: int) -> bool:
        """Whether nothing is owed of an installment any more."""
        ended = number in self.written_off or number in self.cancelled
        return ended or self.left(number).total == 0

    def items(self) -> tuple[OpeningItem, ...]:
        """The installments with a charge or a waiver, or that were written off or cancelled."""
        charged = {number for number, amounts in self.charged.items() if amounts.total}
        numbers = charged | self.waived.keys() | self.written_off.keys() | self.cancelled
        return tuple(
            OpeningItem(
                number=number,
                charged=self.charged.get(number, Amounts()),
                waived=self.waived.get(number, Amounts()),
                written_off_on=self.written_off.get(number),
                is_cancelled=number in self.cancelled,
            )
            for number in sorted(numbers)
        )
