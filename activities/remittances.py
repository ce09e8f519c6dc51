"""The sweep of money that goes out: set-offs, remittances at cut-offs, refunds, completeness."""

from dataclasses import dataclass, replace
from datetime import date

from temporalio import activity

from activities.actions import driver_of
from activities.shielded import heartbeats
from domain.calendar import Adjust, local_day
from domain.kernel import canonical
from domain.kernel.change import Refused
from domain.kernel.subject import Subject
from domain.loan.remitting import LOANS_MOST, SetOff
from domain.payout.agenda import PayoutRules
from domain.payout.commands import RecordShortfall, RequestPayout, RequestRefund
from domain.payout.payout import PAYOUT
from ports.books import Books
from ports.clock import Clock
from ports.payoutqueries import PayoutQueries, Remittable

PAGE = 1_000
"""Payments that are looked at together for a refund."""


@dataclass(frozen=True, slots=True)
class Remitted:
    """What a sweep did: set-offs, payouts and refunds requested, what was refused or failed."""

    set_off: int = 0
    requested: int = 0
    refunds: int = 0
    refused: int = 0
    failed: int = 0


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
