"""Amounts by component: what an installment is made of, in minor units of the loan's currency."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum


class Component(StrEnum):
    """What a part of a debt is for."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    FEE = "fee"
    PENALTY = "penalty"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Amounts:
    """Minor units by component; adds, subtracts and iterates by component."""

    principal: int = 0
    interest: int = 0
    fee: int = 0
    penalty: int = 0
    cost: int = 0

    @property
    def total(self) -> int:
        """Sum over all components."""
        return self.principal + self.interest + self.fee + self.penalty + self.cost

    def of(self, component: Component) -> int:
        """The amount of one component."""
        return int(getattr(self, component.value))

    def plus(self, component: Component, minor: int) -> "Amounts":
        """These amounts with `minor` added to one component."""
        return replace(self, **{component.value: self.of(component) + minor})

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(a + b for a, b in zip(self.values(), other.values(), strict=True)))

    def __sub__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(a - b for a, b in zip(self.values(), other.values(), strict=True)))

    def __neg__(self) -> "Amounts":
        return Amounts(*(-a for a in self.values()))

    def values(self) -> tuple[int, ...]:
        """Amounts in the order of the fields."""
        return self.principal, self.interest, self.fee, self.penalty, self.cost

    def items(self) -> Iterator[tuple[Component, int]]:
        """Pairs of component and amount, zero amounts left out."""
        for component in Component:
            if minor := self.of(component):
                yield component, minor
