"""Translates between the bank's messages and ours. What is not explicit stays unknown."""

import json
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter, ValidationError

from adapters.rails.simbank.wire import (
    DeliveryEvent,
    MandateRequest,
    OrderAnswer,
    OrderFinished,
    OrderRequest,
    OrderReturned,
)
from domain.debit.attempt import DebitOrder
from domain.debit.codes import CodeTable
from domain.debit.mandate import Mandate
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus
from ports.rail import (
    CANCELLED_CODE,
    DeliveryReport,
    OutcomeReport,
    Report,
    ReturnReport,
    UnparsedEvent,
)

_EVENTS: TypeAdapter[OrderFinished | OrderReturned | DeliveryEvent] = TypeAdapter(
    Annotated[OrderFinished | OrderReturned | DeliveryEvent, Field(discriminator="type")]
)
_TYPE_SHOWN = 60
UNREADABLE = "unreadable"


def order_request(order: DebitOrder) -> OrderRequest:
    """The body for an order: made of nothing but the order, so every send has the same bytes.

    Raises:
        ValidationError: a value that the bank's format does not hold.
    """
    return OrderRequest(
        order_no=order.order_no,
        merchant_id=order.merchant_id,
        mandate_ref=order.mandate_ref,
        amount_minor=order.amount_minor,
        currency=order.currency,
        value_on=order.value_on.isoformat(),
        purpose=f"{order.loan_id}/{order.number}"[:140],
    )


def mandate_request(mandate: Mandate, currency: str) -> MandateRequest:
    """The body for a mandate."""
    return MandateRequest(
        account_token=mandate.account_token,
        cap_minor=mandate.cap_minor,
        currency=currency,
        valid_from=mandate.valid_from.isoformat(),
        valid_to=None if mandate.valid_to is None else mandate.valid_to.isoformat(),
    )


def outcome_of(answer: OrderAnswer, codes: CodeTable, timezone: str) -> Outcome:
    """What an order's state means.

    Code and status must tell the same story; where they contradict each other, or money is
    reported without an amount, the outcome is UNKNOWN_CODE: asked again, and a case.
    """
    outcome_class = codes.lookup(answer.code).outcome_class
    outcome = Outcome(outcome_class, answer.code, batch_ref=answer.batch_ref)
    status = outcome.status
    match answer.status:
        case "SUCCESS" | "PARTIAL" if (
            status is OutcomeStatus.CONFIRMED and answer.executed_minor > 0
        ):
            return _taken(answer, outcome_class, timezone)
        case "SUCCESS" | "PARTIAL" if answer.executed_minor <= 0:
            said = f"{answer.status} cannot have an amount of {answer.executed_minor}"
            return Outcome(OutcomeClass.UNKNOWN_CODE, answer.code, flaw=said)
        case "CANCELLED" if answer.executed_minor == 0:
            return Outcome(OutcomeClass.DECLINED, CANCELLED_CODE)
        case "DECLINED":
            fits = status is OutcomeStatus.DECLINED and answer.executed_minor == 0
        case "PENDING":
            fits = status in {OutcomeStatus.PENDING, OutcomeStatus.UNKNOWN}
        case "NOT_FOUND":
            fits = status is OutcomeStatus.NOT_FOUND
        case "ERROR":
            fits = status is OutcomeStatus.UNKNOWN or outcome_class is OutcomeClass.DATA_ERROR
        case _:
            fits = False
    return outcome if fits else Outcome(OutcomeClass.UNKNOWN_CODE, answer.code)


def _taken(answer: OrderAnswer, outcome_class: OutcomeClass, timezone: str) -> Outcome:
    executed = answer.executed_minor
    if executed > answer.amount_minor or (answer.status == "PARTIAL") != (
        executed < answer.amount_minor
    ):
        outcome_class = OutcomeClass.SUCCESS_DEFECTIVE  # cash is booked as it came, a person looks
    elif executed < answer.amount_minor:
        outcome_class = OutcomeClass.PARTIAL
    return Outcome(
        outcome_class,
        answer.code,
        executed_minor=executed,
        bank_ref=answer.bank_ref,
        batch_ref=answer.batch_ref,
        executed_on=_day_of(answer.executed_at, timezone),
        currency=answer.currency,
    )


def _day_of(at: datetime | None, timezone: str) -> date | None:
    return None if at is None else at.astimezone(ZoneInfo(timezone)).date()


def report_of(
    event_id: str, body: bytes, codes: CodeTable, returns: CodeTable, timezone: str
) -> Report:
    """A proven webhook in our words; what cannot be read is an UnparsedEvent, never a guess."""
    try:
        event = _EVENTS.validate_json(body)
    except ValidationError:
        return UnparsedEvent(event_id, _type_of(body))
    match event:
        case OrderFinished(order=order):
            return OutcomeReport(event_id, order.order_no, outcome_of(order, codes, timezone))
        case OrderReturned():
            return ReturnReport(
                event_id=event_id,
                order_no=event.order_no,
                bank_ref=event.bank_ref,
                amount_minor=event.amount_minor,
                fee_minor=event.fee_minor,
                reason_outcome_class=returns.lookup(event.reason).outcome_class,
                reason_code=event.reason,
                returned_on=event.returned_on,
                currency=event.currency,
            )
        case DeliveryEvent():
            return DeliveryReport(
                event_id=event_id,
                message_id=event.message_id,
                delivered=event.status == "delivered",
                reason=event.reason if event.status == "failed" else None,
                at=event.at,
                channel=event.channel or "",
            )


def _type_of(body: bytes) -> str:
    """The type an unreadable event claims, shortened; it is shown to people, never acted on."""
    try:
        claimed = json.loads(body)["type"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return UNREADABLE
    if not isinstance(claimed, str) or not claimed.isprintable():
        return UNREADABLE
    return claimed[:_TYPE_SHOWN] or UNREADABLE
