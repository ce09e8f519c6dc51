"""The order to charge something that no schedule asks for."""

from dataclasses import dataclass
from typing import Literal

from domain.loan.command import OrderCommand
from domain.pricing.amounts import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge(OrderCommand):
    """Charge a fee or a cost besides the schedule, once; refused above a cap of the product."""

    kind: Literal["charge"] = "charge"
    component: Component
    amount_minor: int
