"""Notices as text messages over a carrier's HTTP interface."""

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.notices.once import OnceNotices
from adapters.notices.wording import Wording
from ports.notices import Contacts, Notice, NotSent, Sent

_TIMEOUT = httpx.Timeout(10.0)
_SERVER_ERROR = 500


class _Taken(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    provider_id: str | None = None


class SmsNotices(OnceNotices):
    """Implements `ports.notices.Notices` for text messages.

    The carrier takes each `message_id` once, so a repeat after a lost answer does no harm.

    Args:
        client: whose lifetime the caller owns.
        base_url: of the carrier, without a slash at the end.
        secret: the carrier's bearer token.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        secret: str,
        contacts: Contacts,
        wording: Wording,
    ) -> None:
        super().__init__(contacts, wording)
        self._client = client
        self._url = f"{base_url}/sms/v1/messages"
        self._headers = {"Authorization": f"Bearer {secret}"}

    async def _hand_in(self, notice: Notice, address: str) -> Sent | NotSent:
        body = {
            "message_id": notice.message_id,
            "to": address,
            "text": self._wording.sms(notice),
            "lang": notice.language,
        }
        try:
            answer = await self._client.post(
                self._url, json=body, headers=self._headers, timeout=_TIMEOUT
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return NotSent(notice.message_id, "sms_unreachable", retryable=True)
        except httpx.TransportError:
            return NotSent(notice.message_id, "sms_no_answer", retryable=True, maybe_sent=True)
        return _outcome(notice, answer)


def _outcome(notice: Notice, answer: httpx.Response) -> Sent | NotSent:
    if answer.is_success:
        try:
            reference = _Taken.model_validate_json(answer.content).provider_id
        except ValidationError:
            reference = None  # taken all the same; only the carrier's own number is lost
        return Sent(notice.message_id, reference)
    broken = answer.status_code >= _SERVER_ERROR
    later = broken or answer.status_code in {
        httpx.codes.REQUEST_TIMEOUT,
        httpx.codes.TOO_MANY_REQUESTS,
    }
    reason = f"sms_{answer.status_code}"
    return NotSent(notice.message_id, reason, retryable=later, maybe_sent=broken)
