"""Waterfalls that have a name: statutes, contracts and other systems, one place for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from domain.errors import InvalidInput
from domain.loan.amounts import Component
from domain.loan.waterfall import Direction, Future, Waterfall

_COST, _FEE, _PENALTY = Component.COST, Component.FEE, Component.PENALTY
_INTEREST, _PRINCIPAL = Component.INTEREST, Component.PRINCIPAL

ORDERS: Mapping[str, tuple[Component, ...]] = MappingProxyType(
    {
        # Civil Code of China art. 561: cost of enforcement, interest (penalty interest is
        # interest, the older claim first), principal.
        "cn-civil-code": (_COST, _FEE, _INTEREST, _PENALTY, _PRINCIPAL),
        # Usual in Chinese loan contracts.
        "cn-contract": (_COST, _FEE, _PENALTY, _INTEREST, _PRINCIPAL),
        # Apache Fineract, strategies of the same names.
        "penalties-fees-interest-principal": (_COST, _PENALTY, _FEE, _INTEREST, _PRINCIPAL),
        "principal-interest-penalties-fees": (_PRINCIPAL, _INTEREST, _PENALTY, _FEE, _COST),
        "interest-principal-penalties-fees": (_INTEREST, _PRINCIPAL, _PENALTY, _FEE, _COST),
    }
)
CN_CREDIT_CARD_DPD = 91
"""Credit-card rule art. 57: from 91 days overdue on, principal first."""


def parse_order(text: str) -> tuple[Component, ...]:
    """A named order, or components with commas between them.

    Raises:
        InvalidInput: neither of both.
    """
    if text in ORDERS:
        return ORDERS[text]
    try:
        return tuple(Component(part.strip()) for part in text.split(","))
    except ValueError:
        rule = f"components with commas ({', '.join(Component)}) or one of {', '.join(ORDERS)}"
        raise InvalidInput("order", text, rule) from None


def credit_card_cn(future: Future = Future.NEXT) -> Waterfall:
    """Interest and fees before principal for 90 days, then principal first."""
    order = ORDERS["cn-contract"]
    return Waterfall(order, Direction.VERTICAL, future, CN_CREDIT_CARD_DPD)


def india(future: Future = Future.NEXT) -> Waterfall:
    """All interest, overdue and current, before any principal (Reserve Bank of India)."""
    order = ORDERS["interest-principal-penalties-fees"]
    return Waterfall(order, Direction.VERTICAL, future, due_with_past_due=True)


class TransactionType(StrEnum):
    """Why money came: each kind may have a waterfall of its own."""

    REPAYMENT = "repayment"
    """Paid by the borrower."""
    EARLY_REPAYMENT = "early-repayment"
    """Paid ahead by the borrower, on purpose."""
    MERCHANT_REFUND = "merchant-refund"
    """The goods went back; the merchant repays."""
    GOODWILL = "goodwill"
    """Given by the lender."""
    GUARANTOR = "guarantor"
    """Paid by a guarantor."""
    RECOVERY = "recovery"
    """Collected after the loan was written off."""


@dataclass(frozen=True, slots=True)
class Waterfalls:
    """The waterfall of a product, and those that differ by kind of transaction."""

    usual: Waterfall
    by_type: Mapping[TransactionType, Waterfall] = field(default_factory=dict)

    def of(self, kind: TransactionType) -> Waterfall:
        """The waterfall of one kind of transaction."""
        return self.by_type.get(kind, self.usual)
