"""The driver of one subject: waits for the next action, performs it, asks what comes next.

It holds no business rules: the books compute the agenda and decide every order. It ends only when
the books are final for its generation, and no failure of an activity can end it. A view may come
from a later release: an action that this build does not know waits for a newer view.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from activities.actions import ActionOrder
    from activities.subjects import Plea, SubjectActivities
    from domain.kernel.view import Action, View
    from domain.registry import Order
    from workflows import names, policies
    from workflows.alarm import Alarm
    from workflows.bringing import cause_of
    from workflows.messages import DRIVER, Closure, DriverOrder, PendingOrder, Story
    from workflows.overrides import TakesOrders


@dataclass(frozen=True, slots=True)
class Performs:
    """How an action is performed: by which activity, and where.

    At the books it is a local activity, and a normal one where that fails. At a rail it is a normal
    activity on the rail's own queue; in bulk it is one on the queue of bulk work.
    """

    activity: Callable[[Any, ActionOrder], Awaitable[View[Any]]]
    at_rail: bool = False
    in_bulk: bool = False


class Driver(TakesOrders):
    """Drives one subject through one generation.

    A kind of subject has a subclass of its own, with an `@workflow.init` and an `@workflow.run`
    that call what is here, since the SDK takes neither from a base class; with its orders (`takes`)
    and with `performs`, which says for each kind of action how it is performed.
    """

    performs: ClassVar[Mapping[str, Performs]]

    def __init__(self, order: DriverOrder[Any]) -> None:
        super().__init__(order)
        self._alarm = Alarm()
        self._unchanged: tuple[str, int] = ("", 0)
        self._run = order.run
        self._account.note(workflow.now(), f"opened, {order.view.state}")

    async def drive(self) -> Closure:
        """Drive until the books are final for this generation. A cancel request becomes a hold."""
        for pending in self._order.pending:
            self._bring_soon(pending)
        driving = asyncio.create_task(self._drive())
        while not driving.done():
            try:
                await asyncio.shield(driving)
            except asyncio.CancelledError:
                # Reaches this task only, never the driving one: no activity in flight is cut.
                self._hold_instead()
        if driving.result():
            workflow.continue_as_new(self._handed_on())
        self._publish()
        view, mine = self._view, self._order.generation
        later = view.generation if view.generation != mine else None
        return Closure(self._subject, mine, view.state, view.version, later)

    # --- driving ---------------------------------------------------------------------------------

    async def _drive(self) -> bool:
        """Drive to the end; True when the history has become long and a new run is to go on."""
        while True:  # ends when the books are final and no message is left unread
            while not self._over():
                if self._can_move_on():
                    self._moving_on = True
                    await workflow.wait_condition(self._all_quiet)
                    return True
                await self._until_due()
                action = self._view.next_action
                if not self._over() and action is not None and self._due(action):
                    await self._perform(action)
            await workflow.wait_condition(self._all_quiet)
            if self._over():
                return False

    def _can_move_on(self) -> bool:
        """Whether a new run is to begin. An order in hand goes first; it takes minutes at most."""
        return _is_long() and not self._in_hand

    def _all_quiet(self) -> bool:
        return workflow.all_handlers_finished() and not self._bringing

    def _handed_on(self) -> DriverOrder[Any]:
        """What the next run of this driver begins with."""
        return replace(
            self._order,
            view=self._view,
            run=self._run,
            pending=tuple(self._carried),
            lost=self._lost,
        )

    def _over(self) -> bool:
        return self._view.is_final or self._view.generation != self._order.generation

    def _due(self, action: Action) -> bool:
        return action.kind in self.performs and self._alarm.rings

    async def _until_due(self) -> None:
        """Wait for the action's instant or a newer view, then for the orders in hand."""
        seen = self._view
        action = seen.next_action
        known = action is not None and action.kind in self.performs
        at = action.not_before if action is not None and known else None
        self._alarm.set(at, f"{action.kind}: {action.reason}" if action is not None else "")
        if not (self._alarm.rings or self._news(seen)):
            self._publish()
            await workflow.wait_condition(
                lambda: self._alarm.rings or self._news(seen) or self._can_move_on()
            )
        # Only those of this moment, each of them bounded: orders that keep coming hold up nothing.
        first = frozenset(self._in_hand)
        if first:
            await workflow.wait_condition(lambda: not first & self._in_hand)

    def _news(self, seen: View[Any]) -> bool:
        return self._view is not seen

    async def _perform(self, action: Action) -> None:
        """Perform an action and fold what the books say then; a failure turns into a fresh look."""
        seen = self._view
        order = ActionOrder(self._subject, seen.generation, seen.version, action, self._run)
        view: View[Any] | None = None
        try:
            view = await self._hand_over(order)
        except FailureError as failure:
            self._account.note(workflow.now(), f"{action.kind} failed: {cause_of(failure)}")
            workflow.logger.warning("action %s failed: %s", action.key, cause_of(failure))
            if not await self._look():
                return
        else:
            self._account.note(workflow.now(), f"{action.kind}: {action.reason}")
            self._fold(view)
        after = self._view.next_action
        if after is not None and (after.key, self._view.version) == (action.key, seen.version):
            self._run += 1
            await self._no_progress(order, early=self._early(action, view))

    async def _hand_over(self, order: ActionOrder) -> View[Any]:
        how, summary = self.performs[order.action.kind], order.action.reason
        if how.at_rail:
            queue = names.debit_queue(self._view.labels.rail)
            rail = policies.on(queue, policies.DEBIT, summary)
            return await workflow.execute_activity_method(how.activity, order, **rail)
        if how.in_bulk:
            bulk = policies.on(names.BOOKS, policies.BULK, summary)
            return await workflow.execute_activity_method(how.activity, order, **bulk)
        try:
            return await workflow.execute_local_activity_method(
                how.activity, order, **policies.quickly(summary)
            )
        except FailureError:
            return await workflow.execute_activity_method(
                how.activity, order, **policies.steadily(summary)
            )

    def _early(self, action: Action, view: View[Any] | None) -> timedelta:
        """By how much the books' clock is behind ours, as their answer to this action shows."""
        if view is None or view.as_of is None:
            return timedelta(0)
        return max(action.not_before - view.as_of, timedelta(0))

    async def _no_progress(self, order: ActionOrder, early: timedelta) -> None:
        """Handle an action that changed nothing: once more after a pause, then ask for a person."""
        if timedelta(0) < early <= policies.CLOCKS_APART:
            await self._wait_for_news(early + policies.TICK, "too early by the books' clock")
            return
        action = (order.action.key, order.seen)
        if action != self._unchanged:
            self._unchanged = action
            await self._wait_for_news(policies.PAUSE, "once more: nothing changed")
            return
        stuck = f"{order.action.kind} {order.action.key} changes nothing"
        plea = Plea(self._subject, f"stuck/{order.action.key}/{order.seen}", stuck)
        try:
            view = await workflow.execute_activity_method(
                SubjectActivities.ask, plea, **policies.steadily("ask for a person")
            )
        except FailureError as failure:
            self._account.note(workflow.now(), f"asking for a person failed: {cause_of(failure)}")
        else:
            self._fold(view)
        # The books may count the question as a new version: that alone is no reason to go on.
        await self._wait_for_news(policies.LOOK_AGAIN, "waiting for a person")
        self._unchanged = (order.action.key, self._view.version)

    async def _look(self) -> bool:
        """Fold a fresh view; while the books are away, wait and let the action be tried again."""
        try:
            view = await workflow.execute_activity_method(
                SubjectActivities.look, self._subject, **policies.steadily("how do things stand")
            )
        except FailureError as failure:
            self._account.note(workflow.now(), f"the books are away: {cause_of(failure)}")
            await self._wait_for_news(policies.BOOKS_AWAY, "the books are away")
            return False
        if view is not None:
            self._fold(view)
        return True

    async def _wait_for_news(self, most: timedelta, summary: str) -> None:
        seen = self._view
        self._publish()
        try:
            await workflow.wait_condition(
                lambda: self._news(seen), timeout=most, timeout_summary=summary
            )
        except TimeoutError:
            return

    # --- what is known ---------------------------------------------------------------------------

    @workflow.query(description="The subject as this driver last knew it.")
    def view(self) -> View[Any]:
        """The subject as this driver last knew it."""
        return self._view

    @workflow.query(description="What happened and what comes next, in words.")
    def story(self) -> Story:
        """What happened and what comes next, in words."""
        return self._account.story(self._view)

    # --- messages ------------------------------------------------------------------------------

    def _hold_instead(self) -> None:
        """Turn a cancel request into a hold: without its driver nothing would be done about it."""
        self._bring_soon(PendingOrder(self.hold().received(DRIVER)))

    @abstractmethod
    def hold(self) -> Order:
        """The order that stops its actions, given when somebody cancels the workflow."""


def _is_long() -> bool:
    """Whether the history is long enough to begin a new run; the server ends longer ones."""
    info = workflow.info()
    events = info.get_current_history_length()
    return events > policies.EVENTS_MOST or info.is_continue_as_new_suggested()
