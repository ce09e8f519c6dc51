"""The order to charge something that no schedule asks for."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.loan.command import OrderCommand
from domain.pricing.amounts import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge(OrderCommand):
    """Charge a fee or a cost besides the schedule, once; refused above a cap of the product.

    The amount is in minor units.
    """

    story: ClassVar[str] = "charge ordered"

    kind: Literal["charge"] = "charge"
    component: Component
    amount_minor: int
