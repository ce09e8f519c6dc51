"""Activities of actions that only write to our books: reminders and reviews."""

from temporalio import activity

from activities.actions import DRIVER, ActionOrder
from activities.answers import apply, view_of
from domain.loan.commands import QueueReminder, RaiseOperator, Review
from domain.loan.view import InstallmentView
from ports.books import Books


class ReminderActivities:
    """Writes reminders to the outbox, from which they are sent."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @activity.defn(name="reminders.remind")
    async def remind(self, order: ActionOrder) -> InstallmentView:
        """Queue the reminder of this action, once; an outdated action changes nothing."""
        return view_of(await apply(self._books, order.command(QueueReminder)))


class ReviewActivities:
    """Reviews money unproven at its deadline; asks for a person when a driver cannot go on."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @activity.defn(name="reviews.review")
    async def review(self, order: ActionOrder) -> InstallmentView:
        """Have the books open a case for money that is unproven at its deadline."""
        return view_of(await apply(self._books, order.command(Review)))

    @activity.defn(name="reviews.raise_operator")
    async def raise_operator(self, order: ActionOrder) -> InstallmentView:
        """Ask for a person: this action changed nothing. Once for each version."""
        command = RaiseOperator(
            id=f"{order.command_id}/raise/{order.seen}",
            actor=DRIVER,
            from_driver=True,
            reason=f"{order.action.kind.value} {order.action.key} changes nothing",
            loan_id=order.loan_id,
            number=order.number,
        )
        return view_of(await apply(self._books, command))
