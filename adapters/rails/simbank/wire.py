"""Messages of the simulator's bank exactly as they stand on the wire; amounts in minor units.

Unknown fields are let through, since a bank adds fields without notice; known fields are strict.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

Minor = Annotated[int, Field(ge=0, le=10**15)]
Said = Annotated[int, Field(ge=-(10**15), le=10**15)]
"""An amount that the bank says was taken or came back; one that cannot be true is read as well."""
Reference = Annotated[str, Field(min_length=1, max_length=140)]
_ISO_DATE = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


def _day(value: object) -> object:
    """Take a day as text only; the strict mode would refuse it, the lax one would take numbers."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _instant(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]


class Wire(BaseModel):
    """Base of everything that comes from the bank."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class OrderRequest(Wire):
    """Body of POST /dd/v1/orders; the same bytes on every send of one order."""

    order_no: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:~-]{1,35}$")]
    merchant_id: Reference
    mandate_ref: Reference
    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    value_on: Annotated[str, _ISO_DATE]
    purpose: Annotated[str, Field(max_length=140)]


class PayoutRequest(Wire):
    """Body of POST /v1/payouts of the bank; the same bytes on every send of one order."""

    order_no: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:~-]{1,35}$")]
    account: Reference
    beneficiary: Reference
    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class OrderAnswer(Wire):
    """State of one order, in answers and in `order.finished`."""

    order_no: Reference
    code: Annotated[str, Field(min_length=1, max_length=10)]
    status: Annotated[str, Field(max_length=20)]
    amount_minor: Minor
    executed_minor: Said
    currency: Annotated[str, Field(max_length=10)] | None = None
    bank_ref: Reference | None = None
    executed_at: Instant | None = None
    batch_ref: Reference | None = None


class Refusal(Wire):
    """An answer that carries no order: the request itself was refused."""

    code: Annotated[str, Field(min_length=1, max_length=10)]
    text: str = ""


class CancelRequest(Wire):
    """Body of POST /dd/v1/orders/{order_no}/cancel."""

    merchant_id: Reference


class MandateRequest(Wire):
    """Body of PUT /dd/v1/mandates/{mandate_ref}."""

    account_token: Reference
    cap_minor: int | None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    valid_from: Annotated[str, _ISO_DATE]
    valid_to: Annotated[str, _ISO_DATE] | None


class MandateAnswer(Wire):
    """State of a mandate at the bank."""

    status: Literal["ACTIVE", "ENDED"]


class StatementListed(Wire):
    """One line of the list of statements."""

    id: Reference
    account: Reference
    date: Day
    seq: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StatementList(Wire):
    """Answer of GET /v1/statements of the bank; at most what the bank puts on one page."""

    statements: Annotated[list[StatementListed], Field(max_length=10_000)]


class OrderFinished(Wire):
    """Webhook order.finished."""

    type: Literal["order.finished"]
    order: OrderAnswer


class OrderReturned(Wire):
    """Webhook order.returned; `reason` is an ISO reason, amounts are not negative."""

    type: Literal["order.returned"]
    order_no: Reference
    bank_ref: Reference | None = None
    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    fee_minor: Minor = 0
    reason: Annotated[str, Field(max_length=20)]
    returned_on: Day
    currency: Annotated[str, Field(max_length=10)] | None = None


class DeliveryEvent(Wire):
    """Webhook notice.delivery_report."""

    type: Literal["notice.delivery_report"]
    message_id: Reference
    channel: Literal["email", "sms"] | None = None
    status: Literal["delivered", "failed"]
    reason: str | None = None
    at: Instant
