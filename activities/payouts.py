"""Activities of payouts: intent, one send and its outcome; inquiry; what loans learn; the sweep.

The intent is committed before the first byte leaves. Whoever finds one that was committed before
(a replayed answer) may not be the first to send it, and asks the channel: a payout is never sent
again unless it provably never left.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.actions import ActionOrder, about, driver_of
from activities.answers import apply, view_of
from activities.shielded import heartbeats, shielded
from activities.subjects import ViewQueries
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass
from domain.kernel import canonical
from domain.kernel.change import Applied, Refused
from domain.kernel.subject import Subject
from domain.loan.remitting import RecordRemitted
from domain.payout.agenda import PayoutAction
from domain.payout.commands import (
    EscalateRefund,
    InstructPayout,
    RecordLearnt,
    RecordPayoutOutcome,
    RecordPayoutUnsent,
    ReviewPayout,
)
from domain.payout.items import PayoutItem
from domain.payout.payout import PAYOUT, Payout, PayoutOrder, PayoutOrdered
from domain.payout.view import PayoutView
from ports.books import Books
from ports.clock import Clock
from ports.payoutchannel import PayoutChannel
from ports.rail import RailUnavailable

PAGE = 1_000
"""Items of a payout that its loans learn of together."""
_TRIES = 3
_FIRST_WAIT_S = 0.5
_ANSWER_WITHIN_S = 60.0
FIRST: tuple[str, str, int, str] = ("", "", 0, "")
"""Before the first item of any payout."""


class QueriesOfPayouts(ViewQueries, Protocol):
    """The part of `ports.driverqueries.DriverQueries` that payouts need."""

    async def payout(self, key: str) -> Payout | None:
        """A payout as the books hold it."""
        ...

    async def payout_items(
        self, key: str, after: tuple[str, str, int, str], limit: int
    ) -> tuple[PayoutItem, ...]:
        """Items of a payout in the order of their keys, after one of them."""
        ...


class PayoutActivities:
    """Performs the actions of payouts; it never decides what comes next.

    Args:
        books: the door of drivers.
        queries: where payouts are read.
        channels: those that this worker reaches, by name.
        clock: the books' clock.
    """

    def __init__(
        self,
        books: Books,
        queries: QueriesOfPayouts,
        channels: Mapping[str, PayoutChannel],
        clock: Clock,
    ) -> None:
        self._books, self._queries = books, queries
        self._channels, self._clock = channels, clock

    @activity.defn(name="payouts.instruct")
    async def instruct(self, order: ActionOrder) -> PayoutView:
        """Intend, send once, record; ask where an earlier try may have sent the order."""
        async with heartbeats():
            return await shielded(self._instruct(order))

    @activity.defn(name="payouts.inquire")
    async def inquire(self, order: ActionOrder) -> PayoutView:
        """Ask the channel by our order number and record what it says."""
        async with heartbeats():
            return await shielded(self._ask(order))

    @activity.defn(name="payouts.review")
    async def review(self, order: ActionOrder) -> PayoutView:
        """Have a person look for a line that has not come."""
        return view_of(await apply(self._books, order.command(ReviewPayout)))

    @activity.defn(name="payouts.escalate")
    async def escalate(self, order: ActionOrder) -> PayoutView:
        """Have a person look for a refund that has not left by its deadline."""
        return view_of(await apply(self._books, order.command(EscalateRefund)))

    @activity.defn(name="payouts.learn")
    async def learn(self, order: ActionOrder) -> PayoutView:
        """Let every loan know what became of a payout, page by page; then say that all know.

        A loan that learns it twice learns nothing new, so a try that died is simply done again.
        """
        payout = await self._payout(order.subject)
        returned = order.action.kind == PayoutAction.UNLEARN
        async with heartbeats() as life:
            after, done = FIRST, 0
            while page := await self._queries.payout_items(payout.key, after, PAGE):
                after = page[-1][:4]
                commands = [*_lessons(payout, page, returned=returned, run=order.generation)]
                for answer in await self._books.apply_many(commands):
                    if isinstance(answer, Exception):
                        raise answer
                done += len(page)
                life.report(done)
        return view_of(await apply(self._books, order.command(RecordLearnt)))

    # --- sending ---------------------------------------------------------------------------------

    async def _instruct(self, order: ActionOrder) -> PayoutView:
        answer = await apply(self._books, order.command(InstructPayout))
        if isinstance(answer, Refused) or not isinstance(answer.answer, PayoutOrdered):
            return view_of(answer)
        if answer.replayed:
            return await self._resume(order, answer)
        return await self._send(answer.answer.order)

    async def _resume(self, order: ActionOrder, answer: Applied) -> PayoutView:
        """Somebody intended this before and may have sent it: ask, and never send it."""
        view = view_of(answer)
        is_next = view.next_action is not None and view.next_action.kind == PayoutAction.INQUIRE
        return await self._ask(order) if is_next else view

    async def _send(self, payout: PayoutOrder) -> PayoutView:
        """Send the order once, inside its lease, and record what came of it."""
        channel, wait = self._channel(payout.channel), _FIRST_WAIT_S
        for left_over in reversed(range(_TRIES)):
            if self._clock.now() >= payout.send_until:
                break
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    said = await channel.send(payout)
            except RailUnavailable as refusal:
                wait = max(wait, refusal.retry_after_s or 0.0)
                left = (payout.send_until - self._clock.now()).total_seconds()
                if wait >= left or not left_over:
                    break
                await asyncio.sleep(wait)
                wait *= 4
            except Exception:  # noqa: BLE001 - it may have left: unknown is not declined
                activity.logger.exception("channel %s failed while sending", payout.channel)
                return await self._record(payout.payout, NO_ANSWER, _lease_key(payout))
            else:
                return await self._record(payout.payout, said, _lease_key(payout))
        return await self._unsent(payout)

    async def _unsent(self, order: PayoutOrder) -> PayoutView:
        """Nothing left under this lease. Under a later lease somebody else may be sending."""
        payout = await self._payout(Subject(PAYOUT, order.payout))
        sending = payout.sending
        if sending is None or sending.send_until != order.send_until:
            return await self._view(payout.subject)
        command = about(
            payout.subject,
            RecordPayoutUnsent,
            id=f"unsent/{order.order_no}/{sending.sends}/{_lease(order)}",
            reason="the channel did not take the order and nothing left",
            sends=sending.sends,
        )
        return view_of(await apply(self._books, command))

    async def _ask(self, order: ActionOrder) -> PayoutView:
        """Ask and record what the channel says. A missing answer is recorded too."""
        payout = await self._payout(order.subject)
        said, wait = Outcome(OutcomeClass.TECH, "UNAVAILABLE"), _FIRST_WAIT_S
        asked_at = self._clock.now()
        for left in reversed(range(_TRIES)):
            asked_at = self._clock.now()
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    said = await self._channel(payout.channel).inquire(payout.order_no)
                break
            except (RailUnavailable, TimeoutError):
                if left:
                    await asyncio.sleep(wait)
                    wait *= 4
            except Exception:  # noqa: BLE001 - an answer that cannot be read is no final outcome
                activity.logger.exception("channel %s failed while inquiring", payout.channel)
                said = Outcome(OutcomeClass.TECH, "UNREADABLE")
                break
        run = f"{order.seen}.{order.run}.{activity.info().attempt}"
        asked = f"inquiry/{order.action.key}/{run}"
        return await self._record(payout.key, said, asked, asked_at)

    async def _record(
        self, key: str, said: Outcome, run: str, asked_at: datetime | None = None
    ) -> PayoutView:
        """Bring an outcome to the books; the same one of one run is the same command."""
        subject = Subject(PAYOUT, key)
        command = about(
            subject,
            RecordPayoutOutcome,
            id=canonical.bounded(f"outcome/{subject}/{run}/{canonical.digest(said)[:16]}"),
            reason=said.code,
            outcome=said,
            source=run.partition("/")[0],
            asked_at=asked_at,
        )
        return view_of(await apply(self._books, command))

    # --- looking up ------------------------------------------------------------------------------

    async def _payout(self, subject: Subject) -> Payout:
        payout = await self._queries.payout(subject.key)
        if payout is None:
            raise ApplicationError(f"the books know no {subject}")
        return payout

    async def _view(self, subject: Subject) -> PayoutView:
        view = await self._queries.view(subject)
        if view is None:
            raise ApplicationError(f"the books know no {subject}")
        return view

    def _channel(self, name: str) -> PayoutChannel:
        try:
            return self._channels[name]
        except KeyError:
            raise ApplicationError(f"this worker does not serve channel {name!r}") from None


def _lessons(
    payout: Payout, page: Sequence[PayoutItem], *, returned: bool, run: int
) -> Iterator[RecordRemitted]:
    """One command for each loan of a page; a loan on two pages has one of each."""
    what = "returned" if returned else "remitted"
    for loan_id, items in groupby(page, key=lambda item: item.loan_id):
        mine = tuple(items)
        first = canonical.digest(mine[0])[:16]
        yield RecordRemitted(
            id=canonical.bounded(f"driver/{payout.subject}/{what}/g{run}/{loan_id}/{first}"),
            actor=driver_of(payout.subject),
            reason=f"payout {payout.key}",
            loan_id=loan_id,
            payout=payout.key,
            party=payout.payee,
            place=payout.place,
            items=mine,
            returned=returned,
        )


def _lease(order: PayoutOrder) -> int:
    return int(order.send_until.timestamp())


def _lease_key(order: PayoutOrder) -> str:
    return f"answer/{_lease(order)}"
