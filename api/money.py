"""Money on the wire: `{amount_minor, currency}`, whole minor units everywhere."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.kernel.order import AMOUNT_MOST
from domain.pricing.amounts import Amounts, Component

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]


class MoneyOut(BaseModel):
    """An amount in minor units of its currency."""

    amount_minor: int
    currency: str


class MoneyIn(BaseModel):
    """An amount in minor units of its currency; never negative."""

    model_config = ConfigDict(extra="forbid", strict=True)

    amount_minor: Annotated[int, Field(ge=0, le=AMOUNT_MOST)]
    currency: Currency


class ComponentOut(BaseModel):
    """One component of what is asked for."""

    component: Component
    amount: MoneyOut


def money(minor: int, currency: str) -> MoneyOut:
    """An amount as it is sent."""
    return MoneyOut(amount_minor=minor, currency=currency)


def components(amounts: Amounts, currency: str) -> list[ComponentOut]:
    """The components that are not zero."""
    found = ((part, getattr(amounts, part.value)) for part in Component)
    return [ComponentOut(component=part, amount=money(n, currency)) for part, n in found if n]
