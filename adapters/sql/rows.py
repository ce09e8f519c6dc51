"""Turns domain values into rows and back. Bodies are JSON, written and read by pydantic.

A loan is spread over rows: product once, then loan, installments (with attempts and notices inside
their body) and portions, so that a change writes only what it changed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from hashlib import blake2b
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import to_json
from sqlalchemy import Row as Found

from domain.case.case import Case
from domain.case.item import CaseItem
from domain.debit.attempt import Attempt
from domain.debit.mandate import MandateRoot
from domain.errors import InvariantBroken
from domain.kernel.canonical import digest
from domain.kernel.change import Answer
from domain.kernel.driver import DrivenBy, DriverRecord
from domain.kernel.message import Message
from domain.kernel.view import View
from domain.ledger.entry import Posting
from domain.loan.aggregate import Installment, LineState, Loan, NoticeRecord
from domain.loan.boarding import BoardLoan, Past
from domain.loan.product import Product
from domain.payment.payment import Payment
from domain.payment.portion import Portion
from domain.registry import KINDS, TOPICS, AnyAnswer
from domain.text import shortened
from ports.outbox import TRACE

Row = dict[str, Any]
P = TypeVar("P", bound=Posting)

_PRODUCT = TypeAdapter(Product)
_LOAN = TypeAdapter(Loan)
_INSTALLMENT = TypeAdapter(Installment)
_PORTION = TypeAdapter(Portion)
_PAYMENT = TypeAdapter(Payment)
_MANDATE = TypeAdapter(MandateRoot)
_LINE = TypeAdapter(LineState)
_CASE = TypeAdapter(Case)
_VIEWS: Mapping[str, TypeAdapter[View[Any]]] = MappingProxyType(
    {kind.name: TypeAdapter(View[kind.detail]) for kind in KINDS.values()}  # type: ignore[name-defined]
)
_ANSWER: TypeAdapter[AnyAnswer] = TypeAdapter(Annotated[AnyAnswer, Field(discriminator="kind")])
_SHOWN = 40
_APART = {"product", "installments", "portions"}


# --- to rows -------------------------------------------------------------------------------------


def product_row(product: Product) -> Row:
    """A product version, kept once."""
    body = _PRODUCT.dump_json(product).decode()
    return {"ref": product.ref, "digest": digest(product), "body": body}


def content_of(command: BoardLoan) -> str:
    """Digest of what is boarded, whoever boards it and under whatever command id.

    What became of past installments is said once: the same loan sent again is the same loan.
    """
    return replace(command, past=Past.REFUSE).identity()


def loan_row(loan: Loan, content: str, revision: int, next_roll_on: date | None) -> Row:
    """The loan itself, without what has rows of its own."""
    return {
        "id": loan.id,
        "tenant": loan.tenant,
        "product_ref": loan.product.ref,
        "timezone": loan.product.timezone,
        "mandate_ref": loan.mandate.ref,
        "content": content,
        "version": loan.version,
        "revision": revision,
        "next_roll_on": next_roll_on,
        "body": _LOAN.dump_json(loan, exclude=_APART).decode(),
    }


def subject_row(
    view: View[Any], driver: DriverRecord, body: str, borrower: str = "", product: str = ""
) -> Row:
    """A subject; `changed_at` and `state_since` are added by whoever knows that it changed."""
    action, labels, subject = view.next_action, view.labels, view.subject
    return {
        "kind": subject.kind,
        "key": subject.key,
        "tenant": view.tenant,
        "state": view.state,
        "generation": view.generation,
        "version": view.version,
        "is_final": view.is_final,
        "next_action_at": action.not_before if action else None,
        "next_action_kind": action.kind if action else None,
        "needs_operator": bool(view.needs_operator),
        "borrower": borrower,
        "product": product,
        "loan_id": labels.loan_id,
        "number": labels.number,
        "due_on": labels.due_on,
        "currency": labels.currency,
        "amount_minor": labels.amount_minor,
        "rail": labels.rail,
        "code": labels.code,
        "owner": labels.owner,
        "driven_by": (DrivenBy.WORKFLOW if driver.opened else KINDS[subject.kind].driven_by).value,
        "opened": driver.opened,
        "notified_of": driver.mark,
        "asleep_until": driver.until,
        "body": body,
        "view": _VIEWS[subject.kind].dump_json(view).decode(),
    }


def installment_body(item: Installment) -> str:
    """All that is kept of an installment."""
    return _INSTALLMENT.dump_json(item).decode()


def view_mark(view: View[Any]) -> bytes:
    """A digest of what a view says, except for the instant at which it was computed."""
    adapter = _VIEWS[view.subject.kind]
    return blake2b(adapter.dump_json(replace(view, as_of=None)), digest_size=16).digest()


def stored_mark(kind: str, body: str) -> bytes:
    """The digest of a view as it was stored; one that cannot be read has none and is replaced."""
    try:
        return view_mark(read_view(kind, body))
    except ValidationError:
        return b""


def attempt_row(loan_id: str, number: int, attempt: Attempt) -> Row:
    """What an attempt is looked up by; its body lies in its installment."""
    return {
        "loan_id": loan_id,
        "number": number,
        "attempt": attempt.number,
        "order_no": attempt.order_no,
        "mandate_ref": attempt.mandate_ref,
        "rail": attempt.rail,
        "batch_ref": attempt.batch_ref,
        "state": attempt.state.value,
        "outcome_class": attempt.outcome_class.value if attempt.outcome_class else None,
        "amount_minor": attempt.amount_minor,
        "value_on": attempt.value_on,
        "cut_at": attempt.cut_at,
    }


def notice_row(loan_id: str, number: int, notice: NoticeRecord) -> Row:
    """What a message is looked up by; its body lies in its installment."""
    return {
        "message_id": notice.message_id,
        "loan_id": loan_id,
        "number": number,
        "channel": notice.channel,
        "state": notice.state.value,
        "queued_at": notice.queued_at,
    }


def portion_row(loan_id: str, position: int, portion: Portion) -> Row:
    """A portion in one loan; `position` keeps the order in which the loan got them."""
    return {
        "loan_id": loan_id,
        "id": portion.id,
        "position": position,
        "number": portion.number,
        "order_no": portion.order_no,
        "amount_minor": portion.amount_minor,
        "waiting_minor": portion.waiting_minor,
        "clearing_minor": portion.clearing_minor,
        "returned_minor": portion.returned_minor,
        "body": _PORTION.dump_json(portion).decode(),
    }


def mandate_row(root: MandateRoot) -> Row:
    """A mandate; each loan under it keeps a copy of its terms."""
    return {
        "ref": root.ref,
        "rail": root.terms.rail,
        "payer": root.payer,
        "state": root.state.value,
        "valid_from": root.terms.valid_from,
        "valid_to": root.terms.valid_to,
        "ended_on": root.terms.ended_on,
        "loans": root.loans,
        "version": root.version,
        "body": _MANDATE.dump_json(root).decode(),
    }


def payment_row(payment: Payment) -> Row:
    """A payment; its portions lie with their loans."""
    return {
        "id": payment.id,
        "source": payment.source,
        "payer": payment.payer,
        "order_no": payment.order_no,
        "reference": payment.reference,
        "currency": payment.currency,
        "value_on": payment.value_on,
        "amount_minor": payment.amount_minor,
        # What was brought over is proven by its opening, without a line.
        "settled_minor": payment.amount_minor - payment.unsettled_minor,
        "returned_minor": payment.returned_minor,
        "return_settled_minor": payment.return_settled_minor,
        "body": _PAYMENT.dump_json(payment).decode(),
    }


def line_row(line: LineState) -> Row:
    """A booked bank line."""
    return {
        "id": line.id,
        "account": line.account,
        "statement_id": line.statement_id,
        "booked_on": line.booked_on,
        "amount_minor": line.amount_minor,
        "open_minor": line.open_minor,
        "body": _LINE.dump_json(line).decode(),
    }


def case_row(case: Case, late_from: datetime | None) -> Row:
    """What a case is found by."""
    return {
        "key": case.key,
        "kind": case.kind.value,
        "loan_id": case.loan_id,
        "number": case.number,
        "line": case.line,
        "group_key": case.group or None,
        "owner": case.owner,
        "late_from": late_from,
        "opened_at": case.opened_at,
        "closed_at": case.resolved_at,
    }


def case_body(case: Case) -> str:
    """All that is kept of a case."""
    return _CASE.dump_json(case).decode()


def item_row(item: CaseItem) -> Row:
    """A line that is an item of a case: all that is kept of it."""
    return {
        "case_key": item.case,
        "line": item.line,
        "text": item.text,
        "amount_minor": item.amount_minor,
        "currency": item.currency,
        "added_at": item.added_at,
        "cleared_at": item.cleared_at,
        "reason": item.reason,
    }


def message_row(
    message: Message, queued_at: datetime, origin: Mapping[str, str] | None = None
) -> Row:
    """A message that leaves after the commit; `origin` is the trace that its delivery belongs to.

    The trace travels beside what the message says, and is no part of any command or digest.

    Raises:
        InvariantBroken: its payload is not what its topic carries.
    """
    payload, topic = message.payload, TOPICS.get(message.topic)
    if topic is None or not isinstance(payload, topic.payload):
        raise InvariantBroken(f"topic {message.topic} carries no {type(payload).__name__}")
    body = {item.name: getattr(payload, item.name) for item in fields(payload)}
    return {
        "topic": message.topic,
        "stream": message.stream,
        "body": to_json({**body, TRACE: origin} if origin else body).decode(),
        "queued_at": queued_at,
        "not_before": message.not_before,
    }


def answer_text(answer: Answer) -> str:
    """An answer as kept in the command log."""
    return _ANSWER.dump_json(answer).decode()  # type: ignore[arg-type]


# --- back ----------------------------------------------------------------------------------------


def read_product(body: str) -> Product:
    """A kept product version."""
    return _PRODUCT.validate_json(body)


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
        head["installments"] = tuple(_INSTALLMENT.validate_json(item) for item in installments)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        where, value = ".".join(map(str, fault["loc"])), shortened(str(fault["input"]), _SHOWN)
        raise InvariantBroken(f"this build does not know the {where} {value!r}") from None
    head["portions"] = tuple(_PORTION.validate_json(item) for item in portions)
    return _LOAN.validate_python(head)


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
        **entry,
    )


def read_payment(body: str) -> Payment:
    """A kept payment."""
    return _PAYMENT.validate_json(body)


def read_mandate(body: str) -> MandateRoot:
    """A kept mandate."""
    return _MANDATE.validate_json(body)


def read_line(body: str) -> LineState:
    """A kept bank line."""
    return _LINE.validate_json(body)


def read_case(body: str) -> Case:
    """A kept case."""
    return _CASE.validate_json(body)


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
    return _VIEWS[kind].validate_json(body)


def read_answer(body: str) -> Answer:
    """The answer as first given."""
    return _ANSWER.validate_json(body)


def read_message(body: str) -> Mapping[str, object]:
    """The body of a message: plain JSON values."""
    content: dict[str, object] = json.loads(body)
    return content
