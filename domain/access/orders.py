"""Every order by its kind, and what of it limits and rights look at."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.access.rights import Right
from domain.case.commands import CaseOrder
from domain.case.deadletter import DropMessage, RetryMessage
from domain.kernel.order import OperatorOrder
from domain.loan.command import OrderCommand
from domain.loan.mandates import ClearMandate, EndMandate, ReplaceMandate
from domain.loanclosure.commands import AnyOrderOnClosure
from domain.registry import KINDS

_APART: tuple[type[OperatorOrder], ...] = (
    EndMandate,
    ClearMandate,
    ReplaceMandate,
    RetryMessage,
    DropMessage,
)
ALL_ORDERS: Mapping[str, type[OperatorOrder]] = MappingProxyType(
    {
        **{kind: order for one in KINDS.values() for kind, order in one.orders.items()},
        **{order.pinned(): order for order in _APART},
    }
)
"""Every order that people and programs upstream may give, by its kind."""


def right_of(order: type[OperatorOrder]) -> Right:
    """The right that whoever gives such an order needs."""
    return Right.ORDER_CASES if issubclass(order, CaseOrder) else Right.ORDER


def amount_of(order: OperatorOrder, currency: str) -> tuple[str, int]:
    """Currency and amount of an order in minor units; an order without amount has zero.

    Args:
        order: as given.
        currency: of what it is about, where the order names none.
    """
    named = getattr(order, "currency", "") or currency
    return named, int(getattr(order, "amount_minor", 0))


def loan_of(order: OperatorOrder) -> str:
    """The loan that an order names; empty where it names none."""
    return order.loan_id if isinstance(order, OrderCommand | AnyOrderOnClosure) else ""
