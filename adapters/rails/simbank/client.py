"""Speaks to the simulator's direct-debit bank over HTTP: signed requests, one at a time."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from adapters.rails.codes import load_codes
from adapters.rails.http import Answer, RailHttp, Unanswered
from adapters.rails.simbank.calls import OK, SERVER_ERROR, SimbankCalls, parsed, read_answer
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
)
from adapters.rails.webhooks import key_of, proven_id
from domain.debit.attempt import DebitOrder
from domain.debit.mandate import Mandate
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass, about_other_order
from domain.debit.rail import RailProfile
from domain.errors import InvalidInput
from ports.rail import CANCELLED_CODE, RailUnavailable, Recalled, Report

UNSAYABLE = "UNSAYABLE"
"""Our own code for an order that the bank's format cannot hold: it was never sent."""
_NOT_FOUND = 404
# Answers about the inquiry itself, not about the order that was asked after.
_ABOUT_THE_CALL = frozenset({OutcomeClass.TECH, OutcomeClass.DATA_ERROR, OutcomeClass.DUPLICATE})


@dataclass(frozen=True, slots=True)
class SimbankConfig:
    """Who we are at the bank. Secrets never show in a repr.

    Attributes:
        api_secrets: secret by merchant id. An order is sent and inquired under the merchant of its
            intent for ever, so a former merchant stays here until its orders have ended.
        merchant_id: the merchant for mandates.
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
        config: who we are there.
        clock: the bank's: wall time, or the sandbox's.
        nonce: gives a new one for each request.
        name: of this rail in the installation.
    """

    def __init__(
        self,
        http: RailHttp,
        config: SimbankConfig,
        clock: Callable[[], datetime],
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        name: str = SIMBANK.name,
    ) -> None:
        self._calls = SimbankCalls(http, config.api_secrets, clock, nonce)
        self._profile = replace(SIMBANK, name=name)
        self._config = config
        self._clock = clock
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
            answer = await self._calls.send("POST", "/dd/v1/orders", order.merchant_id, body)
        except Unanswered:
            return NO_ANSWER
        return self._final_outcome(answer, order.order_no)

    async def inquire(self, order_no: str, merchant_id: str) -> Outcome:
        """Ask what became of an order; see `ports.rail.Rail`."""
        target = f"{_order_path(order_no)}?{urlencode({'merchant_id': merchant_id})}"
        read = read_answer(await self._calls.ask("GET", target, merchant_id), OrderAnswer)
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
            answer = await self._calls.send("POST", target, merchant_id, body)
        except Unanswered:
            return NO_ANSWER
        read = parsed(answer, OrderAnswer)
        if answer.status != OK or read is None:
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
        answer = await self._calls.ask("PUT", _mandate_path(mandate.ref), mandate.merchant_id, body)
        if answer.status != OK:
            refusal = parsed(answer, Refusal)
            code = "ended" if refusal is None else refusal.code
            raise InvalidInput("mandate", mandate.ref, f"a mandate that the bank takes ({code})")
        if read_answer(answer, MandateAnswer).status != "ACTIVE":
            raise InvalidInput("mandate", mandate.ref, "a mandate that has not been ended")

    async def end_mandate(self, ref: str) -> None:
        """End a mandate; see `ports.rail.Rail`."""
        answer = await self._calls.ask("DELETE", _mandate_path(ref), self._config.merchant_id)
        if answer.status == _NOT_FOUND:
            return
        if read_answer(answer, MandateAnswer).status != "ENDED":
            raise RailUnavailable("mandate_not_ended")

    def reports(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Report, ...]:
        """Prove a webhook and translate it; see `ports.rail.Rail`."""
        event_id = proven_id(headers, body, self._config.webhook_secrets, now)
        zone = self.profile.timezone
        return (report_of(event_id, body, self._codes, self._returns, zone),)

    def _final_outcome(self, answer: Answer, order_no: str) -> Outcome:
        """The outcome in the answer to an order; an incomplete or unfitting one is NO_ANSWER."""
        if answer.status >= SERVER_ERROR:
            return NO_ANSWER
        read = parsed(answer, OrderAnswer)
        if read is not None:
            outcome = outcome_of(read, self._codes, self.profile.timezone)
            fits = read.order_no == order_no
            return outcome if fits else about_other_order(outcome, read.order_no)
        refusal = parsed(answer, Refusal)
        if answer.status == OK or refusal is None:
            return NO_ANSWER
        outcome_class = self._codes.lookup(refusal.code).outcome_class
        return (
            Outcome(outcome_class, refusal.code)
            if outcome_class is OutcomeClass.DATA_ERROR
            else NO_ANSWER
        )


def _order_path(order_no: str) -> str:
    return f"/dd/v1/orders/{quote(order_no, safe='')}"


def _mandate_path(ref: str) -> str:
    return f"/dd/v1/mandates/{quote(ref, safe='')}"
