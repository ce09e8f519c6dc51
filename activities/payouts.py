"""Activities of payouts: intent, one send and its outcome; inquiry; what loans learn; the sweep.

The intent is committed before the first byte leaves. Whoever finds one that was committed before
(a replayed answer) may not be the first to send it, and asks the channel: a payout is never sent
again unless it provably never left.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.actions import ActionOrder, about, driver_of
from activities.answers import apply, view_of
from activities.shielded import heartbeats, shielded
from activities.subjects import ViewQueries
from domain.calendar import Adjust, local_day
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass
from domain.kernel import canonical
from domain.kernel.change import Applied, Refused
from domain.kernel.subject import Subject
from domain.loan.remitting import LOANS_MOST, RecordRemitted, SetOff
from domain.payout.agenda import PayoutAction, PayoutRules
from domain.payout.commands import (
    EscalateRefund,
    InstructPayout,
    RecordLearnt,
    RecordPayoutOutcome,
    RecordPayoutUnsent,
    RecordShortfall,
    RequestPayout,
    RequestRefund,
    ReviewPayout,
)
from domain.payout.items import PayoutItem
from domain.payout.payout import PAYOUT, Payout, PayoutOrder, PayoutOrdered
from domain.payout.view import PayoutView
from ports.books import Books
from ports.clock import Clock
from ports.payoutchannel import PayoutChannel
from ports.payoutqueries import PayoutQueries, Remittable
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


@dataclass(frozen=True, slots=True)
class Remitted:
    """What a sweep did: set-offs, payouts and refunds requested, what was refused or failed."""

    set_off: int = 0
    requested: int = 0
    refunds: int = 0
    refused: int = 0
    failed: int = 0


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


class RemittanceActivities:
    """Requests what is due at each payee's cut-off, after what it owes was set off.

    Args:
        books: where requests go in.
        queries: where open items are summed.
        rules: the policy of payees and its calendars.
        clock: says which cut-off was the last.
    """

    def __init__(
        self, books: Books, queries: PayoutQueries, rules: PayoutRules, clock: Clock
    ) -> None:
        self._books, self._queries, self._rules, self._clock = books, queries, rules, clock

    @activity.defn(name="payouts.remit")
    async def remit(self) -> Remitted:
        """Set off, then request one payout for each payee, currency and account with a cut-off.

        One that fails is counted and logged; it holds up no other. What was requested for a cut-off
        is not requested again for it.
        """
        async with heartbeats():
            return await self.once()

    async def once(self, as_of: date | None = None) -> Remitted:
        """One round, also outside of an activity; `as_of`: for the cut-offs of an earlier day."""
        done = await self._refund(Remitted())
        if not self._rules.policy.payees:
            return done
        done = await self._set_off(done)
        for one in await self._queries.remittable(tuple(sorted(self._rules.policy.payees))):
            done = await self._request(one, done, as_of)
        for one in await self._queries.unremitted():
            done = await self._compare(one, done)
        return done

    async def _compare(self, one: Remittable, done: Remitted) -> Remitted:
        """Completeness: what was due at the last cut-off and no payout has taken is a shortfall.

        Of a party that the policy does not name everything is one. What is due since the day of
        the cut-off may have come after it.
        """
        policy, now = self._rules.policy.payees.get(one.party), self._clock.now()
        day, minor = now.date(), one.minor
        if policy is not None:
            calendar = self._rules.calendar(policy.calendar)
            day = policy.cut_off_before(now, calendar)
            waits = policy.is_too_little(one.minor, one.oldest_on, day, calendar)
            minor = 0 if waits or one.oldest_on >= day else one.minor
        command = RecordShortfall(
            id=canonical.bounded(
                f"driver/shortfall/{one.party}/{one.currency}/{one.account}/{day}/{minor}"
            ),
            actor=driver_of(Subject(PAYOUT, one.party)),
            reason=f"completeness at the cut-off of {day}",
            party=one.party,
            currency=one.currency,
            account=one.account,
            cut_off_on=day,
            minor=minor,
        )
        return await self._give(command, done, done)

    async def _refund(self, done: Remitted) -> Remitted:
        """Request the refund of what payers are not owed for, each payment once a day at most."""
        policy, after = self._rules.policy.refunds, ""
        if policy is None:
            return done
        calendar = self._rules.calendar(policy.calendar)
        today = local_day(self._clock.now(), policy.timezone)
        while page := await self._queries.refundable(after, PAGE):
            after = page[-1].payment
            for one in page:
                ready_on = calendar.add_banking_days(one.value_on, policy.after_banking_days)
                if ready_on > today:
                    continue
                number = one.requests + 1
                command = RequestRefund(
                    id=canonical.bounded(f"driver/refund/{one.payment}/{number}/{today}"),
                    actor=driver_of(Subject(PAYOUT, one.payment)),
                    reason="nothing that is owed can take it",
                    payment=one.payment,
                    number=number,
                )
                done = await self._give(command, done, replace(done, refunds=done.refunds + 1))
        return done

    async def _set_off(self, done: Remitted) -> Remitted:
        for party, currency, account in await self._queries.owing():
            loans = await self._queries.loans_to_set_off(party, currency, account, LOANS_MOST)
            now = self._clock.now()
            command = SetOff(
                id=canonical.bounded(f"driver/set_off/{party}/{account}/{now.isoformat()}"),
                actor=driver_of(Subject(PAYOUT, party)),
                reason="what is due pays what is to be given back",
                party=party,
                currency=currency,
                account=account,
                loans=loans,
            )
            done = await self._give(command, done, replace(done, set_off=done.set_off + 1))
        return done

    async def _request(self, one: Remittable, done: Remitted, as_of: date | None) -> Remitted:
        policy = self._rules.policy.payees[one.party]
        calendar = self._rules.calendar(policy.calendar)
        day = policy.cut_off_before(self._clock.now(), calendar)
        if as_of is not None:
            day = min(day, calendar.adjust(as_of, Adjust.PRECEDING))
        known = await self._queries.requests_of(one.party, one.currency, one.account, day)
        if known or policy.is_too_little(one.minor, one.oldest_on, day, calendar):
            return done
        now = self._clock.now()
        key = f"{one.party}/{one.currency}/{one.account}/{day}/{now.isoformat()}"
        command = RequestPayout(
            id=canonical.bounded(f"driver/remit/{key}"),
            actor=driver_of(Subject(PAYOUT, one.party)),
            reason=f"cut-off of {day}",
            payee=one.party,
            currency=one.currency,
            account=one.account,
            cut_off_on=day,
        )
        return await self._give(command, done, replace(done, requested=done.requested + 1))

    async def _give(
        self,
        command: RequestPayout | RequestRefund | SetOff | RecordShortfall,
        done: Remitted,
        counted: Remitted,
    ) -> Remitted:
        """Apply one command; `counted` is `done` with it."""
        try:
            answer = await self._books.apply(command)
        except Exception:  # noqa: BLE001  (one that fails holds up no other)
            activity.logger.exception("%s failed", command.kind)
            return replace(done, failed=done.failed + 1)
        if isinstance(answer, Refused):
            activity.logger.info("%s refused by %s", command.kind, answer.rule)
            return replace(done, refused=done.refused + 1)
        return counted


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
