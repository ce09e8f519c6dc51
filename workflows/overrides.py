"""The handlers of a driver: orders of operators and of upstream, by signal or Update.

Handlers apply an order through the books at once and fold what comes back. They never wait for the
action in hand; the next action waits for orders that are in hand when it is due.
"""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain.errors import InvalidInput
    from domain.loan.view import InstallmentView
    from workflows.bringing import BringsOrders, cause_of, is_hopeless
    from workflows.inbox import checks, failing, reads_or_fails, reads_or_notes
    from workflows.messages import (
        MESSAGE,
        CancelRequest,
        ChangeDateRequest,
        ChargeRequest,
        HoldRequest,
        MatchLineRequest,
        Override,
        PendingOrder,
        RecordPaymentRequest,
        RetryNowRequest,
        UndoMatchRequest,
        UnholdRequest,
        WaiveRequest,
        WithdrawPaymentRequest,
        WriteOffRequest,
        misshapen,
    )
    from workflows.reading import NOT_SHOWN, shown


class TakesOrders(BringsOrders):
    """Signals and the Update of a driver; the driver itself adds `run`."""

    @workflow.signal(description="Take a newer view of the installment from the books.")
    @reads_or_notes
    async def wake(self, view: InstallmentView) -> None:
        """Take a newer view of the installment from the books."""
        self._fold(view)

    @workflow.signal(description="Stop new debits, contact, or both.")
    @reads_or_notes
    async def hold(self, request: HoldRequest) -> None:
        """Stop new debits, contact, or both."""
        await self._signalled(request)

    @workflow.signal(description="End a hold.")
    @reads_or_notes
    async def unhold(self, request: UnholdRequest) -> None:
        """End a hold."""
        await self._signalled(request)

    @workflow.signal(description="Present again at the next slot that the rail allows.")
    @reads_or_notes
    async def retry_now(self, request: RetryNowRequest) -> None:
        """Present again at the next slot that the rail allows."""
        await self._signalled(request)

    @workflow.signal(description="Record a payment that came another way.")
    @reads_or_notes
    async def record_payment(self, request: RecordPaymentRequest) -> None:
        """Record a payment that came another way."""
        await self._signalled(request)

    @workflow.signal(description="Move the due date.")
    @reads_or_notes
    async def change_date(self, request: ChangeDateRequest) -> None:
        """Move the due date."""
        await self._signalled(request)

    @workflow.signal(description="Forgive part of what is owed.")
    @reads_or_notes
    async def waive(self, request: WaiveRequest) -> None:
        """Forgive part of what is owed."""
        await self._signalled(request)

    @workflow.signal(description="Charge a fee or a cost besides the schedule.")
    @reads_or_notes
    async def charge(self, request: ChargeRequest) -> None:
        """Charge a fee or a cost besides the schedule."""
        await self._signalled(request)

    @workflow.signal(description="Cancel this installment: it is never collected.")
    @reads_or_notes
    async def cancel(self, request: CancelRequest) -> None:
        """Cancel this installment: it is never collected."""
        await self._signalled(request)

    @workflow.signal(description="Write off what is owed.")
    @reads_or_notes
    async def write_off(self, request: WriteOffRequest) -> None:
        """Write off what is owed."""
        await self._signalled(request)

    @workflow.signal(description="Match a waiting bank line with a payment of this loan.")
    @reads_or_notes
    async def match_line(self, request: MatchLineRequest) -> None:
        """Match a waiting bank line with a payment of this loan."""
        await self._signalled(request)

    @workflow.signal(description="Undo the match of a bank line.")
    @reads_or_notes
    async def undo_match(self, request: UndoMatchRequest) -> None:
        """Undo the match of a bank line."""
        await self._signalled(request)

    @workflow.signal(description="Take back a recorded payment.")
    @reads_or_notes
    async def withdraw_payment(self, request: WithdrawPaymentRequest) -> None:
        """Take back a recorded payment."""
        await self._signalled(request)

    @workflow.signal(dynamic=True, description="Counted and logged; nothing is done.")
    async def unknown(self, name: str, _args: Sequence[RawValue]) -> None:
        """Count and log a signal of an unknown name, so that it is not lost silently."""
        self._account.unknown_signals += 1
        self._account.note(workflow.now(), f"unknown signal {name[:60]!r}")
        workflow.logger.warning("unknown signal %r", name)

    def unread(self, name: str, fault: InvalidInput) -> None:
        """Count, note and log a signal that breaks a rule, without its values."""
        self._account.unread_signals += 1
        why = f"{fault.field}: {fault.rule}"[:200]
        self._account.note(workflow.now(), f"{name} not taken: {why}")
        workflow.logger.warning("signal %s not taken: %s", name, why)

    @workflow.update
    @reads_or_fails
    async def override(self, request: Override) -> InstallmentView:
        """Apply an order and give the new view.

        Raises:
            ApplicationError: `InvalidInput` with field, value and rule; `Refused` with rule and
                reason (stored by the books); or `Unavailable` when the books could not be
                reached: send the same order again.
        """
        try:
            answer = await self._order_applied(request, MESSAGE)
        except FailureError as failure:
            if is_hopeless(failure):
                raise failing(InvalidInput(request.kind, NOT_SHOWN, cause_of(failure))) from failure
            raise ApplicationError(cause_of(failure), type="Unavailable") from failure
        if answer.refused_by:
            raise ApplicationError(
                f"{answer.refused_by}: {answer.why}",
                {"rule": answer.refused_by, "reason": answer.why},
                type="Refused",
                non_retryable=True,
            )
        return self._view

    @override.validator
    @checks
    def _check_override(self, request: Override) -> None:
        for field, rule in misshapen(request):
            raise failing(InvalidInput(field, shown(field, getattr(request, field)), rule))

    async def _signalled(self, request: Override) -> None:
        """Apply an order that came by signal: without a reply, so it is tried several times."""
        for field, rule in misshapen(request):
            self.unread(request.kind, InvalidInput(field, NOT_SHOWN, rule))
            return
        await self._bring(PendingOrder(request, MESSAGE))
