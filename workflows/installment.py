"""The driver of one installment: waits for the next beat, performs it, asks what comes next.

It holds no business: the books compute the agenda and judge every order. It ends only when the
books are final for its generation, and no failure of an activity can end it.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.beats import DRIVER, BeatOrder
    from activities.debits import DebitActivities
    from activities.desk import DeskActivities, LookOrder
    from activities.orders import OrderActivities, OrderAnswer
    from activities.reminders import ReminderActivities, ReviewActivities
    from domain.loan.view import Beat, BeatKind, InstallmentView
    from workflows import names, policies
    from workflows.account import Account
    from workflows.alarm import Alarm
    from workflows.messages import (
        CancelRequest,
        ChangeDateRequest,
        Closure,
        HoldRequest,
        InstallmentOrder,
        Override,
        RecordPaymentRequest,
        RetryNowRequest,
        Story,
        UnholdRequest,
        WaiveRequest,
        WriteOffRequest,
        command_of,
        misshapen,
    )


@workflow.defn(name="Installment")
class InstallmentWorkflow:
    """Drives one installment through one generation."""

    @workflow.init
    def __init__(self, order: InstallmentOrder) -> None:
        self._order = order
        self._view = order.view
        self._account = Account()
        self._alarm = Alarm()
        self._handling = 0
        self._vain: tuple[str, int] = ("", 0)
        self._account.note(workflow.now(), f"opened, {order.view.state.value}")

    @workflow.run
    async def run(self, order: InstallmentOrder) -> Closure:
        """Drive until the books are final for this generation. A cancel request becomes a hold."""
        driving = asyncio.create_task(self._drive())
        while not driving.done():
            try:
                await asyncio.shield(driving)
            except asyncio.CancelledError:
                # Reaches this task only, never the driving one: no activity in flight is cut.
                await self._hold_instead()
        driving.result()
        self._publish()
        view, mine = self._view, order.generation
        later = view.generation if view.generation != mine else None
        return Closure(view.loan_id, view.number, mine, view.state, view.version, later)

    # --- driving ---------------------------------------------------------------------------------

    async def _drive(self) -> None:
        while True:  # ends when the books are final and no message is left unread
            while not self._over():
                await self._until_due()
                beat = self._view.next_beat
                if not self._over() and beat is not None and self._due(beat):
                    await self._perform(beat)
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._over():
                return

    def _over(self) -> bool:
        return self._view.is_final or self._view.generation != self._order.generation

    def _due(self, beat: Beat) -> bool:
        return beat.kind is not BeatKind.OTHER and self._alarm.rings

    async def _until_due(self) -> None:
        """Wait for the beat's instant or a newer view; an order in hand goes first."""
        seen = self._view
        beat = seen.next_beat
        known = beat is not None and beat.kind is not BeatKind.OTHER
        at = beat.not_before if beat is not None and known else None
        self._alarm.set(at, f"{beat.kind.value}: {beat.reason}" if beat is not None else "")
        if not (self._alarm.rings or self._news(seen)):
            self._publish()
            await workflow.wait_condition(lambda: self._alarm.rings or self._news(seen))
        if self._handling:
            await workflow.wait_condition(lambda: not self._handling)

    def _news(self, seen: InstallmentView) -> bool:
        return self._view is not seen

    async def _perform(self, beat: Beat) -> None:
        """Perform a beat and fold what the books say then; a failure turns into a fresh look."""
        seen = self._view
        order = BeatOrder(seen.loan_id, seen.number, seen.generation, seen.version, beat)
        try:
            view = await self._hand_over(order)
        except ActivityError as failure:
            self._account.note(workflow.now(), f"{beat.kind.value} failed: {_cause(failure)}")
            workflow.logger.warning("beat %s failed: %s", beat.key, _cause(failure))
            if not await self._look():
                return
        else:
            if beat.kind is not BeatKind.PRESENT:
                self._account.note(workflow.now(), f"{beat.kind.value}: {beat.reason}")
            self._fold(view)
        after = self._view.next_beat
        if after is not None and (after.key, self._view.version) == (beat.key, seen.version):
            await self._in_vain(order)

    async def _hand_over(self, order: BeatOrder) -> InstallmentView:
        match order.beat.kind:
            case BeatKind.PRESENT:
                return await workflow.execute_activity_method(
                    DebitActivities.present, order, **self._at_rail(order.beat)
                )
            case BeatKind.ENQUIRE:
                return await workflow.execute_activity_method(
                    DebitActivities.enquire, order, **self._at_rail(order.beat)
                )
            case BeatKind.REMIND:
                return await self._remind(order)
            case _:
                return await self._review(order)

    async def _remind(self, order: BeatOrder) -> InstallmentView:
        summary = order.beat.reason
        try:
            return await workflow.execute_local_activity_method(
                ReminderActivities.remind, order, **_quick(summary)
            )
        except ActivityError:
            return await workflow.execute_activity_method(
                ReminderActivities.remind, order, **_steady(summary)
            )

    async def _review(self, order: BeatOrder) -> InstallmentView:
        summary = order.beat.reason
        try:
            return await workflow.execute_local_activity_method(
                ReviewActivities.review, order, **_quick(summary)
            )
        except ActivityError:
            return await workflow.execute_activity_method(
                ReviewActivities.review, order, **_steady(summary)
            )

    async def _in_vain(self, order: BeatOrder) -> None:
        """A beat that changed nothing: once more after a pause, then a person is asked."""
        beat = (order.beat.key, order.seen)
        if beat != self._vain:
            self._vain = beat
            await self._wait_for_news(policies.PAUSE, "once more: nothing changed")
            return
        try:
            view = await workflow.execute_activity_method(
                ReviewActivities.raise_operator, order, **_steady("ask for a person")
            )
        except ActivityError as failure:
            self._account.note(workflow.now(), f"asking for a person failed: {_cause(failure)}")
        else:
            self._fold(view)
        # The books may count the question as a new version: that alone is no reason to go on.
        await self._wait_for_news(policies.LOOK_AGAIN, "waiting for a person")
        self._vain = (order.beat.key, self._view.version)

    async def _look(self) -> bool:
        """Fold a fresh view; while the books are away, wait and let the beat be tried again."""
        order = LookOrder(self._order.loan_id, self._order.number)
        try:
            view = await workflow.execute_activity_method(
                DeskActivities.look, order, **_steady("how do things stand")
            )
        except ActivityError as failure:
            self._account.note(workflow.now(), f"the books are away: {_cause(failure)}")
            await self._wait_for_news(policies.BOOKS_AWAY, "the books are away")
            return False
        if view is not None:
            self._fold(view)
        return True

    async def _wait_for_news(self, most: timedelta, summary: str) -> None:
        seen = self._view
        try:
            await workflow.wait_condition(
                lambda: self._news(seen), timeout=most, timeout_summary=summary
            )
        except TimeoutError:
            return

    def _at_rail(self, beat: Beat) -> workflow.ActivityConfig:
        queue = names.debit_queue(self._view.rail)
        return {**policies.DEBIT, "task_queue": queue, "summary": beat.reason}

    # --- what is known ---------------------------------------------------------------------------

    def _fold(self, view: InstallmentView) -> None:
        old, self._view = self._view, self._view.newer(view)
        if self._view is not old:
            self._account.moved(workflow.now(), old, self._view)

    def _publish(self) -> None:
        """Show state to searches and people: one batch, only what changed, never while busy."""
        shown = workflow.info().typed_search_attributes
        wanted = names.attributes(self._view)
        changes = [
            pair.key.value_set(pair.value)
            for pair in wanted.search_attributes
            if shown.get(pair.key) != pair.value
        ]
        if not self._view.failure_code and shown.get(names.FAILURE) is not None:
            changes.append(names.FAILURE.value_unset())
        if changes:
            workflow.upsert_search_attributes(changes)
        workflow.set_current_details(self._account.details(self._view))

    @workflow.query
    def view(self) -> InstallmentView:
        """The installment as this driver last heard of it."""
        return self._view

    @workflow.query
    def story(self) -> Story:
        """What happened and what comes next, in words."""
        return self._account.told(self._view)

    # --- messages --------------------------------------------------------------------------------

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
        except ActivityError as failure:
            raise ApplicationError(_cause(failure), type="Unavailable") from failure
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
            except ActivityError as failure:
                self._account.note(workflow.now(), f"{request.kind} waits: {_cause(failure)}")
                await workflow.sleep(policies.BOOKS_AWAY, summary=f"{request.kind} again")
            else:
                return

    async def _order_applied(self, request: Override) -> OrderAnswer:
        command = command_of(request, self._order.loan_id, self._order.number)
        self._handling += 1
        try:
            answer = await workflow.execute_local_activity_method(
                OrderActivities.apply, command, **_quick(f"{request.kind}: {request.id}")
            )
        except ActivityError:
            answer = await workflow.execute_activity_method(
                OrderActivities.apply, command, **_steady(f"{request.kind}: {request.id}")
            )
        finally:
            self._handling -= 1
        verdict = f"refused by {answer.refused_by}" if answer.refused_by else "applied"
        self._account.note(workflow.now(), f"{request.kind} by {request.actor.kind}: {verdict}")
        if answer.view is not None:
            self._fold(answer.view)
        return answer

    async def _hold_instead(self) -> None:
        """Cancelling a driver would leave the debt without one: stop new debits instead."""
        request = HoldRequest(
            id=f"{workflow.info().workflow_id}/cancel-requested",
            actor=DRIVER,
            reason="workflow cancel requested",
        )
        await self._signalled(request)


def _quick(summary: str) -> workflow.LocalActivityConfig:
    return {**policies.QUICK, "summary": summary}


def _steady(summary: str) -> workflow.ActivityConfig:
    return {**policies.STEADY, "summary": summary}


def _cause(failure: ActivityError) -> str:
    """The innermost message of a failed activity, shortened for people."""
    inner = failure.cause
    return str(inner if inner is not None else failure)[:200]
