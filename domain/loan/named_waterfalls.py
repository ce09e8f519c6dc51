"""Named waterfalls: those of statutes, of usual contracts and of Apache Fineract."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.errors import InvalidInput
from domain.loan.waterfall import Direction, Future, Waterfall
from domain.pricing.amounts import Component

_COST, _FEE, _PENALTY = Component.COST, Component.FEE, Component.PENALTY
_INTEREST, _PRINCIPAL = Component.INTEREST, Component.PRINCIPAL

CN_CREDIT_CARD_DPD = 91
"""Credit-card rule art. 57: from 91 days overdue on, principal first."""


def _finish_each(*order: Component, in_advance: tuple[Component, ...] | None = None) -> Waterfall:
    """One installment after the other, the next ones with what is left."""
    return Waterfall(order, Direction.HORIZONTAL, Future.NEXT, in_advance=in_advance)


_CONTRACT = _finish_each(_COST, _FEE, _PENALTY, _INTEREST, _PRINCIPAL)
_PENALTIES_FIRST = _finish_each(_COST, _PENALTY, _FEE, _INTEREST, _PRINCIPAL)

WATERFALLS: Mapping[str, Waterfall] = MappingProxyType(
    {
        # Civil Code of China art. 561: cost of enforcement, interest (penalty interest is
        # interest, the older claim first), principal.
        "cn-civil-code": _finish_each(_COST, _FEE, _INTEREST, _PENALTY, _PRINCIPAL),
        # Usual in Chinese loan contracts; compound interest is penalty here.
        "cn-contract": _CONTRACT,
        # Credit-card rule art. 57: interest and fees first for 90 days, then principal.
        "cn-credit-card": Waterfall(
            _CONTRACT.order, Direction.VERTICAL, Future.NEXT, CN_CREDIT_CARD_DPD
        ),
        # Apache Fineract, strategies of these names (`...-strategy`, `...-order-strategy`), read at
        # 24cf272, 09d7885, 1eab93c and 0e0738b. Fineract knows no cost of enforcement: ours comes
        # where its fees would, before them all or after them all. What it calls in advance is paid
        # before its due date; charges with a due date of their own it looks at one by one.
        "mifos-standard": _PENALTIES_FIRST,
        "penalties-fees-interest-principal": _PENALTIES_FIRST,
        "principal-interest-penalties-fees": _finish_each(
            _PRINCIPAL, _INTEREST, _PENALTY, _FEE, _COST
        ),
        "interest-principal-penalties-fees": _finish_each(
            _INTEREST, _PRINCIPAL, _PENALTY, _FEE, _COST
        ),
        # Reserve Bank of India: all interest, overdue and current, before any principal; charges
        # before interest as in `rbi-india-strategy`.
        "rbi-india": Waterfall(
            _PENALTIES_FIRST.order, Direction.VERTICAL, Future.NEXT, due_with_past_due=True
        ),
        # Interest first when due, nothing but principal in advance.
        "early-repayment": _finish_each(
            *(_INTEREST, _PRINCIPAL, _PENALTY, _FEE, _COST), in_advance=(_PRINCIPAL,)
        ),
        # Principal first, always. Fineract also waives the interest of an installment after the
        # running one once its principal is paid: a waiver is an order of its own here, not a way
        # to allocate, and prepayment (prepay.py) lets such interest never arise.
        "heavensfamily": _finish_each(_PRINCIPAL, _INTEREST, _FEE, _PENALTY, _COST),
        # Its description speaks of principal in advance; its rule is the same early, due and late.
        "creocore": _PENALTIES_FIRST,
        "due-penalty-fee-interest-principal-in-advance-principal-penalty-fee-interest": (
            _finish_each(
                *_PENALTIES_FIRST.order, in_advance=(_PRINCIPAL, _COST, _PENALTY, _FEE, _INTEREST)
            )
        ),
        "due-penalty-interest-principal-fee-in-advance-penalty-interest-principal-fee": (
            _finish_each(_COST, _PENALTY, _INTEREST, _PRINCIPAL, _FEE)
        ),
    }
)
"""Complete waterfalls by name; direction and future are usual ones, a contract may differ."""


def named(text: str) -> Waterfall:
    """A waterfall by its name, or by its components with commas between them; capitals or not.

    The names of Apache Fineract may be written in full, as in `rbi-india-strategy`.

    Raises:
        InvalidInput: neither a name nor components, or a component twice.
    """
    written = text.strip().lower()
    name = written.removesuffix("-strategy").removesuffix("-order")
    if name in WATERFALLS:
        return WATERFALLS[name]
    try:
        order = [Component(part.strip()) for part in written.split(",")]
    except ValueError:
        rule = f"components with commas ({', '.join(Component)}) or one of {', '.join(WATERFALLS)}"
        raise InvalidInput("order", text, rule) from None
    return _finish_each(*order)
