"""A worker that dies at named points, for tests only: `python -m tests.journeys.aborting ...`.

Takes the words of the command line. ACQUIT_TEST_ABORTS names a folder: for each file `POINT` in it
the process ends there and then, as by SIGKILL, the first time it comes to that point; the file is
renamed to `POINT.done` just before, so the next process passes. With `POINT@LOAN` only what is
about that loan counts.
"""

from __future__ import annotations

import functools
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.worker import Worker

from activities.debits import DebitActivities
from adapters.notices.dispatcher import NoticeDispatcher
from adapters.rails.simbank.client import SimbankRail
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import Pace
from adapters.temporal import worker
from adapters.temporal.dispatchers import DriverDispatcher
from cli import tree as cli
from domain.loan.view import installment_of
from tests.support.base import close_long_holidays
from tests.support.doors import IntendDebit, RecordOutcome
from workers import compose
from workflows import policies

FOLDER = "ACQUIT_TEST_ABORTS"
ABORTED = 86
"""Exit code of a worker that died at a named point."""

INTENDED = "intended-not-sent"
SENT = "sent-not-recorded"
RECORDED = "recorded-not-completed"
ANSWERED = "answer-not-reported"
COMMITTED = "committed-not-delivered"
DELIVERED = "delivered-not-marked"
NOTIFIED = "notified-not-marked"
POINTS = (INTENDED, SENT, RECORDED, ANSWERED, COMMITTED, DELIVERED, NOTIFIED)


def reached(point: str, loan_id: str) -> None:
    """Die here if a test wants it and it was not done before."""
    folder = Path(os.environ[FOLDER])
    for name in (f"{point}@{loan_id}", point):
        wanted = folder / name
        try:
            wanted.rename(folder / f"{name}.done")
        except FileNotFoundError:
            continue
        os._exit(ABORTED)


def hurry() -> None:
    """Shorten what others wait for when a worker has died: the same rules, sooner."""
    compose.SANDBOX_PACE = Pace(deliver_within=timedelta(seconds=1), lease=timedelta(seconds=5))
    policies.DEBIT["heartbeat_timeout"] = timedelta(seconds=5)
    policies.STEADY["start_to_close_timeout"] = timedelta(seconds=5)
    sticky: dict[str, Any] = {"sticky_queue_schedule_to_start_timeout": timedelta(seconds=2)}
    setattr(worker, "Worker", functools.partial(Worker, **sticky))  # noqa: B010


def patch() -> None:
    """Put the points around the real parts; nothing else of them is changed."""
    apply, present = SqlBooks._apply, SimbankRail.present
    perform = DebitActivities._present
    deliver, notify = DriverDispatcher.deliver, NoticeDispatcher.deliver

    async def applying(self: Any, command: Any, **door: Any) -> Any:
        answer = await apply(self, command, **door)
        if isinstance(command, IntendDebit):
            reached(INTENDED, command.loan_id)
        if isinstance(command, RecordOutcome) and answer.view is not None:
            reached(RECORDED, answer.view.labels.loan_id)
        return answer

    async def presenting(self: Any, order: Any) -> Any:
        said = await present(self, order)
        reached(SENT, order.loan_id)
        return said

    async def performing(self: Any, order: Any) -> Any:
        view = await perform(self, order)
        reached(ANSWERED, installment_of(order.subject)[0])
        return view

    async def delivering(self: Any, row: Any) -> None:
        loan_id = str(row.body["view"]["labels"]["loan_id"])
        reached(COMMITTED, loan_id)
        await deliver(self, row)
        reached(DELIVERED, loan_id)

    async def notifying(self: Any, row: Any) -> None:
        await notify(self, row)
        reached(NOTIFIED, str(row.body["message_id"]).removeprefix("N-").rsplit("-", 4)[0])

    for owner, name, replacement in (
        (SqlBooks, "_apply", applying),
        (SimbankRail, "present", presenting),
        (DebitActivities, "_present", performing),
        (DriverDispatcher, "deliver", delivering),
        (NoticeDispatcher, "deliver", notifying),
    ):
        setattr(owner, name, replacement)


if __name__ == "__main__":
    close_long_holidays()
    hurry()
    patch()
    cli.main()
