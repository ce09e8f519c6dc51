"""Activities of the closure of a loan: each leg asked for, asked about, signed, told or sealed.

A request is booked with its reference before it leaves. Whoever is asked knows it by that, so that
a request may be sent again after any fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.actions import ActionOrder, about, driver_of
from activities.answers import apply, view_of
from activities.shielded import heartbeats, shielded
from activities.subjects import ViewQueries
from domain.calendar import local_day
from domain.errors import InvariantBroken
from domain.kernel import canonical
from domain.kernel.change import Refused
from domain.loan.aggregate import Loan
from domain.loan.mandates import RecordMandateEnded
from domain.loanclosure.certificate import Settlement
from domain.loanclosure.closure import LegOrdered, LoanClosure
from domain.loanclosure.commands import (
    BeginLeg,
    LegNews,
    LegStatus,
    RecordCertificate,
    RecordLegNews,
    RecordSealed,
    ReviewLeg,
)
from domain.loanclosure.rules import LegKind
from domain.loanclosure.view import ClosureView
from ports.books import Books
from ports.bureaus import Bureau, BureauReport, ReportKind
from ports.checkpoints import Checkpoints
from ports.clock import Clock
from ports.rail import Rail, RailUnavailable
from ports.signing import Signer

_REPORTS = {
    LegKind.TELL_BUREAU: ReportKind.SETTLED,
    LegKind.CORRECT_BUREAU: ReportKind.CORRECTED,
    LegKind.RELEASE_GUARANTOR: ReportKind.RELEASED,
    LegKind.STOP_COLLECTION: ReportKind.RELEASED,
    LegKind.RECALL_GUARANTOR: ReportKind.RECALLED,
}
ENDED_CODE = "CLOSED"
"""Code of the end of a mandate whose loans are all settled."""


class QueriesOfClosures(ViewQueries, Protocol):
    """The part of `ports.driverqueries.DriverQueries` that closures need."""

    async def loan(self, loan_id: str) -> Loan | None:
        """The whole aggregate."""
        ...

    async def unsettled_under(self, mandate: str, besides: str) -> int:
        """Installments of other loans under a mandate that are not settled."""
        ...


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs certificates: the key, and the name by which borrowers know the issuer."""

    signer: Signer
    name: str


class ClosureActivities:
    """Performs the actions of closures; it never decides what comes next.

    Args:
        books: the door of drivers.
        queries: where loans are read.
        rails: those that this worker reaches, by name.
        bureaus: bureaus, guarantors and agencies that are told about loans, by name.
        issuer: None where this installation signs no certificates.
        checkpoints: where heads of the ledger are signed.
        clock: the books' clock.
    """

    def __init__(
        self,
        books: Books,
        queries: QueriesOfClosures,
        rails: Mapping[str, Rail],
        bureaus: Mapping[str, Bureau],
        issuer: Issuer | None,
        checkpoints: Checkpoints,
        clock: Clock,
    ) -> None:
        self._books, self._queries, self._clock = books, queries, clock
        self._rails, self._bureaus = rails, bureaus
        self._issuer, self._checkpoints = issuer, checkpoints

    @activity.defn(name="closures.request")
    async def request(self, order: ActionOrder) -> ClosureView:
        """Ask a counterparty for a leg, and record what it says."""
        async with heartbeats():
            return await shielded(self._request(order, again=False))

    @activity.defn(name="closures.ask")
    async def ask(self, order: ActionOrder) -> ClosureView:
        """Ask what became of a request; one that never arrived is sent again."""
        async with heartbeats():
            return await shielded(self._request(order, again=True))

    @activity.defn(name="closures.end_mandate")
    async def end_mandate(self, order: ActionOrder) -> ClosureView:
        """End the mandate at the rail, unless another loan needs it."""
        async with heartbeats():
            return await shielded(self._end_mandate(order))

    @activity.defn(name="closures.issue")
    async def issue(self, order: ActionOrder) -> ClosureView:
        """Sign the certificate of settlement and record it."""
        async with heartbeats():
            return await shielded(self._issue(order))

    @activity.defn(name="closures.tell")
    async def tell(self, order: ActionOrder) -> ClosureView:
        """Queue the message to the borrower."""
        return view_of(await apply(self._books, order.command(BeginLeg)))

    @activity.defn(name="closures.review")
    async def review(self, order: ActionOrder) -> ClosureView:
        """Have a person look at a leg that is late."""
        return view_of(await apply(self._books, order.command(ReviewLeg)))

    @activity.defn(name="closures.seal")
    async def seal(self, order: ActionOrder) -> ClosureView:
        """Have a signed head of the ledger cover the closure."""
        async with heartbeats():
            try:
                kept = await self._checkpoints.seal()
            except InvariantBroken as error:
                raise ApplicationError(str(error), type="JournalFaulty") from None
        if kept is None:
            raise ApplicationError("the journal is empty", type="JournalFaulty")
        head = kept.checkpoint.head
        command = about(
            order.subject,
            RecordSealed,
            id=order.command_id,
            reason=order.action.reason,
            action=order.action.key,
            generation=order.generation,
            seen=order.seen,
            size=head.size,
            root=head.root.hex(),
        )
        return view_of(await apply(self._books, command))

    # --- legs ------------------------------------------------------------------------------------

    async def _request(self, order: ActionOrder, *, again: bool) -> ClosureView:
        begun, view = await self._begin(order)
        if begun is None:
            return view
        loan, closure = await self._loan(order)
        bureau = self._bureau(loan, begun.leg)
        said = await bureau.inquire(begun.reference) if again else None
        if said is None:
            said = await bureau.report(_report(loan, closure, begun))
        return await self._record(order, begun.reference, said)

    async def _end_mandate(self, order: ActionOrder) -> ClosureView:
        begun, view = await self._begin(order)
        if begun is None:
            return view
        loan, _ = await self._loan(order)
        ref = loan.mandate.ref
        if others := await self._queries.unsettled_under(ref, loan.id):
            why = f"{others} installments of other loans are under it"
            unneeded = LegNews(LegStatus.NOT_NEEDED, proof=why)
            return await self._record(order, begun.reference, unneeded)
        rail = self._rails.get(loan.mandate.rail)
        if rail is None:
            raise ApplicationError(f"this worker does not serve rail {loan.mandate.rail!r}")
        try:
            await rail.end_mandate(ref)
        except RailUnavailable as fault:
            said = LegNews(LegStatus.UNKNOWN, fault.why)
            return await self._record(order, begun.reference, said)
        ended_on = local_day(self._clock.now(), loan.product.timezone)
        await apply(
            self._books,
            RecordMandateEnded(
                id=canonical.bounded(f"driver/{order.subject}/mandate/{begun.reference}"),
                actor=driver_of(order.subject),
                reason="every loan under it is settled",
                rail=loan.mandate.rail,
                mandate=ref,
                ended_on=ended_on,
                code=ENDED_CODE,
                source="closure",
            ),
        )
        done = LegNews(LegStatus.DONE, proof=f"ended at {loan.mandate.rail}")
        return await self._record(order, begun.reference, done)

    async def _issue(self, order: ActionOrder) -> ClosureView:
        if self._issuer is None:
            raise ApplicationError("no key signs certificates here", type="InvalidInput")
        begun, view = await self._begin(order)
        if begun is None:
            return view
        loan, closure = await self._loan(order)
        today = local_day(self._clock.now(), loan.product.timezone)
        signed = signed_settlement(loan, closure, self._issuer, today)
        command = about(
            order.subject,
            RecordCertificate,
            id=canonical.bounded(f"{order.command_id}/signed/{canonical.digest(signed)[:16]}"),
            reason="signed",
            **signed,
        )
        return view_of(await apply(self._books, command))

    async def _begin(self, order: ActionOrder) -> tuple[LegOrdered | None, ClosureView]:
        """Book that a leg is asked for; None where that is not what comes next any more."""
        answer = await apply(self._books, order.command(BeginLeg))
        view: ClosureView = view_of(answer)
        if isinstance(answer, Refused) or not isinstance(answer.answer, LegOrdered):
            return None, view
        return answer.answer, view

    async def _record(self, order: ActionOrder, reference: str, said: LegNews) -> ClosureView:
        """Bring news to the books; the same news of one run is the same command."""
        run = f"{order.action.key}/{order.seen}.{order.run}/{canonical.digest(said)[:16]}"
        command = about(
            order.subject,
            RecordLegNews,
            id=canonical.bounded(f"driver/{order.subject}/news/{reference}/{run}"),
            reason=said.code or said.status.value,
            reference=reference,
            news=said,
        )
        return view_of(await apply(self._books, command))

    async def _loan(self, order: ActionOrder) -> tuple[Loan, LoanClosure]:
        loan = await self._queries.loan(order.subject.key)
        if loan is None or loan.closing is None:
            raise ApplicationError(f"the books know no {order.subject}")
        return loan, loan.closing

    def _bureau(self, loan: Loan, leg: LegKind) -> Bureau:
        rules = loan.product.closing
        name = "" if rules is None else rules.rule(leg).channel
        try:
            return self._bureaus[name]
        except KeyError:
            raise ApplicationError(f"this worker does not reach {name!r}") from None


def signed_settlement(
    loan: Loan, closure: LoanClosure, issuer: Issuer, today: date
) -> dict[str, Any]:
    """Text, key, signature and generation of a certificate: the content of its command."""
    text = Settlement(
        loan_id=loan.id,
        borrower=loan.borrower,
        currency=loan.currency,
        principal_minor=loan.principal_minor,
        installments=len(loan.installments),
        disbursed_on=loan.disbursed_on,
        settled_on=closure.value_on,
        generation=closure.generation,
        issuer=issuer.name,
        issued_on=today,
        language=loan.product.language,
    ).text()
    return {
        "generation": closure.generation,
        "text": text,
        "key": issuer.signer.public.hex(),
        "signature": issuer.signer.sign(text.encode()).hex(),
    }


def _report(loan: Loan, closure: LoanClosure, begun: LegOrdered) -> BureauReport:
    """What is told about a loan; the same for every send of one reference."""
    kind = _REPORTS[begun.leg]
    leg = closure.leg(begun.leg)
    settled = kind in {ReportKind.SETTLED, ReportKind.RELEASED}
    began = closure.since if leg is None else leg.began_at
    return BureauReport(
        reference=begun.reference,
        kind=kind,
        loan_id=loan.id,
        borrower=loan.borrower,
        currency=loan.currency,
        principal_minor=loan.principal_minor,
        owed_minor=0 if settled else sum(item.owed.total for item in loan.installments),
        disbursed_on=loan.disbursed_on,
        as_of=closure.value_on if settled else local_day(began, loan.product.timezone),
    )
