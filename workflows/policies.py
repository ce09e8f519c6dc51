"""Time-outs and retries of every activity, written out. No default of the server is relied upon.

Retries here are for faults of transport and of our own machinery. Business is never retried by a
policy: it comes back as a value and the books say what is next.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

NEVER_AGAIN = ["InvalidInput", "Refused", "Conflict", "StatementRefused", "JournalFaulty"]
"""Types of failures that are never tried again."""

_SECOND = timedelta(seconds=1)


def _tries(most: int, apart: timedelta) -> RetryPolicy:
    """At most so many tries: the second after a second, then twice as long each time to `apart`."""
    return RetryPolicy(
        initial_interval=_SECOND,
        backoff_coefficient=2.0,
        maximum_interval=apart,
        maximum_attempts=most,
        non_retryable_error_types=NEVER_AGAIN,
    )


# Fits into one workflow task. One try only: what fails is done again as a normal activity, whose
# tries the server keeps and shows.
QUICK = workflow.LocalActivityConfig(
    start_to_close_timeout=timedelta(seconds=3),
    schedule_to_close_timeout=timedelta(seconds=5),
    retry_policy=_tries(1, _SECOND),
)

STEADY = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=_tries(5, timedelta(seconds=30)),
)

# The section that sends and records is never cut, so the worker may answer late: the start-to-close
# time is longer than any lease. A dead worker is noticed by its missing heartbeat long before.
DEBIT = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=10),
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry_policy=_tries(5, timedelta(seconds=30)),
)

# An order goes before the next action, so the whole of it is bounded.
ORDER: workflow.ActivityConfig = {**STEADY, "schedule_to_close_timeout": timedelta(minutes=3)}

# Bulk work reports its cursor with every heartbeat and goes on from there.
BULK = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=_tries(20, timedelta(minutes=1)),
)

# One bounded piece of bulk work without a cursor to report: it shows that it lives, so that a dead
# worker is noticed in seconds and not when the longest such piece would have ended.
BULK_QUIET = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_tries(20, timedelta(minutes=1)),
)

# Reads what was written since the last checkpoint: the whole journal, the first time. What fails is
# done by the next checkpoint.
SEAL = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=_tries(5, timedelta(minutes=5)),
)

EVENTS_MOST = 4000
"""A driver whose history is longer goes on in a new run under the same id."""
CLOCKS_APART = timedelta(minutes=1)
"""How far the server's clock may be ahead of the books' before a person is asked."""
TICK = timedelta(milliseconds=100)
"""Added to a wait until the books' clock has caught up."""
PAUSE = timedelta(seconds=5)
"""Before an action that changed nothing is tried once more."""
LOOK_AGAIN = timedelta(hours=6)
"""How often a driver looks at the books while it waits for a person."""
BOOKS_AWAY = timedelta(minutes=2)
"""Between two looks while the books cannot be reached."""
ORDER_TRIES = 8
"""Tries to bring an order that came by signal, some three hours in all; then a person is asked."""
ASKS_MOST = 48
"""Tries to record in the books that a person is needed."""
ORDERS_MOST = 100
"""Orders of one driver that wait at once; one more is lost, and a person is asked."""
ORDER_REST_MOST = timedelta(hours=1)
"""The longest wait between two tries of an order; waits double from `BOOKS_AWAY` on."""


def quickly(summary: str) -> workflow.LocalActivityConfig:
    """A local activity that fits into the workflow task."""
    return {**QUICK, "summary": summary}


def steadily(summary: str) -> workflow.ActivityConfig:
    """The same work as a normal activity on the workflow's own queue."""
    return {**STEADY, "summary": summary}


def for_an_order(summary: str) -> workflow.ActivityConfig:
    """An order of a person as a normal activity."""
    return {**ORDER, "summary": summary}


def order_rest(tries: int) -> timedelta:
    """How long to wait before an order is tried again that failed so often."""
    wait: timedelta = BOOKS_AWAY * 2 ** min(tries - 1, 10)
    return min(wait, ORDER_REST_MOST)


def on(queue: str, config: workflow.ActivityConfig, summary: str) -> workflow.ActivityConfig:
    """An activity by `config` on a named queue."""
    return {**config, "task_queue": queue, "summary": summary}
