"""Speaks to the simulator's direct-debit bank over HTTP: signed requests, one at a time."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ValidationError

from adapters.rails.codes import load_codes
from adapters.rails.http import Answer, RailHttp, TooLarge, Unanswered
from adapters.rails.simbank.profile import SIMBANK
from adapters.rails.simbank.translate import (
    mandate_request,
    order_request,
    outcome_of,
    report_of,
)
from adapters.rails.simbank.wire import (
    CancelRequest,
    MandateAnswer,
    OrderAnswer,
    Refusal,
    StatementList,
)
from adapters.rails.webhooks import key_of, proven_id
from domain.debit.attempt import DebitOrder
from domain.debit.mandate import Mandate
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass, about_other_order
from domain.debit.rail import RailProfile
from domain.errors import InvalidInput
from ports.rail import CANCELLED_CODE, RailUnavailable, Recalled, Report, StatementFile

UNSAYABLE = "UNSAYABLE"
"""Our own code for an order that the bank's format cannot hold: it was never sent."""
STATEMENT_BYTES_MAX = 64 * 1024 * 1024
# 401 is refused before the order is looked at, 429 before it is counted. 503 is *not* here: this
# bank is known to answer it after the work was done.
_NOT_ACCEPTED = frozenset({401, 429})
_OK = 200
_NOT_FOUND = 404
_SERVER_ERROR = 500
# Answers about the inquiry itself, not about the order that was asked after.
_ABOUT_THE_CALL = frozenset({OutcomeClass.TECH, OutcomeClass.DATA_ERROR, OutcomeClass.DUPLICATE})
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class SimbankConfig:
    """Who we are at the bank. Secrets never show in a repr.

    Attributes:
        api_secrets: secret by merchant id. An order is sent and inquired under the merchant of its
            intent for ever, so a former merchant stays here until its orders have ended.
        merchant_id: the merchant for mandates and statements.
        webhook_secrets: every secret that may have signed a webhook; several while one is changed.
    """

    merchant_id: str
    api_secrets: Mapping[str, str] = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if self.merchant_id not in self.api_secrets:
            raise InvalidInput("merchant_id", self.merchant_id, "a merchant with an API secret")
        if not all(self.api_secrets.values()):
            raise InvalidInput("api_secret", "", "not empty")
        if not self.webhook_secrets:
            raise InvalidInput("webhook_secret", "", "at least one")
        for secret in self.webhook_secrets:
            key_of(secret)


class SimbankRail:
    """One rail of the bank as a `ports.rail.Rail`.

    Args:
        http: to the rail, for orders and mandates.
        bank: to the bank that it settles on, for statements.
        config: who we are there.
        clock: the bank's: wall time, or the sandbox's.
        nonce: gives a new one for each request.
        name: of this rail in the installation.
    """

    def __init__(
        self,
        http: RailHttp,
        bank: RailHttp,
        config: SimbankConfig,
        clock: Callable[[], datetime],
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        name: str = SIMBANK.name,
    ) -> None:
        self._profile = replace(SIMBANK, name=name)
        self._http, self._bank = http, bank
        self._config = config
        self._clock = clock
        self._nonce = nonce
        self._codes = load_codes("simbank", "dd")
        self._returns = load_codes("simbank", "returns")

    @property
    def profile(self) -> RailProfile:
        """What the bank can do and when."""
        return self._profile

    async def present(self, order: DebitOrder) -> Outcome:
        """Send one debit order, once, while the sender's lease holds; see `ports.rail.Rail`."""
        if self._clock() >= order.send_until:
            raise RailUnavailable("lease_over")
        try:
            body = order_request(order)
        except ValidationError:
            return Outcome(OutcomeClass.DATA_ERROR, UNSAYABLE)
        try:
            answer = await self._send("POST", "/dd/v1/orders", order.merchant_id, body)
        except Unanswered:
            return NO_ANSWER
        return self._final_outcome(answer, order.order_no)

    async def inquire(self, order_no: str, merchant_id: str) -> Outcome:
        """Ask what became of an order; see `ports.rail.Rail`."""
        target = f"{_order_path(order_no)}?{urlencode({'merchant_id': merchant_id})}"
        read = self._read(await self._ask("GET", target, merchant_id), OrderAnswer)
        outcome = outcome_of(read, self._codes, self.profile.timezone)
        if read.order_no != order_no:
            return about_other_order(outcome, read.order_no)
        if outcome.outcome_class in _ABOUT_THE_CALL:
            raise RailUnavailable(f"code_{read.code}")
        return outcome

    async def cancel(self, order_no: str, merchant_id: str) -> Recalled | Outcome:
        """Recall an order; see `ports.rail.Rail`."""
        body = CancelRequest(merchant_id=merchant_id)
        target = f"{_order_path(order_no)}/cancel"
        try:
            answer = await self._send("POST", target, merchant_id, body)
        except Unanswered:
            return NO_ANSWER
        read = _parsed(answer, OrderAnswer)
        if answer.status != _OK or read is None:
            return NO_ANSWER
        outcome = outcome_of(read, self._codes, self.profile.timezone)
        if read.order_no != order_no:
            return about_other_order(outcome, read.order_no)
        if outcome.code == CANCELLED_CODE:
            return Recalled(order_no)
        if outcome.outcome_class is OutcomeClass.NOT_FOUND:
            return outcome
        # Too late or not said: the code is about the recall, so the order itself is inquired.
        return Outcome(OutcomeClass.PENDING, read.code)

    async def put_mandate(self, mandate: Mandate, currency: str) -> None:
        """Lodge or replace a mandate; see `ports.rail.Rail`."""
        body = mandate_request(mandate, currency)
        answer = await self._ask("PUT", _mandate_path(mandate.ref), mandate.merchant_id, body)
        if answer.status != _OK:
            refusal = _parsed(answer, Refusal)
            code = "ended" if refusal is None else refusal.code
            raise InvalidInput("mandate", mandate.ref, f"a mandate that the bank takes ({code})")
        if self._read(answer, MandateAnswer).status != "ACTIVE":
            raise InvalidInput("mandate", mandate.ref, "a mandate that has not been ended")

    async def end_mandate(self, ref: str) -> None:
        """End a mandate; see `ports.rail.Rail`."""
        answer = await self._ask("DELETE", _mandate_path(ref), self._config.merchant_id)
        if answer.status == _NOT_FOUND:
            return
        if self._read(answer, MandateAnswer).status != "ENDED":
            raise RailUnavailable("mandate_not_ended")

    async def statements(self, account: str, first: date, last: date) -> tuple[StatementFile, ...]:
        """The statements on offer; see `ports.rail.Rail`."""
        query = urlencode({"account": account, "from": first.isoformat(), "to": last.isoformat()})
        answer = await self._ask(
            "GET", f"/v1/statements?{query}", self._config.merchant_id, at=self._bank
        )
        return tuple(
            StatementFile(
                id=item.id,
                account=item.account,
                date=item.date,
                sequence=item.seq,
                sha256=item.sha256,
            )
            for item in self._read(answer, StatementList).statements
        )

    async def fetch_statement(self, statement_id: str) -> bytes:
        """One statement file; see `ports.rail.Rail`."""
        target = f"/v1/statements/{quote(statement_id, safe='')}"
        try:
            answer = await self._ask(
                "GET",
                target,
                self._config.merchant_id,
                answer_max=STATEMENT_BYTES_MAX,
                at=self._bank,
            )
        except TooLarge:
            raise InvalidInput(
                "statement", statement_id, f"at most {STATEMENT_BYTES_MAX} bytes"
            ) from None
        if answer.status != _OK:
            raise RailUnavailable(f"http_{answer.status}", answer.retry_after_s)
        return answer.body

    def reports(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Report, ...]:
        """Prove a webhook and translate it; see `ports.rail.Rail`."""
        event_id = proven_id(headers, body, self._config.webhook_secrets, now)
        zone = self.profile.timezone
        return (report_of(event_id, body, self._codes, self._returns, zone),)

    def _final_outcome(self, answer: Answer, order_no: str) -> Outcome:
        """The outcome in the answer to an order; an incomplete or unfitting one is NO_ANSWER."""
        if answer.status >= _SERVER_ERROR:
            return NO_ANSWER
        read = _parsed(answer, OrderAnswer)
        if read is not None:
            outcome = outcome_of(read, self._codes, self.profile.timezone)
            fits = read.order_no == order_no
            return outcome if fits else about_other_order(outcome, read.order_no)
        refusal = _parsed(answer, Refusal)
        if answer.status == _OK or refusal is None:
            return NO_ANSWER
        outcome_class = self._codes.lookup(refusal.code).outcome_class
        return (
            Outcome(outcome_class, refusal.code)
            if outcome_class is OutcomeClass.DATA_ERROR
            else NO_ANSWER
        )

    async def _ask(
        self,
        method: str,
        target: str,
        merchant_id: str,
        body: BaseModel | None = None,
        answer_max: int | None = None,
        at: RailHttp | None = None,
    ) -> Answer:
        """Send what may be sent again: a missing answer is `RailUnavailable`."""
        try:
            answer = await self._send(method, target, merchant_id, body, answer_max, at)
        except Unanswered as fault:
            if isinstance(fault, TooLarge) and answer_max is not None:
                raise  # the caller named a limit, so it has an answer for it
            raise RailUnavailable(fault.why) from None
        if answer.status >= _SERVER_ERROR:
            raise RailUnavailable(f"http_{answer.status}", answer.retry_after_s)
        return answer

    async def _send(
        self,
        method: str,
        target: str,
        merchant_id: str,
        body: BaseModel | None = None,
        answer_max: int | None = None,
        at: RailHttp | None = None,
    ) -> Answer:
        """Sign and send once, to the rail unless `at` is another place.

        Raises:
            RailUnavailable: nothing left (there is no secret to sign with, no connection), or the
                bank did not accept it (`_NOT_ACCEPTED`).
            Unanswered: it may have left.
        """
        secret = self._config.api_secrets.get(merchant_id)
        if secret is None:
            raise RailUnavailable("no_secret")  # a gap in settings ends no installment
        content = b"" if body is None else _encoded(body)
        http = at or self._http
        request = http.build(method, target, content)
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
        answer = await http.send(request, answer_max)
        if answer.status in _NOT_ACCEPTED:
            raise RailUnavailable(f"http_{answer.status}", answer.retry_after_s)
        return answer

    def _read(self, answer: Answer, model: type[_Model]) -> _Model:
        if answer.status != _OK:
            raise RailUnavailable(f"http_{answer.status}", answer.retry_after_s)
        read = _parsed(answer, model)
        if read is None:
            raise RailUnavailable("unreadable")
        return read


def signature(secret: str, line: tuple[str, str, str, str], body: bytes) -> str:
    """The hex signature of a request; `line` is method, path with query, time stamp, nonce."""
    text = "\n".join((*line, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _encoded(body: BaseModel) -> bytes:
    return json.dumps(body.model_dump(), ensure_ascii=False, separators=(",", ":")).encode()


def _parsed(answer: Answer, model: type[_Model]) -> _Model | None:
    try:
        return model.model_validate_json(answer.body)
    except ValidationError:
        return None


def _order_path(order_no: str) -> str:
    return f"/dd/v1/orders/{quote(order_no, safe='')}"


def _mandate_path(ref: str) -> str:
    return f"/dd/v1/mandates/{quote(ref, safe='')}"
