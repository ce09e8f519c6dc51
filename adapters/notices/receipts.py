"""What a carrier reports about a message afterwards, read from its webhook."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from domain.errors import InvalidInput
from ports.notices import NoticeReceipt

_BODY_MOST = 16 * 1024


class _ReceiptBody(BaseModel):
    """`notice.receipt` as it comes over the wire; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["notice.receipt"]
    message_id: str = Field(min_length=1, max_length=120)
    status: Literal["delivered", "failed"]
    reason: str | None = Field(default=None, max_length=200)
    at: AwareDatetime


def receipt_from_webhook(body: bytes) -> NoticeReceipt:
    """Read one receipt. The signature is checked before, by whoever took the webhook in.

    Raises:
        InvalidInput: not a receipt; names the first field that is wrong, never its value.
    """
    if len(body) > _BODY_MOST:
        raise InvalidInput("body", len(body), f"at most {_BODY_MOST} bytes")
    try:
        wire = _ReceiptBody.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidInput(f"notice.receipt/{field}", first["type"], first["msg"]) from None
    return NoticeReceipt(wire.message_id, wire.status, wire.reason, wire.at)
