"""Transfers to payees through the simulated bank, over its signed HTTP interface."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from pydantic import ValidationError

from adapters.rails.codes import load_codes
from adapters.rails.http import Unanswered
from adapters.rails.simbank.calls import OK, SERVER_ERROR, SimbankCalls, parsed, read_answer
from adapters.rails.simbank.profile import SIMBANK
from adapters.rails.simbank.translate import outcome_of
from adapters.rails.simbank.wire import OrderAnswer, PayoutRequest, Refusal
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass, about_other_order
from domain.payout.payout import PayoutOrder
from ports.rail import RailUnavailable

UNSAYABLE = "UNSAYABLE"
"""Our own code for an order that the bank's format cannot hold: it was never sent."""
_ABOUT_THE_CALL = frozenset({OutcomeClass.TECH, OutcomeClass.DATA_ERROR, OutcomeClass.DUPLICATE})


class SimbankPayouts:
    """Implements `ports.payoutchannel.PayoutChannel`.

    Args:
        calls: to the bank. merchant_id: as whom we sign.
        clock: the bank's: wall time, or the sandbox's.
    """

    def __init__(
        self, calls: SimbankCalls, merchant_id: str, clock: Callable[[], datetime]
    ) -> None:
        self._calls, self._merchant_id, self._clock = calls, merchant_id, clock
        self._codes = load_codes("simbank", "dd")

    async def send(self, order: PayoutOrder) -> Outcome:
        """Send one order, once, while the sender's lease holds; see the port."""
        if self._clock() >= order.send_until:
            raise RailUnavailable("lease_over")
        try:
            body = PayoutRequest(
                order_no=order.order_no,
                account=order.account,
                beneficiary=order.beneficiary,
                amount_minor=order.amount_minor,
                currency=order.currency,
            )
        except ValidationError:
            return Outcome(OutcomeClass.DATA_ERROR, UNSAYABLE)
        try:
            answer = await self._calls.send("POST", "/v1/payouts", self._merchant_id, body)
        except Unanswered:
            return NO_ANSWER
        if answer.status >= SERVER_ERROR:
            return NO_ANSWER
        read = parsed(answer, OrderAnswer)
        if read is not None:
            return self._outcome(read, order.order_no)
        refusal = parsed(answer, Refusal)
        if answer.status == OK or refusal is None:
            return NO_ANSWER
        known = self._codes.lookup(refusal.code).outcome_class
        is_ours = known is OutcomeClass.DATA_ERROR
        return Outcome(known, refusal.code) if is_ours else NO_ANSWER

    async def inquire(self, order_no: str) -> Outcome:
        """Ask what became of an order; see the port."""
        target = f"/v1/payouts/{quote(order_no, safe='')}"
        read = read_answer(await self._calls.ask("GET", target, self._merchant_id), OrderAnswer)
        outcome = self._outcome(read, order_no)
        if outcome.outcome_class in _ABOUT_THE_CALL and not outcome.flaw:
            raise RailUnavailable(f"code_{read.code}")
        return outcome

    def _outcome(self, read: OrderAnswer, order_no: str) -> Outcome:
        outcome = outcome_of(read, self._codes, SIMBANK.timezone)
        return outcome if read.order_no == order_no else about_other_order(outcome, read.order_no)
