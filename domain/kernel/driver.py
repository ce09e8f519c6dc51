"""What the books remember of a subject's driver, and when it is woken."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.kernel.canonical import bounded
from domain.kernel.message import About, BackOff, Message, Topic
from domain.kernel.view import WAITS, View


class DrivenBy(StrEnum):
    """Who performs the actions of a subject."""

    WORKFLOW = "workflow"
    """A driver of its own."""
    SWEEP = "sweep"
    """A sweep that takes many of its kind together, in pages."""


@dataclass(frozen=True, slots=True)
class DriverRecord:
    """Whether a subject's driver was started, and what it was last notified of.

    Attributes:
        opened: it was started. False as long as a sweep drives the subject.
        mark: of the view that it was last given.
        until: the instant of its next action then; it is asleep until that, None: until news.
    """

    opened: bool = False
    mark: str = ""
    until: datetime | None = None

    def is_news(self, view: View[Any]) -> bool:
        """Whether a view asks something of the driver that it does not know.

        It does when an action comes earlier than the driver expects, when the subject has ended,
        and when a person begins or ceases to be waited for, which searches show.
        """
        action = view.next_action
        if action is not None and (self.until is None or action.not_before < self.until):
            return True
        if view.is_final:
            return self.mark != "final"
        return bool(view.needs_operator) != self.mark.endswith(WAITS)

    def after(self, view: View[Any], *, notified: bool) -> "DriverRecord":
        """The record once a view is written; `notified`: the driver receives that view.

        A driver that is not notified may still see a later instant by a look, so what then comes
        before that instant is news.
        """
        mark = view.mark if notified else self.mark
        until = view.next_action.not_before if view.next_action else None
        return DriverRecord(self.opened, mark, until)


@dataclass(frozen=True, slots=True)
class DriverNews:
    """What a driver is started or woken with."""

    view: View[Any]

    def about(self) -> About:
        """The loan and installment of the subject, if it is about any."""
        return About(self.view.labels.loan_id, self.view.labels.number)


_BACK_OFF = BackOff(timedelta(milliseconds=500), timedelta(minutes=5), tries=250)
"""Most of a day, which outlasts an outage of Temporal that somebody works on."""
OPEN = Topic(
    name="open",
    payload=DriverNews,
    about=DriverNews.about,
    ordered=True,
    back_off=_BACK_OFF,
    when_dead="a driver was not started; `acquit heal` starts it, and an order can be given "
    "meanwhile",
)
"""Starts the driver of a subject."""
WAKE = Topic(
    name="wake",
    payload=DriverNews,
    about=DriverNews.about,
    ordered=True,
    back_off=_BACK_OFF,
    when_dead="a driver was not notified of a change; `acquit heal` brings it the current view",
)
"""Brings a driver a newer view."""


def driver_message(view: View[Any], *, opening: bool) -> Message:
    """The message that starts a driver, or wakes it."""
    stream = bounded(f"{view.subject.kind}/{view.tenant}/{view.subject.key}")
    return (OPEN if opening else WAKE).message(stream, DriverNews(view))


def inform(
    record: DriverRecord, view: View[Any], *, answered: bool, opening: bool
) -> tuple[DriverRecord, Message | None]:
    """The record once a view is written, and the message that starts or wakes the driver, if any.

    `answered`: the driver is given the view as the answer to its own command, so that it needs no
    message about it. `opening`: it is to be started.
    """
    news = record.is_news(view)
    after = record.after(view, notified=answered or opening or news)
    is_sent = opening or (news and not answered)
    return after, driver_message(view, opening=opening) if is_sent else None
