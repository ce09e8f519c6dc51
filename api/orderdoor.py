"""Orders of proven persons: given at once, or asked for until a second person has decided.

The one place where orders of the API and of the command line pass the table of reviews, and where
what was approved is compared once more with what would happen.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from domain.access.approval import (
    Presence,
    Request,
    RequestEvent,
    RequestState,
    approve,
    barred,
    command_digest,
    ended,
    is_due,
    refuse,
    request_of,
)
from domain.access.orders import amount_of, loan_of, right_of
from domain.access.person import EVERYWHERE, Person
from domain.access.preview import Preview
from domain.access.review import REVIEWS, Needed, Review, Spent, review_of
from domain.access.rights import Denied
from domain.case.case import CASE
from domain.case.commands import CaseOrder
from domain.errors import Conflict
from domain.kernel.change import Applied, Refused
from domain.kernel.order import OperatorOrder
from domain.kernel.subject import Subject
from domain.loan.command import OrderCommand
from domain.loan.view import INSTALLMENT, installment
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.commands import AnyOrderOnClosure
from ports.access import AccessEvent, Persons, Portfolios
from ports.clock import Clock
from ports.consolequeries import ConsoleQueries
from ports.driverqueries import DriverQueries
from ports.orderrequests import Asked, OrderRequests, Weighed
from ports.previews import PreviewChanged, Previews

NEEDS_APPROVER = frozenset({"order.approver", "payout.approver"})
"""Rules by which the books refuse an order that nobody has approved."""
_SOMEBODY = "(a second person)"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a request: `outcome` is what the books answered, where it was carried out."""

    request: Request
    outcome: Applied | Refused | None = None


class OrderDoor:
    """Shows, takes and carries out orders."""

    def __init__(
        self,
        books: Previews,
        requests: OrderRequests,
        persons: Persons,
        portfolios: Portfolios,
        queries: ConsoleQueries,
        drivers: DriverQueries,
        clock: Clock,
    ) -> None:
        self._books, self._requests, self._persons = books, requests, persons
        self._portfolios, self._queries, self._drivers = portfolios, queries, drivers
        self._clock = clock

    async def portfolio(self, about: Subject | None) -> str | None:
        """The portfolio of what an order is about; None where the books do not hold it.

        What is about no single loan, as a mandate or a payout, belongs to none: `*`.
        """
        match about:
            case Subject(kind, key) if kind == INSTALLMENT:
                return await self._portfolios.of_loan(key.rpartition("/")[0])
            case Subject(kind, key) if kind == LOAN_CLOSURE:
                return await self._portfolios.of_loan(key)
            case Subject(kind, key) if kind == CASE:
                found = await self._queries.case(key)
                if found is None:
                    return None
                loan_id = found.loan_id
                return EVERYWHERE if loan_id is None else await self._portfolios.of_loan(loan_id)
            case _:
                return EVERYWHERE

    async def preview(self, order: OperatorOrder) -> Preview | Applied | Refused:
        """What an order would change, as if a second person had agreed where one is needed."""
        found = await self._books.preview(order)
        wanted = REVIEWS[order.kind] is Review.FOUR_EYES
        if wanted or (isinstance(found, Refused) and found.rule in NEEDS_APPROVER):
            return await self._books.preview(replace(order, approver=_SOMEBODY))
        return found

    async def give(
        self, order: OperatorOrder, requester: Person, portfolio: str
    ) -> Applied | Refused | Asked:
        """Give an order at once, or ask for it; the same order again gets the same answer.

        Whether the requester has the right to it is seen to by whoever calls.

        Raises:
            Conflict: the id was used for another order.
        """
        if (known := await self._requests.of_command(order.id)) is not None:
            if known.request.command_digest != command_digest(order, requester.id):
                raise Conflict(f"order {order.id} was asked for with another content")
            return known
        first = await self._books.preview(order)
        if isinstance(first, Applied):
            return first
        needs = isinstance(first, Refused) and first.rule in NEEDS_APPROVER
        if isinstance(first, Refused) and (first.replayed or not needs):
            return first if first.replayed else await self._books.apply_as_previewed(order, "")
        shown = await self.preview(order)
        if not isinstance(shown, Preview):
            return shown
        return await self._taken(order, requester, portfolio, shown, needs=needs)

    async def _taken(
        self,
        order: OperatorOrder,
        requester: Person,
        portfolio: str,
        shown: Preview,
        *,
        needs: bool,
    ) -> Applied | Refused | Asked:
        at, loan_id = self._clock.now(), loan_of(order)
        loan = await self._drivers.loan(loan_id) if loan_id else None
        currency, minor = amount_of(order, "" if loan is None else loan.currency)
        weighed = Weighed(order.id, requester.id, loan_id, order.kind, currency, minor, at)

        def ask(spent: Spent) -> Needed:
            return review_of(order.kind, currency, minor, spent, asked=needs)

        def request(needed: Needed) -> Asked:
            name, digest = uuid.uuid4().hex, shown.digest()
            made = request_of(name, order, requester.id, needed.rule, portfolio, digest, at)
            return Asked(made, shown)

        taken = await self._requests.take(weighed, ask, request)
        if isinstance(taken, Asked):
            return taken
        answer = await self._books.apply_as_previewed(order, "")
        if isinstance(answer, Refused):
            await self._requests.drop(order.id)
        return answer

    # --- decisions -------------------------------------------------------------------------------

    async def approve(
        self, request_id: str, by: Presence, preview_digest: str
    ) -> Decision | Denied:
        """Approve a request and carry it out; one that was approved before is carried on with."""
        asked = await self._current(request_id)
        if asked is None:
            return Denied("approval.unknown", "there is no such request")
        known = asked.request
        if known.state is RequestState.APPROVED and known.approver == by.person.id:
            return await self._carry_out(known)
        now = self._clock.now()
        approved = approve(known, by, preview_digest, now)
        if isinstance(approved, Denied):
            return approved
        if not await self._kept(known, approved, by.person.id):
            return Denied("approval.decided", "somebody has decided it meanwhile")
        return await self._carry_out(approved)

    async def refuse(self, request_id: str, by: Presence, why: str) -> Decision | Denied:
        """Refuse a request."""
        asked = await self._current(request_id)
        if asked is None:
            return Denied("approval.unknown", "there is no such request")
        refused = refuse(asked.request, by, why, self._clock.now())
        if isinstance(refused, Denied):
            return refused
        if not await self._kept(asked.request, refused, by.person.id):
            return Denied("approval.decided", "somebody has decided it meanwhile")
        return Decision(refused)

    async def _current(self, request_id: str) -> Asked | None:
        """A request as it stands now: one whose time is over has expired."""
        asked = await self._requests.request(request_id)
        now = self._clock.now()
        if asked is None or not is_due(asked.request, now):
            return asked
        over = ended(asked.request, RequestEvent.EXPIRED, now)
        await self._kept(asked.request, over, "system")
        return await self._requests.request(request_id)

    async def _carry_out(self, approved: Request) -> Decision:
        denied = await self._barred(approved)
        if denied is not None:
            return await self._void(approved, denied.rule, denied.reason)
        order = replace(approved.order, approver=approved.approver)
        try:
            outcome = await self._books.apply_as_previewed(order, approved.preview_digest)
        except PreviewChanged:
            why = "it would change something else than what was shown"
            return await self._void(approved, "approval.preview_changed", why)
        match outcome:
            case Refused():
                void = await self._void(approved, outcome.rule, outcome.reason)
                return replace(void, outcome=outcome)
            case Applied():
                done = ended(approved, RequestEvent.CARRIED_OUT, self._clock.now())
                await self._kept(approved, done, approved.approver)
                return Decision(done, outcome)
            case never:
                assert_never(never)

    async def _barred(self, approved: Request) -> Denied | None:
        requester = await self._persons.person(approved.requester)
        approver = await self._persons.person(approved.approver)
        portfolio = await self.portfolio(about(approved.order))
        if requester is None or approver is None or portfolio is None:
            return Denied("approval.gone", "a person or what it is about is not there any more")
        right = right_of(type(approved.order))
        return barred(approved, requester, approver, portfolio, right)

    async def _void(self, approved: Request, rule: str, reason: str) -> Decision:
        void = ended(approved, RequestEvent.VOIDED, self._clock.now(), f"{rule}: {reason}")
        await self._kept(approved, void, approved.approver, rule)
        return Decision(void)

    async def _kept(self, before: Request, now: Request, who: str, rule: str = "") -> bool:
        event = decision_event(now, who, rule, self._clock.now())
        return await self._requests.decide(before, now, event)


def about(order: OperatorOrder) -> Subject | None:
    """What an order is about; None of mandates and messages, which are of no portfolio."""
    match order:
        case OrderCommand():
            return installment(order.loan_id, order.number)
        case CaseOrder() | AnyOrderOnClosure():
            return order.about()
        case _:
            return None


def decision_event(request: Request, who: str, rule: str, at: datetime) -> AccessEvent:
    """The line of the log about what became of a request."""
    what, about = f"request {request.state}", f"request {request.id}"
    return AccessEvent(at, who, "approval", what, about, "decided", rule)
