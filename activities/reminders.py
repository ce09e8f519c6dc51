"""Hands for beats that only write to our books."""

from temporalio import activity

from activities.answers import apply, view_of
from activities.beats import DRIVER, BeatOrder
from domain.loan.commands import QueueReminder, RaiseOperator, Review
from domain.loan.view import InstallmentView
from ports.books import Books


class ReminderActivities:
    """Writes reminders to the outbox; who sends them is not the driver's business."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @activity.defn(name="reminders.remind")
    async def remind(self, order: BeatOrder) -> InstallmentView:
        """Queue the reminder of this beat, once; a moot one leaves the books as they are."""
        command = QueueReminder(
            id=order.command_id,
            actor=DRIVER,
            from_driver=True,
            reason=order.beat.reason,
            loan_id=order.loan_id,
            number=order.number,
            beat=order.beat.key,
            generation=order.generation,
            seen=order.seen,
        )
        return view_of(await apply(self._books, command))


class ReviewActivities:
    """Looks at the gates of closure, and asks for a person when the driver cannot go on."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @activity.defn(name="reviews.review")
    async def review(self, order: BeatOrder) -> InstallmentView:
        """Let the books look at the gates now: what is overdue becomes a case."""
        command = Review(
            id=order.command_id,
            actor=DRIVER,
            from_driver=True,
            reason=order.beat.reason,
            loan_id=order.loan_id,
            number=order.number,
            beat=order.beat.key,
            generation=order.generation,
            seen=order.seen,
        )
        return view_of(await apply(self._books, command))

    @activity.defn(name="reviews.raise_operator")
    async def raise_operator(self, order: BeatOrder) -> InstallmentView:
        """Ask for a person: this beat was performed and nothing changed. Once for each version."""
        command = RaiseOperator(
            id=f"{order.command_id}/raise/{order.seen}",
            actor=DRIVER,
            from_driver=True,
            reason=f"{order.beat.kind.value} {order.beat.key} changes nothing",
            loan_id=order.loan_id,
            number=order.number,
        )
        return view_of(await apply(self._books, command))
