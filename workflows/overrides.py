"""The messages that a driver takes: orders of operators and of upstream, by signal or Update.

Handlers apply an order through the books at once and fold what comes back. They never wait for the
beat in hand, and the driver lets an order in hand go first.
"""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities, OrderAnswer
    from domain.errors import InvalidInput
    from domain.loan.view import InstallmentView
    from workflows import policies
    from workflows.account import Account
    from workflows.inbox import checks, failing, reads_or_fails, reads_or_notes
    from workflows.messages import (
        CancelRequest,
        ChangeDateRequest,
        ChargeRequest,
        HoldRequest,
        InstallmentOrder,
        MatchLineRequest,
        Override,
        RecordPaymentRequest,
        RetryNowRequest,
        UndoMatchRequest,
        UnholdRequest,
        WaiveRequest,
        WithdrawPaymentRequest,
        WriteOffRequest,
        command_of,
        misshapen,
    )
    from workflows.reading import NOT_SHOWN, shown


class TakesOrders:
    """Signals and the Update of a driver; the driver itself adds `run`."""

    def __init__(self, order: InstallmentOrder) -> None:
        self._order = order
        self._view = order.view
        self._account = Account()
        self._handling = 0

    def _fold(self, view: InstallmentView) -> None:
        """Take a view if it is newer than what is known."""
        old, self._view = self._view, self._view.newer(view)
        if self._view is not old:
            self._account.moved(workflow.now(), old, self._view)

    @workflow.signal
    @reads_or_notes
    async def wake(self, view: InstallmentView) -> None:
        """The books have something newer."""
        self._fold(view)

    @workflow.signal
    @reads_or_notes
    async def hold(self, request: HoldRequest) -> None:
        """Stop new debits, contact, or both."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def unhold(self, request: UnholdRequest) -> None:
        """End a hold."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def retry_now(self, request: RetryNowRequest) -> None:
        """Present again at the next slot that the rail allows."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def record_payment(self, request: RecordPaymentRequest) -> None:
        """Money came another way."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def change_date(self, request: ChangeDateRequest) -> None:
        """Move the due date."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def waive(self, request: WaiveRequest) -> None:
        """Forgive part of what is owed."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def charge(self, request: ChargeRequest) -> None:
        """Ask for a fee or a cost besides the schedule."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def cancel(self, request: CancelRequest) -> None:
        """Never collect this installment."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def write_off(self, request: WriteOffRequest) -> None:
        """Give up what is owed."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def match_line(self, request: MatchLineRequest) -> None:
        """A waiting bank line is money of this loan."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def undo_match(self, request: UndoMatchRequest) -> None:
        """A bank line does not prove a receipt after all."""
        await self._signalled(request)

    @workflow.signal
    @reads_or_notes
    async def withdraw_payment(self, request: WithdrawPaymentRequest) -> None:
        """A recorded payment was none."""
        await self._signalled(request)

    @workflow.signal(dynamic=True)
    async def unknown(self, name: str, _args: Sequence[RawValue]) -> None:
        """A signal that nobody here knows: counted and logged, so that it is not lost silently."""
        self._account.unknown_signals += 1
        self._account.note(workflow.now(), f"unknown signal {name[:60]!r}")
        workflow.logger.warning("unknown signal %r", name)

    def unread(self, name: str, fault: InvalidInput) -> None:
        """A signal that cannot be acted upon: counted, told and logged, its values left out."""
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
            answer = await self._order_applied(request)
        except FailureError as failure:
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
        """Apply an order that came by signal: no reply, so it is tried until the books took it."""
        for field, rule in misshapen(request):
            self.unread(request.kind, InvalidInput(field, NOT_SHOWN, rule))
            return
        while True:  # ends when the books have answered
            try:
                await self._order_applied(request)
            except FailureError as failure:
                self._account.note(workflow.now(), f"{request.kind} waits: {cause_of(failure)}")
                await workflow.sleep(policies.BOOKS_AWAY, summary=f"{request.kind} again")
            else:
                return

    async def _order_applied(self, request: Override) -> OrderAnswer:
        command = command_of(request, self._order.loan_id, self._order.number)
        self._handling += 1
        try:
            answer = await workflow.execute_local_activity_method(
                OrderActivities.apply, command, **policies.quickly(f"{request.kind}: {request.id}")
            )
        except FailureError:
            answer = await workflow.execute_activity_method(
                OrderActivities.apply, command, **policies.steadily(f"{request.kind}: {request.id}")
            )
        finally:
            self._handling -= 1
        verdict = f"refused by {answer.refused_by}" if answer.refused_by else "applied"
        self._account.note(workflow.now(), f"{request.kind} by {request.actor.kind}: {verdict}")
        if answer.view is not None:
            self._fold(answer.view)
        return answer


def cause_of(failure: FailureError) -> str:
    """The innermost message of a failed activity, shortened for people.

    A failed activity raises ActivityError around its cause; a failed local activity raises the
    cause itself. So workflow code catches their common base.
    """
    inner = failure.cause
    return str(inner if inner is not None else failure)[:200]
