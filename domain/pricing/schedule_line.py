"""One line of a schedule, and the checks that rows given from outside have to pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """One installment: amounts in minor units; `balance` is the principal left after it."""

    number: int
    due_on: date
    days: int
    principal: int
    interest: int
    fee: int
    balance: int

    @property
    def total(self) -> int:
        """What falls due: principal, interest and fee."""
        return self.principal + self.interest + self.fee


def check(lines: Sequence[ScheduleLine], principal_minor: int) -> None:
    """Refuse rows that do not add up to the principal, line by line.

    Raises:
        InvalidInput: names the row and column, its value, and the rule it breaks.
    """
    if not lines:
        raise InvalidInput("rows", 0, "at least one row")
    left = principal_minor
    for index, line in enumerate(lines, start=1):
        where = f"row {index}"
        if line.number != index:
            raise InvalidInput(f"{where} number", line.number, f"{index}: dense, from 1")
        if index > 1 and line.due_on < lines[index - 2].due_on:
            rule = f"not before {lines[index - 2].due_on}"
            raise InvalidInput(f"{where} due_on", line.due_on, rule)
        for name in ("days", "principal", "interest", "fee"):
            if (value := getattr(line, name)) < 0:
                raise InvalidInput(f"{where} {name}", value, "not negative")
        left -= line.principal
        if left < 0:
            rule = f"principal sums to {principal_minor}, exceeded by {-left}"
            raise InvalidInput(f"{where} principal", line.principal, rule)
        if line.balance != left:
            raise InvalidInput(f"{where} balance", line.balance, f"principal left over: {left}")
    if left:
        total = principal_minor - left
        raise InvalidInput("principal", total, f"principal of all rows sums to {principal_minor}")
