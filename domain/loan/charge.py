"""The order to charge something that no schedule asks for."""

from dataclasses import dataclass
from typing import Literal

from domain.loan.amounts import Component
from domain.loan.command import OrderCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge(OrderCommand):
    """Ask for a fee or a cost besides the schedule, once; no ceiling of the product is passed."""

    kind: Literal["charge"] = "charge"
    component: Component
    amount_minor: int
