"""The bodies of orders, made from the orders themselves: one model for each kind.

Amounts are money with its currency, and the approver is left out: nobody names one, a second person
approves under a proven login.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import Enum
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.money import MoneyIn
from api.problems import Problem
from domain.kernel.command import Actor
from domain.kernel.order import OperatorOrder
from domain.loan.matching import Also

Text = Annotated[str, Field(min_length=1, max_length=120)]
Reason = Annotated[str, Field(min_length=1, max_length=1000, description="Why, in words.")]
_MONEY = {"amount_minor": "amount", "fee_minor": "fee", "cap_minor": "cap"}
"""Terms that are amounts, by what they are called on the wire."""


class OrderIn(BaseModel):
    """What every order has."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    reason: Reason


class AlsoIn(BaseModel):
    """Another loan of the same payer, and how much of the payment is for it."""

    model_config = ConfigDict(extra="forbid")

    loan_id: Text
    amount: MoneyIn | None = None


def models_of(orders: Mapping[str, type[OperatorOrder]]) -> Any:  # noqa: ANN401  (a union of models)
    """The union of the bodies of some orders, told apart by `kind`."""
    union = reduce(or_, (_model(kind, order) for kind, order in orders.items()))
    return Annotated[union, Field(discriminator="kind")]


def _model(kind: str, order: type[OperatorOrder]) -> type[OrderIn]:
    terms: dict[str, Any] = {"kind": (Literal[kind], ...)}
    hints = get_type_hints(order)
    for item in (item for item in fields(order) if item.name in order.terms()):
        if item.name == "currency":
            continue  # it is that of the amount
        shape, name = _shape(item.name, hints[item.name]), _MONEY.get(item.name, item.name)
        if item.default is MISSING:
            terms[name] = (shape, ...)
        elif item.name == "also":
            terms[name] = (shape, [])
        elif isinstance(item.default, Enum):
            terms[name] = (shape, item.default)
        else:  # one that may be left out: the order knows what is meant then
            terms[name] = (shape | None, None)
    title = "".join(part.capitalize() for part in kind.split("_"))
    return create_model(f"{title}In", __base__=OrderIn, __doc__=order.description(), **terms)


def _shape(name: str, hint: Any) -> Any:  # noqa: ANN401  (types)
    if name in _MONEY:
        return MoneyIn
    if name == "also":
        return Annotated[list[AlsoIn], Field(max_length=50)]
    if get_origin(hint) is UnionType or type(None) in get_args(hint):
        inner = next(one for one in get_args(hint) if one is not type(None))
        return _shape(name, inner) | None
    if hint is str:
        return Text
    if hint is int:
        return Annotated[int, Field(strict=True, ge=0, le=10**15)]
    return hint


def order_of(
    body: OrderIn,
    order: type[OperatorOrder],
    about: Mapping[str, Any],
    actor: Actor,
    name: str,
    currency: str,
) -> OperatorOrder:
    """The order of a body, as it was sent: `name` is the sender's own id of it.

    Args:
        currency: of what it is about; an amount in another one is refused where the order names
            no currency of its own.

    Raises:
        Problem: what is wrong in shape.
    """
    held: dict[str, Any] = {}
    named = {item.name for item in fields(order)}
    for field, value in body:
        if field in {"kind", "reason"}:
            continue
        target = next((term for term, wire in _MONEY.items() if wire == field), field)
        if isinstance(value, MoneyIn):
            if "currency" in named:
                held["currency"] = value.currency
            elif value.currency != currency:
                rule = f"the currency of what it is about: {currency or 'none'}"
                raise Problem("request.invalid", field=f"{field}.currency", rule=rule)
            held[target] = value.amount_minor
        elif field == "also":
            held[field] = tuple(_also(item, held.get("currency", currency)) for item in value)
        elif value is not None:
            held[target] = value
    made = order(id=name, actor=actor, reason=body.reason, **held, **about)
    for wrong, rule in made.misshapen():
        raise Problem("request.invalid", field=_MONEY.get(wrong, wrong), rule=rule)
    return made


def _also(item: AlsoIn, currency: str) -> Also:
    if item.amount is not None and item.amount.currency != currency:
        raise Problem("request.invalid", field="also.amount.currency", rule="that of the payment")
    return Also(item.loan_id, None if item.amount is None else item.amount.amount_minor)
