"""Activities of cases: what their clocks ask for, one for a driver, many for a sweep in pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from temporalio import activity

from activities.actions import ActionOrder
from activities.answers import apply, view_of
from activities.shielded import heartbeats
from domain.case.case import CASE
from domain.case.commands import ActOnCase
from domain.case.view import CaseView
from domain.kernel.view import View
from ports.books import Books
from ports.clock import Clock

PAGE = 500
PAGES_MOST = 10_000


@dataclass(frozen=True, slots=True)
class CasesSwept:
    """How many cases were reminded of, handed up or taken up again, and how many failed."""

    acted: int = 0
    failed: int = 0


class CaseQueries(Protocol):
    """The part of `ports.sweepqueries.SweepQueries` that the sweep of cases needs."""

    async def due_swept(
        self, kind: str, now: datetime, after: tuple[datetime | None, str], limit: int
    ) -> Sequence[View[Any]]:
        """Subjects without a driver whose next action is due, by its instant, after a cursor."""
        ...


class CaseActivities:
    """Does what the clocks of cases ask for; cases without a driver are swept."""

    def __init__(self, books: Books, queries: CaseQueries, clock: Clock) -> None:
        self._books, self._queries, self._clock = books, queries, clock

    @activity.defn(name="cases.act")
    async def act(self, order: ActionOrder) -> CaseView:
        """Do what comes next for one case; an outdated action changes nothing."""
        return view_of(await apply(self._books, order.command(ActOnCase)))

    @activity.defn(name="cases.sweep")
    async def sweep(self) -> CasesSwept:
        """Do what is due for every case without a driver, page by page.

        One that fails is counted, logged and left for the next sweep; it holds up no other.
        """
        async with heartbeats() as life:
            done, now = CasesSwept(), self._clock.now()
            after: tuple[datetime | None, str] = (None, "")
            for _ in range(PAGES_MOST):
                page = await self._queries.due_swept(CASE, now, after, PAGE)
                if not page:
                    break
                done = await self._act_on(page, done)
                last = page[-1]
                after = (last.next_action.not_before if last.next_action else now, last.subject.key)
                life.report(done.acted, done.failed)
            return done

    async def _act_on(self, page: Sequence[View[Any]], done: CasesSwept) -> CasesSwept:
        orders = [
            # With the version in its id: what came in vain once is not answered by that again.
            ActionOrder(view.subject, view.generation, view.version, view.next_action, run=1)
            for view in page
            if view.next_action is not None
        ]
        answers = await self._books.apply_many([order.command(ActOnCase) for order in orders])
        failed = 0
        for order, answer in zip(orders, answers, strict=True):
            if isinstance(answer, Exception):
                failed += 1
                activity.logger.error("%s was not acted on: %s", order.subject, answer)
        acted = done.acted + len(answers) - failed
        return replace(done, acted=acted, failed=done.failed + failed)
