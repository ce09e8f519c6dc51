"""Bodies: domain values as JSON and back, by one pydantic adapter for each type."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from domain.case.case import Case
from domain.debit.mandate import MandateRoot
from domain.kernel.view import View
from domain.loan.aggregate import Installment, LineState, Loan
from domain.loan.product import Product
from domain.loanclosure.closure import LoanClosure
from domain.payment.payment import Payment
from domain.payment.portion import Portion
from domain.payout.payout import Payout
from domain.registry import KINDS, AnyAnswer

PRODUCT = TypeAdapter(Product)
LOAN = TypeAdapter(Loan)
INSTALLMENT = TypeAdapter(Installment)
PORTION = TypeAdapter(Portion)
PAYMENT = TypeAdapter(Payment)
MANDATE = TypeAdapter(MandateRoot)
LINE = TypeAdapter(LineState)
CASE = TypeAdapter(Case)
PAYOUT = TypeAdapter(Payout)
CLOSING = TypeAdapter(LoanClosure)
VIEWS: Mapping[str, TypeAdapter[View[Any]]] = MappingProxyType(
    {kind.name: TypeAdapter(View[kind.detail]) for kind in KINDS.values()}  # type: ignore[name-defined]
)
ANSWER: TypeAdapter[AnyAnswer] = TypeAdapter(Annotated[AnyAnswer, Field(discriminator="kind")])
