"""Signed requests to the simulator's bank, whoever asks: its debit rail or its statements."""

import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from adapters.rails.http import Answer, Head, OpenAnswer, RailHttp, Unanswered
from ports.rail import RailUnavailable

OK = 200
SERVER_ERROR = 500
# 401 is refused before the order is looked at, 429 before it is counted. 503 is *not* here: this
# bank is known to answer it after the work was done.
_NOT_ACCEPTED = frozenset({401, 429})
_Model = TypeVar("_Model", bound=BaseModel)


class SimbankCalls:
    """Signs what is sent, once for each sending. The clock is the bank's."""

    def __init__(
        self,
        http: RailHttp,
        api_secrets: Mapping[str, str],
        clock: Callable[[], datetime],
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._http = http
        self._secrets = api_secrets
        self._clock = clock
        self._nonce = nonce

    async def send(
        self, method: str, target: str, merchant_id: str, body: BaseModel | None = None
    ) -> Answer:
        """Sign and send once.

        Raises:
            RailUnavailable: nothing left (there is no secret to sign with, no connection), or the
                bank did not accept it (`_NOT_ACCEPTED`).
            Unanswered: it may have left.
        """
        answer = await self._http.send(self._signed(method, target, merchant_id, body))
        _must_be_accepted(answer)
        return answer

    async def ask(
        self, method: str, target: str, merchant_id: str, body: BaseModel | None = None
    ) -> Answer:
        """Send what may be sent again: a missing answer is `RailUnavailable`."""
        try:
            answer = await self.send(method, target, merchant_id, body)
        except Unanswered as fault:
            raise RailUnavailable(fault.why) from None
        if answer.status >= SERVER_ERROR:
            raise unavailable(answer)
        return answer

    @asynccontextmanager
    async def fetch(self, target: str, merchant_id: str) -> AsyncIterator[OpenAnswer]:
        """Ask for a file; a missing answer or a part of one is `RailUnavailable`."""
        request = self._signed("GET", target, merchant_id, None)
        try:
            async with self._http.open(request, self._http.limits.file_s) as answer:
                if answer.status != OK:
                    raise unavailable(answer)
                yield answer
        except Unanswered as fault:
            raise RailUnavailable(fault.why) from None

    def _signed(
        self, method: str, target: str, merchant_id: str, body: BaseModel | None
    ) -> httpx.Request:
        secret = self._secrets.get(merchant_id)
        if secret is None:
            raise RailUnavailable("no_secret")  # a gap in settings ends no installment
        content = b"" if body is None else _encoded(body)
        request = self._http.build(method, target, content)
        stamp, nonce = str(int(self._clock().timestamp())), self._nonce()
        sent_target = request.url.raw_path.decode("ascii")
        request.headers["X-Merchant-Id"] = merchant_id
        request.headers["X-Timestamp"] = stamp
        request.headers["X-Nonce"] = nonce
        request.headers["X-Signature"] = signature(
            secret, (method, sent_target, stamp, nonce), content
        )
        if content:
            request.headers["Content-Type"] = "application/json"
        return request


def unavailable(answer: Head) -> RailUnavailable:
    """What an answer of no use means where asking changes nothing."""
    return RailUnavailable(f"http_{answer.status}", answer.retry_after_s)


def read_answer(answer: Answer, model: type[_Model]) -> _Model:
    """The answer as a message of the bank.

    Raises:
        RailUnavailable: it is none.
    """
    if answer.status != OK:
        raise unavailable(answer)
    read = parsed(answer, model)
    if read is None:
        raise RailUnavailable("unreadable")
    return read


def parsed(answer: Answer, model: type[_Model]) -> _Model | None:
    """The body as a message of the bank; None where it is none."""
    try:
        return model.model_validate_json(answer.body)
    except ValidationError:
        return None


def signature(secret: str, line: tuple[str, str, str, str], body: bytes) -> str:
    """The hex signature of a request; `line` is method, path with query, time stamp, nonce."""
    text = "\n".join((*line, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _must_be_accepted(answer: Answer) -> None:
    if answer.status in _NOT_ACCEPTED:
        raise unavailable(answer)


def _encoded(body: BaseModel) -> bytes:
    return json.dumps(body.model_dump(), ensure_ascii=False, separators=(",", ":")).encode()
