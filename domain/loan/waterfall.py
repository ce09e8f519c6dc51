"""In which order free money pays what is owed.

Past due comes before due, due before future; within each group the order of components and the
direction decide. HORIZONTAL finishes one installment before the next, VERTICAL one component
across all installments: they give different results. Sources: Civil Code of China art. 560 and 561,
credit-card rule art. 57; vectors in the tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import assert_never

from domain.errors import InvalidInput, InvariantBroken
from domain.kernel.canonical import ADDED_LATER
from domain.pricing.amounts import Amounts, Component


class Direction(StrEnum):
    """How a group of installments is gone through."""

    HORIZONTAL = "horizontal"
    """All components of one installment, then the next installment."""
    VERTICAL = "vertical"
    """One component of all installments, then the next component."""


class Future(StrEnum):
    """What becomes of money that is left when nothing is due any more."""

    NEXT = "next"
    """It pays the next installments, in order of their dates."""
    LAST = "last"
    """It pays the last installments first."""
    REDUCE = "reduce"
    """It is left over: the balance is reduced by a new schedule version."""
    ADVANCE = "advance"
    """It is left over and kept until the next installment falls due."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What one installment still owes, in minor units by component."""

    number: int
    due_on: date
    owed: Amounts

    def __post_init__(self) -> None:
        if any(minor < 0 for minor in self.owed.values()):
            raise InvariantBroken(f"installment {self.number} owes less than nothing: {self.owed}")


@dataclass(frozen=True, slots=True)
class Allocation:
    """Minor units that pay one component of one installment; always above zero."""

    number: int
    component: Component
    minor: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The order of allocation.

    Attributes:
        order: every component once; one that is left out is never paid by free money.
        principal_first_from_dpd: from this many days past due of the oldest installment on,
            principal comes before everything else (credit-card rule: 91); None for never.
        due_with_past_due: past due and due form one group (India: all interest, overdue and
            current, before any principal).
        in_advance: the order for what is not due yet, where that is another one (principal only,
            say); what the borrower designates is paid in the usual order.
    """

    order: tuple[Component, ...]
    direction: Direction
    future: Future
    principal_first_from_dpd: int | None = None
    due_with_past_due: bool = False
    in_advance: tuple[Component, ...] | None = field(default=None, metadata=ADDED_LATER)

    def __post_init__(self) -> None:
        for name, order in (("order", self.order), ("in_advance", self.in_advance)):
            if order is not None and not 0 < len(set(order)) == len(order):
                raise InvalidInput(name, ",".join(order), "each component once, at least one")
        first = self.principal_first_from_dpd
        if first is not None and first < 1:
            raise InvalidInput("principal_first_from_dpd", first, "1 or more")

    def order_at(self, dpd: int) -> tuple[Component, ...]:
        """Component order of a loan whose oldest open installment is `dpd` days past due."""
        first = self.principal_first_from_dpd
        if first is None or dpd < first or Component.PRINCIPAL not in self.order:
            return self.order
        rest = tuple(part for part in self.order if part is not Component.PRINCIPAL)
        return (Component.PRINCIPAL, *rest)


def days_past_due(items: Sequence[OpenItem], as_of: date) -> int:
    """Days from the oldest due date that still owes anything to `as_of`; 0 when none is past."""
    open_dates = [item.due_on for item in items if item.owed.total > 0]
    return max(0, (as_of - min(open_dates, default=as_of)).days)


def allocate(
    items: Sequence[OpenItem],
    amount_minor: int,
    waterfall: Waterfall,
    as_of: date,
    designated: Sequence[int] = (),
) -> tuple[tuple[Allocation, ...], int]:
    """Allocate an amount over what is open on `as_of`; returns what was paid and what is left.

    Args:
        items: open installments of one loan, in any order, each number once.
        amount_minor: minor units to allocate, not negative.
        waterfall: the order.
        as_of: value date of the money; an installment due on it is due, not past due.
        designated: numbers that the borrower wants paid first, in that order (Civil Code art. 560).

    Raises:
        InvalidInput: a negative amount, a number twice, or a designated number that is not open.
    """
    numbers = [item.number for item in items]
    if amount_minor < 0:
        raise InvalidInput("amount", amount_minor, "not negative")
    if len(set(numbers)) != len(numbers):
        raise InvalidInput("items", numbers, "each installment once")
    if unknown := set(designated) - set(numbers):
        raise InvalidInput("designated", sorted(unknown), f"open installments: {sorted(numbers)}")
    left = amount_minor
    paid: list[Allocation] = []
    for group, order in _groups(items, waterfall, as_of, designated):
        for item, component in _steps(group, order, waterfall.direction):
            if part := min(left, item.owed.of(component)):
                paid.append(Allocation(item.number, component, part))
                left -= part
    return tuple(paid), left


def _groups(
    items: Sequence[OpenItem], waterfall: Waterfall, as_of: date, designated: Sequence[int]
) -> Iterator[tuple[list[OpenItem], tuple[Component, ...]]]:
    """Groups as they are paid, each sorted and with its order, none sharing an installment."""
    order = waterfall.order_at(days_past_due(items, as_of))
    by_number = {item.number: item for item in items}
    for number in dict.fromkeys(designated):
        yield [by_number.pop(number)], order
    rest = sorted(by_number.values(), key=lambda item: (item.due_on, item.number))
    past = [item for item in rest if item.due_on < as_of]
    due = [item for item in rest if item.due_on == as_of]
    future = [item for item in rest if item.due_on > as_of]
    if waterfall.due_with_past_due:
        yield past + due, order
    else:
        yield past, order
        yield due, order
    ahead = waterfall.in_advance or order
    match waterfall.future:
        case Future.NEXT:
            yield future, ahead
        case Future.LAST:
            yield future[::-1], ahead
        case Future.REDUCE | Future.ADVANCE:
            return
        case _:
            assert_never(waterfall.future)


def _steps(
    group: list[OpenItem], order: tuple[Component, ...], direction: Direction
) -> Iterator[tuple[OpenItem, Component]]:
    match direction:
        case Direction.HORIZONTAL:
            yield from ((item, component) for item in group for component in order)
        case Direction.VERTICAL:
            yield from ((item, component) for component in order for item in group)
        case _:
            assert_never(direction)
