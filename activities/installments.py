"""Activities of an installment that only write to our books: its reminders and reviews."""

from temporalio import activity

from activities.actions import ActionOrder
from activities.answers import apply, view_of
from domain.loan.commands import QueueReminder, Review
from domain.loan.view import InstallmentView
from ports.books import Books


class InstallmentActivities:
    """Writes reminders to the outbox, from which they are sent, and reviews unproven money."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @activity.defn(name="installments.remind")
    async def remind(self, order: ActionOrder) -> InstallmentView:
        """Queue the reminder of this action, once; an outdated action changes nothing."""
        return view_of(await apply(self._books, order.command(QueueReminder)))

    @activity.defn(name="installments.review")
    async def review(self, order: ActionOrder) -> InstallmentView:
        """Have the books open a case for money that is unproven at its deadline."""
        return view_of(await apply(self._books, order.command(Review)))
