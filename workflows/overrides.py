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
    from domain.loan.view import InstallmentView
    from workflows import policies
    from workflows.account import Account
    from workflows.messages import (
        CancelRequest,
        ChangeDateRequest,
        HoldRequest,
        InstallmentOrder,
        Override,
        RecordPaymentRequest,
        RetryNowRequest,
        UnholdRequest,
        WaiveRequest,
        WriteOffRequest,
        command_of,
        misshapen,
    )


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
    def wake(self, view: InstallmentView) -> None:
        """The books have something newer."""
        self._fold(view)

    @workflow.signal
    async def hold(self, request: HoldRequest) -> None:
        """Stop new debits, contact, or both."""
        await self._signalled(request)

    @workflow.signal
    async def unhold(self, request: UnholdRequest) -> None:
        """End a hold."""
        await self._signalled(request)

    @workflow.signal
    async def retry_now(self, request: RetryNowRequest) -> None:
        """Present again at the next slot that the rail allows."""
        await self._signalled(request)

    @workflow.signal
    async def record_payment(self, request: RecordPaymentRequest) -> None:
        """Money came another way."""
        await self._signalled(request)

    @workflow.signal
    async def change_date(self, request: ChangeDateRequest) -> None:
        """Move the due date."""
        await self._signalled(request)

    @workflow.signal
    async def waive(self, request: WaiveRequest) -> None:
        """Forgive part of what is owed."""
        await self._signalled(request)

    @workflow.signal
    async def cancel(self, request: CancelRequest) -> None:
        """Never collect this installment."""
        await self._signalled(request)

    @workflow.signal
    async def write_off(self, request: WriteOffRequest) -> None:
        """Give up what is owed."""
        await self._signalled(request)

    @workflow.signal(dynamic=True)
    async def unknown(self, name: str, _args: Sequence[RawValue]) -> None:
        """A signal that nobody here knows: counted and logged, so that it is not lost silently."""
        self._account.unknown_signals += 1
        self._account.note(workflow.now(), f"unknown signal {name[:60]!r}")
        workflow.logger.warning("unknown signal %r", name)

    @workflow.update
    async def override(self, request: Override) -> InstallmentView:
        """Apply an order and give the new view.

        Raises:
            ApplicationError: `Refused` with rule and reason (stored by the books), or
                `Unavailable` when the books could not be reached: send the same order again.
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
    def _check_override(self, request: Override) -> None:
        for field, rule in misshapen(request):
            raise ApplicationError(
                f"{field}: {rule}", {"field": field, "rule": rule}, type="InvalidInput"
            )

    async def _signalled(self, request: Override) -> None:
        """Apply an order that came by signal: no reply, so it is tried until the books took it."""
        wrong = [f"{field}: {rule}" for field, rule in misshapen(request)]
        if wrong:
            self._account.note(workflow.now(), f"{request.kind} misshapen: {'; '.join(wrong)}")
            workflow.logger.warning("misshapen %s: %s", request.kind, wrong)
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
