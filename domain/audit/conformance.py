"""Compares what an installment did with the steps that its product expects, and names deviations.

Expected are, in this order: its reminders, falling due, the first debit, each further debit that
the retry plan allows, and three moves on the way to its closing. Each step is judged by the rule
that says when it is to happen; what a person has ordered otherwise is no deviation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from domain.audit.orders import beyond_limits
from domain.calendar import local_day, local_instant
from domain.debit.attempt import Attempt
from domain.debit.history import FAILED
from domain.debit.plan import RetryAt
from domain.debit.presentment import first_presentment
from domain.loan import closure
from domain.loan.aggregate import Installment, Loan, NoticeRecord, Rulebook
from domain.loan.lifecycle import Event, State
from domain.loan.retrying import retry_decision

PATIENCE = timedelta(days=1)
"""How long after its time a step may come: a sweep, an outage, a closed rail."""
WAY_TO_CLOSING = (Event.PAYMENTS_SETTLED, Event.RELEASE_PROVEN, Event.EVIDENCE_COMPLETE)
BY_PEOPLE = frozenset(
    {"held", "unheld", "reminder_ordered", Event.DUE_DATE_CHANGED, Event.RETRY_ORDERED}
)
"""Moves by which people have changed what is expected and when."""


class Deviates(StrEnum):
    """How a step deviates from what is expected."""

    MISSING = "missing"
    """It should have happened by now, and did not."""
    OUT_OF_ORDER = "out_of_order"
    """It came before a step that must come first."""
    TOO_EARLY = "too_early"
    """It came before its time."""
    TOO_LATE = "too_late"
    """It came after its time."""
    TOO_MANY = "too_many"
    """It came more often than allowed."""


@dataclass(frozen=True, slots=True)
class Step:
    """A move of an installment as the journal has it; moves of its orders are left out."""

    event: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deviation:
    """One step that is not as expected: which, by which rule, and what was found, in words."""

    subject: str
    step: str
    kind: Deviates
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class _Case:
    """What is judged, in one place."""

    loan: Loan
    item: Installment
    steps: Sequence[Step]
    rules: Rulebook
    at: datetime

    @property
    def by_people(self) -> bool:
        return any(step.event in BY_PEOPLE for step in self.steps) or self.item.hold is not None

    @property
    def boarded_at(self) -> datetime | None:
        return self.steps[0].at if self.steps else None

    @property
    def own(self) -> tuple[Attempt, ...]:
        """Its debits, those of a former system left out."""
        return tuple(one for one in self.item.attempts if not one.is_brought_over)

    def deviates(self, step: str, kind: Deviates, rule: str, text: str) -> Deviation:
        return Deviation(f"{self.loan.id}/{self.item.number}", step, kind, rule, text)


def deviations(
    loan: Loan, number: int, steps: Sequence[Step], rules: Rulebook, at: datetime
) -> Iterator[Deviation]:
    """What of an installment is not as its product expects by now.

    Args:
        loan: as it stands.
        number: of the installment.
        steps: its moves in the order of the journal, its boarding first.
        rules: calendars, rails and limits.
        at: now.
    """
    case = _Case(loan, loan.installment(number), steps, rules, at)
    yield from _reminders(case)
    yield from _falling_due(case)
    yield from _first_debit(case)
    yield from _further_debits(case)
    yield from _closing(case)


# --- before it is due ----------------------------------------------------------------------------


def _reminders(case: _Case) -> Iterator[Deviation]:
    item, plan = case.item, case.loan.product.reminders
    for index, rule in enumerate(plan.rules):
        day = item.due_on - timedelta(days=rule.days_before)
        planned = local_instant(day, rule.at, case.loan.product.timezone)
        sent = [n for n in item.notices if n.rule == index and n.due_on in {None, item.due_on}]
        name = f"reminder {rule.days_before} days before"
        if not sent and _was_expected(case, planned):
            text = f"planned at {planned:%Y-%m-%d %H:%M} UTC, none was queued"
            yield case.deviates(name, Deviates.MISSING, f"reminders.{index}", text)
        steps = [one.step for one in sent]
        if len(set(steps)) < len(steps) or any(step >= len(rule.channels) for step in steps):
            text = f"{len(steps)} messages over {len(rule.channels)} channels"
            yield case.deviates(name, Deviates.TOO_MANY, f"reminders.{index}.channels", text)
        if steps != sorted(steps):
            text = f"channels in the order {steps}"
            yield case.deviates(name, Deviates.OUT_OF_ORDER, f"reminders.{index}.channels", text)
        for one in sent:
            yield from _in_time(case, name, f"reminders.{index}", one, planned)


def _in_time(
    case: _Case, name: str, rule: str, sent: NoticeRecord, planned: datetime
) -> Iterator[Deviation]:
    """A message against its plan, and against the hours in which the borrower may be contacted."""
    hours, said = case.loan.product.reminders.allowed, f"queued at {sent.queued_at:%Y-%m-%d %H:%M}"
    if sent.queued_at < planned and not case.by_people:
        text = f"{said}, planned at {planned:%Y-%m-%d %H:%M} UTC"
        yield case.deviates(name, Deviates.TOO_EARLY, rule, text)
    if local_day(sent.queued_at, case.loan.product.timezone) > case.item.due_on:
        text = f"{said} UTC, due on {case.item.due_on}"
        yield case.deviates(name, Deviates.TOO_LATE, rule, text)
    local = sent.queued_at.astimezone(ZoneInfo(hours.timezone)).time()
    if not hours.opens <= local < hours.closes:
        kind = Deviates.TOO_EARLY if local < hours.opens else Deviates.TOO_LATE
        text = f"{said} UTC, allowed {hours.opens:%H:%M} to {hours.closes:%H:%M}"
        yield case.deviates(name, kind, "reminders.allowed", text)


def _was_expected(case: _Case, planned: datetime) -> bool:
    """Whether a reminder had to go out: known by then, nobody held it, and a debit came later."""
    boarded, first = case.boarded_at, case.own[0] if case.own else None
    known = boarded is not None and boarded <= planned and not case.by_people
    return known and first is not None and first.intended_at > planned + PATIENCE


def _falling_due(case: _Case) -> Iterator[Deviation]:
    item, zone = case.item, case.loan.product.timezone
    today = local_day(case.at, zone)
    if item.state is State.SCHEDULED and not item.fell_due and item.due_on + PATIENCE < today:
        text = f"due on {item.due_on}, still {item.state}"
        yield case.deviates("falling due", Deviates.MISSING, "due_on", text)
    for step in case.steps:
        early = step.event == Event.FELL_DUE and local_day(step.at, zone) < item.due_on
        if early and not case.by_people:
            text = f"on {local_day(step.at, zone)}, due on {item.due_on}"
            yield case.deviates("falling due", Deviates.TOO_EARLY, "due_on", text)


# --- debits --------------------------------------------------------------------------------------


def _first_debit(case: _Case) -> Iterator[Deviation]:
    loan, item = case.loan, case.item
    rail = case.rules.rail(loan.product.rail)
    calendar = case.rules.calendar(rail.calendar)
    slot = first_presentment(item.due_on, loan.product.present_at, rail, calendar)
    if case.by_people or item.attempts != case.own:
        return
    end, boarded = slot.last_at + PATIENCE, case.boarded_at
    if not case.own:
        waits = item.state is State.DUE and item.fell_due and not _lacks_notice(case)
        if waits and end < case.at and boarded is not None and boarded < slot.last_at:
            text = f"owed since {item.due_on}, and nothing was presented"
            yield case.deviates("first debit", Deviates.MISSING, "present_at", text)
        return
    first = case.own[0]
    if first.intended_at < slot.not_before:
        text = f"at {first.intended_at:%Y-%m-%d %H:%M}, from {slot.not_before:%Y-%m-%d %H:%M} UTC"
        yield case.deviates("first debit", Deviates.TOO_EARLY, "present_at", text)
    if first.intended_at > end and boarded is not None and boarded < slot.last_at:
        text = f"at {first.intended_at:%Y-%m-%d %H:%M}, until {slot.last_at:%Y-%m-%d %H:%M} UTC"
        yield case.deviates("first debit", Deviates.TOO_LATE, "present_at", text)


def _lacks_notice(case: _Case) -> bool:
    return case.loan.product.reminders.require_delivered


def _further_debits(case: _Case) -> Iterator[Deviation]:
    for finding in beyond_limits(replace(case.loan, installments=(case.item,)), case.rules):
        yield case.deviates("further debit", Deviates.TOO_MANY, "retry.limits", finding.text)
    for before, after in pairwise(case.own):
        if before.ended_at is not None and after.intended_at < before.ended_at:
            text = f"debit {after.number} before the end of debit {before.number}"
            yield case.deviates("further debit", Deviates.OUT_OF_ORDER, "attempt.live", text)
        elif before.state in FAILED and not case.by_people and case.loan.mandate.bar is None:
            yield from _by_plan(case, after)
    planned = retry_decision(case.loan, case.item, case.rules)
    waits = case.item.state is State.RETRYING and not case.by_people
    if waits and isinstance(planned, RetryAt) and planned.not_before + PATIENCE < case.at:
        text = f"planned from {planned.not_before:%Y-%m-%d %H:%M} UTC, nothing was presented"
        yield case.deviates("further debit", Deviates.MISSING, "retry.plan", text)


def _by_plan(case: _Case, attempt: Attempt) -> Iterator[Deviation]:
    """A further debit against what the plan said once the one before it had failed."""
    known = tuple(one for one in case.item.attempts if one.number < attempt.number)
    decision = retry_decision(case.loan, replace(case.item, attempts=known), case.rules)
    if not isinstance(decision, RetryAt):
        yield case.deviates("further debit", Deviates.TOO_MANY, decision.rule, decision.reason)
    elif attempt.intended_at < decision.not_before:
        text = (
            f"debit {attempt.number} at {attempt.intended_at:%Y-%m-%d %H:%M},"
            f" from {decision.not_before:%Y-%m-%d %H:%M} UTC"
        )
        yield case.deviates("further debit", Deviates.TOO_EARLY, "retry.plan", text)


# --- closing -------------------------------------------------------------------------------------


def _closing(case: _Case) -> Iterator[Deviation]:
    item, events = case.item, [step.event for step in case.steps]
    if item.state is not State.CLOSED or Event.CLOSED_ELSEWHERE in events:
        return
    last = {event: place for place, event in enumerate(events)}
    for event in WAY_TO_CLOSING:
        if event not in last:
            text = f"closed without the move {event}"
            yield case.deviates("closing", Deviates.MISSING, f"closing.{event}", text)
    places = [last[event] for event in WAY_TO_CLOSING if event in last]
    if places != sorted(places):
        text = f"its moves in another order than {', '.join(WAY_TO_CLOSING)}"
        yield case.deviates("closing", Deviates.OUT_OF_ORDER, "closing", text)
    if Event.RELEASE_PROVEN in last:
        on = local_day(case.steps[last[Event.RELEASE_PROVEN]].at, case.loan.product.timezone)
        window = closure.window_ends(case.loan, item, case.rules)
        if on < window:
            text = f"released on {on}, money may come back until {window}"
            yield case.deviates("closing", Deviates.TOO_EARLY, "closure.return_window", text)
