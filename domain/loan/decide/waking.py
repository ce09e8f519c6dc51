"""When a driver is woken, and what the books remember of what it knows."""

from dataclasses import replace

from domain.loan.aggregate import Installment
from domain.loan.change import Message
from domain.loan.view import WAITS, InstallmentView


def is_news(item: Installment, view: InstallmentView) -> bool:
    """Whether a view asks something of the driver that it does not know.

    It does when an action comes earlier than the driver expects, when the installment has ended,
    and when a person begins or ceases to be waited for, which searches show.
    """
    action = view.next_action
    if action is not None and (item.driver_until is None or action.not_before < item.driver_until):
        return True
    if view.is_final:
        return item.driver_action != "final"
    return bool(view.needs_operator) != item.driver_action.endswith(WAITS)


def known_by_driver(item: Installment, view: InstallmentView, *, notified: bool) -> Installment:
    """The installment with what its driver knows; `notified`: it receives this view.

    A driver that is not notified may still see a later instant by a look, so what then comes before
    that instant is news.
    """
    mark = view.mark if notified else item.driver_action
    until = view.next_action.not_before if view.next_action else None
    return replace(item, driver_action=mark, driver_until=until)


def message(view: InstallmentView, *, opening: bool) -> Message:
    """The message that starts a driver, or wakes it."""
    stream = f"installment/{view.tenant}/{view.loan_id}/{view.number}"
    return Message("open" if opening else "wake", stream, {"view": view})
