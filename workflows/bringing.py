"""Brings a driver's orders to the books: at once, and again when the books cannot be reached.

An order that the books cannot take is tried a limited number of times; then a person is asked. An
order that waits for its next try keeps the driver neither from acting nor from continuing as new:
it is handed on to the new run.
"""

import asyncio
from dataclasses import replace
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from activities.subjects import OrderAnswer, Plea, SubjectActivities
    from domain.kernel import canonical
    from domain.kernel.view import View
    from domain.registry import KINDS, Order
    from workflows import names, policies
    from workflows.account import Account
    from workflows.messages import DriverOrder, PendingOrder
    from workflows.reading import shaped


class BringsOrders:
    """Applies orders through the books and keeps the driver's view; subclasses add handlers."""

    def __init__(self, order: DriverOrder[Any]) -> None:
        self._order = order
        self._view = order.view
        self._subject = order.view.subject
        self._kind = KINDS[self._subject.kind]
        self._account = Account(self._subject.kind)
        self._lost = order.lost
        """Why an order was lost without a person knowing of it yet; empty when none was."""
        self._numbers = 0
        self._in_hand: set[int] = set()
        """Orders that an activity is bringing to the books now, by a running number."""
        self._bringing = 0
        """Orders that are brought by signal and are not finished: in hand or waiting."""
        self._moving_on = False
        """A new run is about to begin: orders that wait stop waiting and are handed on."""
        self._carried: list[PendingOrder] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def _fold(self, view: View[Any]) -> None:
        """Take a view if it is newer than what is known."""
        old, self._view = self._view, self._view.newer(shaped(view, self._kind.detail))
        if self._view is not old:
            self._account.moved(workflow.now(), old, self._view)

    def _bring_soon(self, pending: PendingOrder) -> None:
        """Start a task that brings an order."""
        task = asyncio.create_task(self._bring(pending))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring(self, pending: PendingOrder) -> None:
        """Try an order until it is answered, then until a person is asked; both with limits.

        Ends also when a new run begins; the order is then in `_carried`.
        """
        if self._bringing >= policies.ORDERS_MOST:
            self._lose(pending, f"{self._bringing} orders wait already")
            return
        self._bringing += 1
        try:
            left: PendingOrder | None = pending
            while left is not None:
                if self._moving_on:
                    self._carried.append(left)
                    return
                left = await self._try(left)
                if left is not None and left.tries:
                    await self._rest(left)
        finally:
            self._bringing -= 1

    async def _rest(self, pending: PendingOrder) -> None:
        """Wait before the next try, or until a new run is to begin."""
        wait = policies.order_rest(pending.tries)
        what = f"{pending.order.kind} again, try {pending.tries + 1}"
        try:
            await workflow.wait_condition(
                lambda: self._moving_on, timeout=wait, timeout_summary=what
            )
        except TimeoutError:
            return

    async def _try(self, pending: PendingOrder) -> PendingOrder | None:
        """Try once; None when the order is answered, or nothing more is to be tried."""
        kind = pending.order.kind
        try:
            if pending.lost:
                await self._ask_for_a_person(pending)
            else:
                await self._order_applied(pending.order)
        except FailureError as failure:
            why, tries = cause_of(failure), pending.tries + 1
            if pending.lost:
                self._account.note(workflow.now(), f"asking for a person failed: {why}")
                return replace(pending, tries=tries) if tries < policies.ASKS_MOST else None
            if is_hopeless(failure) or tries >= policies.ORDER_TRIES:
                self._lose(pending, why)
                return replace(pending, tries=0, lost=why)
            self._account.note(workflow.now(), f"{kind} waits: {why}")
            return replace(pending, tries=tries)
        return None

    def _lose(self, pending: PendingOrder, why: str) -> None:
        """Show at once in Temporal that a person is needed; the books learn it later."""
        self._lost = f"order {pending.order.kind} not taken: {why}"[:200]
        self._account.note(workflow.now(), self._lost)
        workflow.logger.warning("order %s lost: %s", pending.order.kind, why)
        self._publish()

    async def _ask_for_a_person(self, pending: PendingOrder) -> None:
        order = pending.order
        plea = Plea(
            self._subject,
            f"lost/{canonical.digest(order.id)[:16]}",
            f"order {order.kind} of {order.actor.kind}/{order.actor.id} was not taken:"
            f" {pending.lost}",
        )
        view = await workflow.execute_activity_method(
            SubjectActivities.ask, plea, **policies.steadily("ask for a person: an order is lost")
        )
        self._lost = ""
        self._fold(view)
        self._publish()

    async def _order_applied(self, order: Order) -> OrderAnswer:
        """Apply an order now.

        Raises:
            FailureError: the books could not take it.
        """
        summary = f"{order.kind} of {order.actor.kind}: {order.id}"
        self._numbers += 1
        mine = self._numbers
        self._in_hand.add(mine)
        try:
            answer = await workflow.execute_local_activity_method(
                SubjectActivities.order, order, **policies.quickly(summary)
            )
        except FailureError as failure:
            if is_hopeless(failure):
                raise
            answer = await workflow.execute_activity_method(
                SubjectActivities.order, order, **policies.for_an_order(summary)
            )
        finally:
            self._in_hand.discard(mine)
        result = f"refused by {answer.refused_by}" if answer.refused_by else "applied"
        self._account.note(workflow.now(), f"{order.kind} by {order.actor.kind}: {result}")
        if answer.view is not None:
            self._fold(answer.view)
        return answer

    def _publish(self) -> None:
        """Publish search attributes that changed, in one batch, and the current details."""
        shown = workflow.info().typed_search_attributes
        wanted = names.attributes(self._view, lost=bool(self._lost))
        changes = [
            pair.key.value_set(pair.value)
            for pair in wanted.search_attributes
            if shown.get(pair.key) != pair.value
        ]
        gone = {key for key in names.KEYS if shown.get(key) is not None}
        gone -= {pair.key for pair in wanted.search_attributes}
        changes += [key.value_unset() for key in names.KEYS if key in gone]
        if changes:
            workflow.upsert_search_attributes(changes)
        workflow.set_current_details(self._account.details(self._view, self._lost))


def is_hopeless(failure: FailureError) -> bool:
    """Whether another try cannot help: the failure itself says so."""
    cause = failure if isinstance(failure, ApplicationError) else failure.cause
    if not isinstance(cause, ApplicationError):
        return False
    return cause.non_retryable or cause.type in policies.NEVER_AGAIN


def cause_of(failure: FailureError) -> str:
    """The innermost message of a failed activity, shortened for people.

    A failed activity raises ActivityError around its cause; a failed local activity raises the
    cause itself. So workflow code catches their common base.
    """
    inner = failure.cause
    return str(inner if inner is not None else failure)[:200]
