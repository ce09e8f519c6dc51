"""Turns domain values into rows; `adapters.sql.readrows` turns them back.

A loan is spread over rows: product once, then loan, installments (with attempts and notices inside
their body) and portions, so that a change writes only what it changed.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

from pydantic_core import to_json

from adapters.sql import bodies
from domain.case.case import Case
from domain.case.item import CaseItem
from domain.case.kinds import CASE_RULES
from domain.case.search import case_words
from domain.debit.attempt import Attempt
from domain.debit.mandate import MandateRoot
from domain.errors import InvariantBroken
from domain.kernel.canonical import digest
from domain.kernel.change import Answer
from domain.kernel.driver import DrivenBy, DriverRecord
from domain.kernel.message import Message
from domain.kernel.view import View
from domain.loan.aggregate import Installment, LineState, Loan, NoticeRecord
from domain.loan.boarding import BoardLoan, Past
from domain.loan.product import Product
from domain.matching.reference import creditor_reference, virtual_account
from domain.payment.payment import Payment
from domain.payment.portion import Portion
from domain.payout.payout import Payout
from domain.registry import KINDS, TOPICS
from domain.statement.said import KEY_MOST
from ports.outbox import TRACE

Row = dict[str, Any]

_APART = {"product", "installments", "portions"}


def product_row(product: Product) -> Row:
    """A product version, kept once."""
    body = bodies.PRODUCT.dump_json(product).decode()
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
        "creditor_ref": creditor_reference(loan.id),
        "virtual_account": virtual_account(loan.id),
        "content": content,
        "version": loan.version,
        "revision": revision,
        "next_roll_on": next_roll_on,
        "body": bodies.LOAN.dump_json(loan, exclude=_APART).decode(),
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
        "view": bodies.VIEWS[subject.kind].dump_json(view).decode(),
    }


def installment_body(item: Installment) -> str:
    """All that is kept of an installment."""
    return bodies.INSTALLMENT.dump_json(item).decode()


def view_mark(view: View[Any]) -> bytes:
    """A digest of what a view says, except for the instant at which it was computed."""
    adapter = bodies.VIEWS[view.subject.kind]
    return blake2b(adapter.dump_json(replace(view, as_of=None)), digest_size=16).digest()


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
        "waiting_minor": portion.suspense_minor,
        "clearing_minor": portion.clearing_minor,
        "returned_minor": portion.returned_minor,
        "refunded_minor": portion.refunded_minor - portion.owed_back_minor,
        "body": bodies.PORTION.dump_json(portion).decode(),
    }


def mandate_row(root: MandateRoot) -> Row:
    """A mandate; each loan under it keeps a copy of its terms."""
    bars_account = any(bar.of_account for bar in root.terms.bars)
    bars_payer = any(bar.of_payer for bar in root.terms.bars)
    return {
        "ref": root.ref,
        "rail": root.terms.rail,
        "payer": root.payer,
        "account_token": root.terms.account_token,
        "barred_account": root.terms.account_token if bars_account else None,
        "barred_payer": root.payer if bars_payer else None,
        "state": root.state.value,
        "valid_from": root.terms.valid_from,
        "valid_to": root.terms.valid_to,
        "ended_on": root.terms.ended_on,
        "loans": root.loans,
        "version": root.version,
        "body": bodies.MANDATE.dump_json(root).decode(),
    }


def payment_row(payment: Payment) -> Row:
    """A payment; its portions lie with their loans."""
    return {
        "id": payment.id,
        "source": payment.source,
        "payer": payment.payer,
        "order_no": payment.order_no,
        "reference": payment.reference,
        "bank_ref": (payment.bank_ref or "")[:KEY_MOST] or None,
        "currency": payment.currency,
        "value_on": payment.value_on,
        "amount_minor": payment.amount_minor,
        # What was brought over is proven by its opening, without a line.
        "settled_minor": (
            payment.amount_minor if payment.is_brought_over else payment.settled_minor
        ),
        "returned_minor": payment.returned_minor,
        "return_settled_minor": payment.return_settled_minor,
        "body": bodies.PAYMENT.dump_json(payment).decode(),
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
        "body": bodies.LINE.dump_json(line).decode(),
    }


def payout_row(payout: Payout) -> Row:
    """A payout, and what it is found by."""
    return {
        "key": payout.key,
        "order_no": payout.order_no,
        "payee": payout.payee,
        "currency": payout.currency,
        "account": payout.account,
        "cut_off_on": payout.cut_off_on,
        "number": payout.number,
        "state": payout.state.value,
        "minor": payout.items.minor,
        "items": payout.items.count,
        "digest": payout.items.digest,
        "payment": payout.refund.payment if payout.refund is not None else None,
        "body": bodies.PAYOUT.dump_json(payout).decode(),
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
        "assignee": case.assignee,
        "cause": (case.cause or CASE_RULES[case.kind].cause).value,
        "code": case.code,
        "resolution": case.resolution.value if case.resolution else None,
        "late_from": late_from,
        "opened_at": case.opened_at,
        "closed_at": case.resolved_at,
    }


def case_body(case: Case) -> str:
    """All that is kept of a case."""
    return bodies.CASE.dump_json(case).decode()


def link_rows(case: Case) -> list[Row]:
    """What a case points to."""
    return [{"case_key": case.key, "kind": link.to.value, "name": link.name} for link in case.links]


def word_rows(case: Case, before: Case | None) -> list[Row]:
    """The words by which a case is found, without those by which it was found before."""
    if before is not None and (before.text, before.notes) == (case.text, case.notes):
        return []
    new = case_words(case) - (case_words(before) if before is not None else frozenset())
    return [{"word": word, "case_key": case.key} for word in sorted(new)]


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
    return bodies.ANSWER.dump_json(answer).decode()  # type: ignore[arg-type]
