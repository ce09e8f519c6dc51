"""What one installment costs on the real whole stack, counted.

Days are counted apart: how many days the bulk work books for one installment (it opens, falls due,
bears penalty, its return window ends) follows from the calendar, what else it costs does not.

Dev server, simulated bank over HTTP and SQLite as in a sandbox. Boarding is one commit for a whole
loan and left out; so are the events of the virtual clock, and the outbox's marks of what it has
delivered.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from adapters.sql.write.books import SqlBooks
from benchmarks.harness import Report
from domain.loan.boarding import BoardLoan
from domain.loan.decide.driving import order_number
from domain.story.events import Moved, Posted, StoryEvent
from sandbox.temporalcosts import costs_of
from simulator.dice import chance, token
from simulator.faults import Fault, call_fault
from simulator.profiles import PROFILES, Profile
from simulator.rail.plans import plan_order
from tests.journeys.whole import loans, whole
from workflows import names

_SEEDS_MOST = 1_000_000
_WORK_OF_DAYS = frozenset({"fell_due", "penalty_accrued", "release_proven"})
_OTHER_WORK = frozenset({"debit_intended", "payments_settled"})
"""Commands that book some of the same by the way."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Counters of one installment after its boarding; `bytes` of its history.

    `days` are the days booked by the daily sweep, one commit each, which `commits` leaves out;
    `idle_days` are those of them that brought nothing. `reversals` counts failed debits
    after the days of grace: penalty is charged with the debit and taken back with its failure.
    `batched` counts lines that the bank booked in a batch, by a chance of their date. `statements`
    counts all SQL, that of days, reversals and batches too.
    """

    tasks: int
    events: int
    bytes: int
    commits: int
    statements: int
    messages: int
    posts: int
    days: int = 0
    idle_days: int = 0
    reversals: int = 0
    batched: int = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """What a bank of some seed holds for the orders of one installment."""

    loan: BoardLoan
    profile: Profile
    seed: int

    def order(self, attempt: int) -> str:
        """Number of the order of an attempt."""
        return order_number(self.loan.tenant, self.loan.loan_id, 1, attempt)

    def code(self, attempt: int, failed_before: int) -> str:
        """The bank's answer to an attempt; empty when anything else is odd about it."""
        amount = self.loan.schedule[0].total
        plan = plan_order(self.profile, self.seed, self.order(attempt), amount, failed_before)
        odd = plan.pending_ms or plan.hidden_ms or plan.again_ms
        return "" if odd or plan.executed_minor not in {0, amount} else plan.code

    def fault(self, verb: str) -> Fault:
        """The fault of the first call of a kind about the first order."""
        return call_fault(
            self.profile, self.seed, f"{verb} {self.loan.mandate.rail}/{self.order(1)}", 1
        )

    def report_is_lost(self) -> bool:
        """Whether the bank's own report of the first order gets lost."""
        mandate = self.loan.mandate
        ref = f"{mandate.rail}/{mandate.merchant_id}/{self.order(1)}"
        name = "wh_" + token(self.seed, "order.finished", ref, length=24)
        return chance(self.profile.hook_lost, self.seed, name, "lost")


@dataclass(frozen=True, slots=True)
class Story:
    """A course that an installment may take: the bank's profile, and how to know its seed."""

    profile: str
    attempts: tuple[str, ...]
    matches: Callable[[Fate], bool]

    def seed(self, loan: BoardLoan) -> int:
        """The first seed under which the bank tells this story; found without running it."""
        profile = PROFILES[self.profile]
        for seed in count(1):
            if self.matches(Fate(loan, profile, seed)):
                return seed
            if seed > _SEEDS_MOST:
                break
        raise LookupError("no seed tells this story any more: have the simulator's rates changed?")


def _happy(fate: Fate) -> bool:
    return fate.code(1, 0) == "00"


def _two_retries(fate: Fate) -> bool:
    codes = [fate.code(attempt, attempt - 1) for attempt in (1, 2, 3)]
    return codes[2] == "00" and set(codes[:2]) <= {"64", "90"}


def _unknown(fate: Fate) -> bool:
    return (
        fate.fault("POST") is Fault.CUT_AFTER
        and fate.report_is_lost()
        and fate.fault("GET") is Fault.NONE
        and fate.code(1, 0) == "00"
    )


STORIES: Mapping[str, Story] = {
    "happy, one reminder": Story("calm", ("SUCCESS",), _happy),
    "two retries": Story("calm", ("NSF", "NSF", "SUCCESS"), _two_retries),
    "unknown, then confirmed": Story("rough", ("SUCCESS",), _unknown),
}


def add_options(parser: argparse._ArgumentGroup) -> None:
    """No options: counters need no size."""


async def run(_options: argparse.Namespace, report: Report) -> None:
    """Count each story once: a counter is the same in every run."""
    rows = []
    for name, story in STORIES.items():
        with tempfile.TemporaryDirectory() as scratch:
            cost = await cost_of(story, Path(scratch) / "home")
        report.say(f"{name}: {cost}")
        rows.append({"course": name, **asdict(cost)})
    report.table("One installment", rows)


async def cost_of(story: Story, home: Path) -> Cost:
    """Let one installment take its course from boarding to closure, audit, and count.

    Raises:
        RuntimeError: the audit found something, or the story was another one.
    """
    (loan,) = loans(1)
    async with whole(home, profile=story.profile, seed=story.seed(loan)) as run:
        await run.board([loan])
        books = run.stack.books
        if not isinstance(books, SqlBooks):
            raise TypeError("the books are not ours to count")
        board = asdict(books.counters)
        report = await run.to_the_end()
        if not report.clean or dict(report.installments) != {"CLOSED": 1}:
            raise RuntimeError(f"not clean: {report.findings} {report.installments}")
        view = await run.view(loan.loan_id)
        handle = run.client.get_workflow_handle(names.driver_id(view))
        await handle.result()
        history = await handle.fetch_history()
        found = await run.stack.queries.loan(loan.loan_id)
        classes = tuple(
            str(attempt.outcome_class) for _, attempt in (found.attempts() if found else ())
        )
        reminders = 0 if report.bank is None else report.bank.reminders
        if classes != story.attempts or reminders != 1:
            raise RuntimeError(f"another story: {classes}, {reminders} reminders")
        spent = {name: now - board[name] for name, now in asdict(books.counters).items()}
        truth = await run.truth()
        days = (await run.stack.queries.counts())["commands"].get("roll_day", 0)
        told = (await run.stack.queries.story(loan.loan_id, 1, "", 10_000)).items
    events, tasks = costs_of(history)
    return Cost(
        tasks=tasks,
        events=events,
        bytes=sum(event.ByteSize() for event in history.events),
        commits=spent["commits"] - days,
        statements=spent["statements"],
        messages=spent["messages"],
        posts=sum(order["posts"] for order in truth["orders"]),
        days=days,
        idle_days=days - 1 - len(_days_with_news(told)),
        reversals=sum(name == "penalty_reversed" for event in told for name in _names(event)),
        batched=sum(move["batch_ref"] is not None for move in truth["movements"]),
    )


def _days_with_news(told: Sequence[StoryEvent]) -> set[datetime]:
    """Instants at which the sweep of a day changed something; its opening is not in the story."""
    by_orders = {event.at for event in told if _OTHER_WORK.intersection(_names(event))}
    return {event.at for event in told if _WORK_OF_DAYS.intersection(_names(event))} - by_orders


def _names(event: StoryEvent) -> list[str]:
    """The effects of a command by name; of one that had none, the command itself."""
    effects = (one for one in event.effects if isinstance(one, Moved | Posted))
    return [effect.event for effect in effects] or [event.command]
