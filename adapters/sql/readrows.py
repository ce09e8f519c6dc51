"""Turns rows back into domain values: the reverse of `adapters.sql.rows`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import Row as Found

from adapters.sql import bodies
from adapters.sql.rows import view_mark
from domain.case.case import Case
from domain.case.item import CaseItem
from domain.debit.mandate import MandateRoot
from domain.errors import InvariantBroken
from domain.kernel.change import Answer
from domain.kernel.view import View
from domain.ledger.entry import Posting
from domain.loan.aggregate import LineState, Loan
from domain.loan.product import Product
from domain.payment.payment import Payment
from domain.payment.portion import Portion
from domain.payout.payout import Payout
from domain.text import shortened

P = TypeVar("P", bound=Posting)
_SHOWN = 40


def read_product(body: str) -> Product:
    """A kept product version."""
    return bodies.PRODUCT.validate_json(body)


def read_loan(
    body: str, product: Product, installments: Sequence[str], portions: Sequence[str]
) -> Loan:
    """A whole loan from the bodies of its rows, each kind in order.

    Raises:
        InvariantBroken: an installment holds what this build does not know, such as a new state.
    """
    head: dict[str, Any] = json.loads(body)
    head["product"] = product
    try:
        head["installments"] = tuple(
            bodies.INSTALLMENT.validate_json(item) for item in installments
        )
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        where, value = ".".join(map(str, fault["loc"])), shortened(str(fault["input"]), _SHOWN)
        raise InvariantBroken(f"this build does not know the {where} {value!r}") from None
    head["portions"] = tuple(bodies.PORTION.validate_json(item) for item in portions)
    return bodies.LOAN.validate_python(head)


def read_posting(kind: type[P], row: Found[Any], **entry: Any) -> P:  # noqa: ANN401  (its fields)
    """A posting of the journal, with what the entry that holds it says where `kind` has that."""
    return kind(
        row.account,
        row.minor,
        row.currency,
        row.loan,
        row.number,
        row.component,
        row.payment,
        row.order_no,
        row.line,
        row.party,
        row.place,
        row.payout,
        **entry,
    )


def read_payment(body: str) -> Payment:
    """A kept payment."""
    return bodies.PAYMENT.validate_json(body)


def read_portion(body: str) -> Portion:
    """A kept portion of a payment in a loan."""
    return bodies.PORTION.validate_json(body)


def read_mandate(body: str) -> MandateRoot:
    """A kept mandate."""
    return bodies.MANDATE.validate_json(body)


def read_line(body: str) -> LineState:
    """A kept bank line."""
    return bodies.LINE.validate_json(body)


def read_payout(body: str) -> Payout:
    """A kept payout."""
    return bodies.PAYOUT.validate_json(body)


def read_case(body: str) -> Case:
    """A kept case."""
    return bodies.CASE.validate_json(body)


def read_item(row: Found[Any]) -> CaseItem:
    """A kept item of a case."""
    return CaseItem(
        row.case_key,
        row.line,
        row.text,
        row.amount_minor,
        row.currency,
        row.added_at,
        row.cleared_at,
        row.reason,
    )


def read_view(kind: str, body: str) -> View[Any]:
    """A view as of the last write of its subject."""
    return bodies.VIEWS[kind].validate_json(body)


def read_answer(body: str) -> Answer:
    """The answer as first given."""
    return bodies.ANSWER.validate_json(body)


def read_message(body: str) -> Mapping[str, object]:
    """The body of a message: plain JSON values."""
    content: dict[str, object] = json.loads(body)
    return content


def stored_mark(kind: str, body: str) -> bytes:
    """The digest of a view as it was stored; one that cannot be read has none and is replaced."""
    try:
        return view_mark(read_view(kind, body))
    except ValidationError:
        return b""
