"""The handlers of a driver: orders of operators and of upstream, by signal or Update.

Handlers apply an order through the books at once and fold what comes back. They never wait for the
action in hand; the next action waits for orders that are in hand when it is due.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from activities.answers import invalid
    from domain.errors import InvalidInput
    from domain.kernel.view import View
    from domain.registry import Order
    from workflows.bringing import BringsOrders, cause_of, is_hopeless
    from workflows.inbox import content, raw, reads_or_notes
    from workflows.messages import MESSAGE, PendingOrder
    from workflows.reading import NOT_SHOWN, read_order

W = TypeVar("W", bound="TakesOrders")
Orders = Mapping[str, type[Order]]


class TakesOrders(BringsOrders):
    """Signals and the Update of a driver; the driver itself adds `run` and names its orders."""

    orders: ClassVar[Orders]

    @workflow.signal(description="Take a newer view from the books.")
    @reads_or_notes
    async def wake(self, view: View[Any]) -> None:
        """Take a newer view from the books."""
        try:
            self._fold(view)
        except InvalidInput as fault:
            self.unread("wake", fault)

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
    @raw
    async def override(self, *sent: object) -> View[Any]:
        """Apply an order, told apart by its `kind`, and give the new view.

        Raises:
            ApplicationError: `InvalidInput` with field, value and rule; `Refused` with rule and
                reason (stored by the books); or `Unavailable` when the books could not be
                reached: send the same order again.
        """
        order = self._asked(sent)
        try:
            answer = await self._order_applied(order)
        except FailureError as failure:
            if is_hopeless(failure):
                raise invalid(InvalidInput(order.kind, NOT_SHOWN, cause_of(failure))) from failure
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
    @raw
    def _check_override(self, *sent: object) -> None:
        self._asked(sent)

    def _asked(self, sent: Sequence[object]) -> Order:
        """The order that the Update carries; what is wrong with it fails the Update."""
        try:
            return self._received(sent, self.orders)
        except InvalidInput as fault:
            raise invalid(fault) from None

    async def signalled(self, sent: Sequence[object], order: type[Order]) -> None:
        """Bring an order that came by signal: without a reply, so it is tried several times."""
        kind = order.pinned()
        try:
            received = self._received(sent, {kind: order})
        except InvalidInput as fault:
            self.unread(kind, fault)
        else:
            await self._bring(PendingOrder(received))

    def _received(self, sent: Sequence[object], orders: Orders) -> Order:
        """The order that was sent, as the command of the books.

        Raises:
            InvalidInput: it cannot be read, or is wrong in shape.
        """
        named = self._kind.named(self._subject)
        return read_order(content(sent, "order"), orders, named, "order").received(MESSAGE)


def takes(orders: Orders) -> Callable[[type[W]], type[W]]:
    """Give a driver its orders: a signal for each kind, and the kinds that its Update takes.

    Stands below `@workflow.defn`, which looks for the handlers of the class. They are no handlers
    set by an object: signals may come before there is one.
    """

    def decorate(driver: type[W]) -> type[W]:
        driver.orders = orders
        for kind, order in orders.items():
            signal = workflow.signal(name=kind, description=order.description())
            setattr(driver, f"take_{kind}", signal(_signal(kind, order)))
        return driver

    return decorate


def _signal(kind: str, order: type[Order]) -> Callable[..., Coroutine[Any, Any, None]]:
    """The handler of a signal that carries one kind of order."""

    async def take(self: TakesOrders, *sent: object) -> None:
        await self.signalled(sent, order)

    take.__name__, take.__doc__ = f"take_{kind}", order.description()
    return raw(take)
