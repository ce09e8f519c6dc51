"""Activities of cases: what their clocks ask for, one for a driver, many for a sweep in pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from temporalio import activity

from activities.actions import ActionOrder, driver_of
from activities.answers import apply, view_of
from activities.shielded import heartbeats
from domain.case.case import CASE
from domain.case.commands import ActOnCase
from domain.case.threshold import RecordFigure, Threshold
from domain.case.view import CaseView
from domain.kernel.subject import Subject
from ports.books import Books
from ports.clock import Clock
from ports.figures import Figures
from ports.sweepqueries import Due

_NO_RULES: Mapping[str, Threshold] = MappingProxyType({})
PAGE = 500
PAGES_MOST = 10_000


@dataclass(frozen=True, slots=True)
class CasesSwept:
    """How many cases were reminded of, handed up or taken up again, and how many failed.

    `rules` counts the rules whose case was opened or ended by it.
    """

    acted: int = 0
    failed: int = 0
    rules: int = 0


class CaseQueries(Protocol):
    """The part of `ports.sweepqueries.SweepQueries` that the sweep of cases needs."""

    async def due_swept(
        self, kind: str, now: datetime, after: tuple[datetime | None, str], limit: int
    ) -> Sequence[Due]:
        """Subjects without a driver whose next action is due, by its instant, after a cursor."""
        ...


class CaseActivities:
    """Does what the clocks of cases ask for; cases without a driver are swept.

    Args:
        books: the door of drivers.
        queries: where due cases are read.
        clock: says what is due.
        figures: counts what rules watch; None where there are no rules.
        thresholds: the rules, by name.
    """

    def __init__(
        self,
        books: Books,
        queries: CaseQueries,
        clock: Clock,
        figures: Figures | None = None,
        thresholds: Mapping[str, Threshold] = _NO_RULES,
    ) -> None:
        self._books, self._queries, self._clock = books, queries, clock
        self._figures, self._thresholds = figures, thresholds

    @activity.defn(name="cases.act")
    async def act(self, order: ActionOrder) -> CaseView:
        """Do what comes next for one case; an outdated action changes nothing."""
        return view_of(await apply(self._books, order.command(ActOnCase)))

    @activity.defn(name="cases.sweep")
    async def sweep(self) -> CasesSwept:
        """Do what is due for every case without a driver, page by page.

        Before that the rules of the policy are looked at, so that a case of one is among them. One
        that fails is counted, logged and left for the next sweep; it holds up no other.
        """
        async with heartbeats() as life:
            done, now = await self._watch(CasesSwept()), self._clock.now()
            after: tuple[datetime | None, str] = (None, "")
            for _ in range(PAGES_MOST):
                page = await self._queries.due_swept(CASE, now, after, PAGE)
                if not page:
                    break
                done = await self._act_on(page, done)
                after = (page[-1].since, page[-1].subject.key)
                life.report(done.acted, done.failed)
            return done

    async def _watch(self, done: CasesSwept) -> CasesSwept:
        """Open the case of each rule that is broken, and end that of each that is not any more."""
        if self._figures is None:
            return done
        now, open_cases = self._clock.now(), set(await self._figures.open_rules())
        values = dict.fromkeys(open_cases - self._thresholds.keys(), 0)
        for name, rule in self._thresholds.items():
            try:
                value = (await self._figures.figure(rule, now)).value(rule.measure, now)
            except Exception:  # noqa: BLE001  (one rule that cannot be looked at holds up nobody)
                activity.logger.exception("the figure of rule %s cannot be counted", name)
                done = replace(done, failed=done.failed + 1)
                continue
            if rule.is_broken(value) != (name in open_cases):
                values[name] = value
        commands = [_figure(name, value, now) for name, value in sorted(values.items())]
        answers = await self._books.apply_many(commands) if commands else ()
        faults = [answer for answer in answers if isinstance(answer, Exception)]
        for fault in faults:
            activity.logger.error("a rule was not applied: %s", fault)
        moved = len(commands) - len(faults)
        return replace(done, rules=moved, failed=done.failed + len(faults))

    async def _act_on(self, page: Sequence[Due], done: CasesSwept) -> CasesSwept:
        orders: list[ActionOrder] = []
        failed = 0
        for due in page:
            if due.view is None or due.view.next_action is None:
                failed += 1
                activity.logger.error("the view of %s cannot be read", due.subject)
                continue
            # With the version in its id: an attempt that changed nothing must not be answered by
            # its own stored answer.
            view, action = due.view, due.view.next_action
            orders.append(ActionOrder(view.subject, view.generation, view.version, action, run=1))
        answers = await self._books.apply_many([order.command(ActOnCase) for order in orders])
        for order, answer in zip(orders, answers, strict=True):
            if isinstance(answer, Exception):
                failed += 1
                activity.logger.error("%s was not acted on: %s", order.subject, answer)
        acted = done.acted + len(page) - failed
        return replace(done, acted=acted, failed=done.failed + failed)


def _figure(name: str, value: int, now: datetime) -> RecordFigure:
    """The command that records a figure in the books; each count has its own id."""
    return RecordFigure(
        id=f"driver/threshold/{name}/{now.isoformat()}",
        actor=driver_of(Subject(CASE, name)),
        reason="a rule of the case policy was looked at",
        threshold=name,
        value=value,
    )
