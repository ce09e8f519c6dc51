"""What a message to a borrower carries through the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.kernel.message import About, BackOff, Topic


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """What is sent, for whom, and until when: tokens and amounts, nothing personal.

    Attributes:
        to: an address token; the address itself is looked up where the message is sent.
        values: what the template shows, as text: loan, installment, amount, due date.
        not_after: the end of the hours in which the borrower may be reminded.
    """

    message_id: str
    channel: str
    to: str
    language: str
    template: str
    not_after: datetime
    values: Mapping[str, str]

    def about(self) -> About:
        """The installment that the borrower is reminded of."""
        return About(self.values["loan"], int(self.values["installment"]), self.message_id)


NOTICE = Topic(
    name="notice",
    payload=QueuedNotice,
    about=QueuedNotice.about,
    ordered=False,
    back_off=BackOff(timedelta(seconds=2), timedelta(minutes=15), tries=100),
    when_dead="a reminder was not sent; the books have it as failed, and the next channel of the "
    "plan follows",
)
"""Carries a message to a borrower. Each stands for itself: none waits for another."""
