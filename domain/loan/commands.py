"""Commands: everything the books can be asked to do or learn. One frozen dataclass each.

*Evidence* (outcomes, returns, payments, lines, delivery reports, the passing of a day) is never
refused. *Orders* (present, waive, hold ...) can be. Their identity: see `domain.kernel.command`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from domain.case.item import Alike
from domain.case.kinds import OF_WAITING_LINES
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel import canonical
from domain.kernel.command import Command, ReportCommand, Scope
from domain.loan.accounts import OUTSIDE
from domain.loan.aggregate import HoldKind, of_batch, of_order
from domain.loan.charge import Charge
from domain.loan.command import InstallmentCommand, LoanCommand, OrderCommand
from domain.loan.filing import WithdrawDebit
from domain.loan.matching import Also, MatchLine, UndoMatch, WithdrawPayment
from domain.loan.stating import StateOutcome
from domain.payout.casekeys import in_doubt
from domain.pricing.amounts import Component
from domain.statement.statement import StatementLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RollDay(LoanCommand):
    """A local day has begun: book what fell due and penalties, pass gates, start drivers."""

    evidence: ClassVar[bool] = True

    kind: Literal["roll_day"] = "roll_day"
    day: date


# --- the driver's actions ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCommand(InstallmentCommand):
    """An action being performed. `action` is its key; one that has changed is answered Superseded.

    `seen` is the view version that the driver saw (not part of the identity).
    """

    action: str
    generation: int = 1
    seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReminder(ActionCommand):
    """Write a reminder to the outbox."""

    kind: Literal["queue_reminder"] = "queue_reminder"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntendDebit(ActionCommand):
    """Fix order number, merchant and amount before anything is sent."""

    kind: Literal["intend_debit"] = "intend_debit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(ActionCommand):
    """Open a case for money that is still unproven at its deadline."""

    kind: Literal["review"] = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSend(InstallmentCommand):
    """Take the sender's lease of a live order again, to send the same number once more."""

    kind: Literal["renew_send"] = "renew_send"
    order_no: str


# --- evidence ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome(ReportCommand):
    """What a rail said about an order: answer, webhook or inquiry (`source`).

    `asked_at`: when the inquiry left, by which *not found* is judged; no part of the identity.
    """

    kind: Literal["record_outcome"] = "record_outcome"
    rail: str
    order_no: str
    outcome: Outcome
    source: str
    asked_at: datetime | None = None

    def scope(self) -> Scope:
        """Found by order number; with the lines of its batch and returns that came first."""
        batch = (of_batch(self.outcome.batch_ref),) if self.outcome.batch_ref else ()
        return Scope(orders=(self.order_no,), waiting=(*batch, of_order(self.order_no)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUnsent(Command):
    """The order provably never left: the same number may be sent again later."""

    evidence: ClassVar[bool] = True

    kind: Literal["record_unsent"] = "record_unsent"
    order_no: str
    sends: int

    def scope(self) -> Scope:
        """Found by order number."""
        return Scope(orders=(self.order_no,))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReturn(ReportCommand):
    """A rail reports that a confirmed debit was taken back."""

    kind: Literal["record_return"] = "record_return"
    rail: str
    order_no: str
    bank_ref: str | None
    amount_minor: int
    outcome_class: OutcomeClass
    code: str
    returned_on: date
    currency: str | None = field(default=None, metadata=canonical.ADDED_LATER)

    def dedup_key(self) -> str | None:
        """One return of one booking is one fact, or two that nothing in them tells apart."""
        what = canonical.digest((self.bank_ref, self.amount_minor, self.code, self.returned_on))
        return f"return/{self.rail}/{self.order_no}/{what[:16]}"

    def scope(self) -> Scope:
        """Found by order number; with the lines of returns that came first."""
        return Scope(orders=(self.order_no,), waiting=(of_order(self.order_no),))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeliveryReport(ReportCommand):
    """A carrier reports what became of a message, and by which `channel` it went, if it says so."""

    kind: Literal["record_delivery_report"] = "record_delivery_report"
    message_id: str
    delivered: bool
    channel: str = ""

    def dedup_key(self) -> str | None:
        """One report of one kind about one message."""
        return f"notice/{self.message_id}/{'delivered' if self.delivered else 'failed'}"

    def scope(self) -> Scope:
        """Found by message id."""
        return Scope(messages=(self.message_id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine(Command):
    """A booked bank line of an end-of-day statement.

    `file` is the hash of the file that it came in; it is no part of what the line says.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["book_line"] = "book_line"
    statement_id: str
    line: StatementLine
    file: str = ""

    @property
    def alike(self) -> tuple[Alike, ...]:
        """What it may have in common with lines of its file that nothing explains either."""
        kinds = OF_WAITING_LINES if self.file else ()
        return tuple(Alike(kind, self.line.currency, self.file) for kind in kinds)

    def dedup_key(self) -> str | None:
        """A line that says the same counts once, whatever file brings it."""
        return f"line/{self.line.id}/{canonical.digest(self.line)[:16]}"

    def scope(self) -> Scope:
        """Found by the references in the line; with returns that wait for news of its orders."""
        items = self.line.items
        named = tuple(sorted({ref for item in items for ref in item.references}))
        # What leaves may be a payout whose return came first, and waits on its line.
        leaves = {ref for item in items if item.amount_minor < 0 for ref in item.references}
        return Scope(
            under_mandates=tuple(sorted({i.mandate_ref for i in items if i.mandate_ref})),
            orders=named,
            batches=(self.line.batch_ref,) if self.line.batch_ref else (),
            payments=named,
            lines=(self.line.id,),
            payouts=named,
            waiting=(*map(of_order, named), *sorted(leaves)),
            groups=tuple(alike.group for alike in self.alike),
            cases=(
                f"{OUTSIDE}{self.line.account}",
                *(alike.case for alike in self.alike),
                *(in_doubt(ref) for ref in sorted(leaves)),
            ),
        )


# --- orders of operators and upstream ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(OrderCommand):
    """Stop new debits, contact, or both."""

    story: ClassVar[str] = "hold ordered"

    kind: Literal["hold"] = "hold"
    what: HoldKind = HoldKind.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhold(OrderCommand):
    """End a hold."""

    story: ClassVar[str] = "end of hold ordered"

    kind: Literal["unhold"] = "unhold"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNow(OrderCommand):
    """Present again at the next slot that the rail allows; refused while rules bar it."""

    story: ClassVar[str] = "new attempt ordered"

    kind: Literal["retry_now"] = "retry_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment(OrderCommand):
    """Record money that came another way, such as a transfer; a bank line will prove it.

    The amount is in minor units. `also` names other loans of the same payer that it pays too.
    """

    story: ClassVar[str] = "payment recorded"

    kind: Literal["record_payment"] = "record_payment"
    reference: str
    amount_minor: int
    currency: str
    value_on: date
    also: tuple[Also, ...] = ()

    def scope(self) -> Scope:
        """Its loans, payments of that name that are known, and lines that brought it."""
        refs = (self.reference,)
        loans = (self.loan_id, *(other.loan_id for other in self.also))
        return Scope(loans=loans, payments=refs, waiting=refs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDate(OrderCommand):
    """Move the due date."""

    story: ClassVar[str] = "change of due date ordered"

    kind: Literal["change_date"] = "change_date"
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Waive(OrderCommand):
    """Forgive part of one component of what is owed; the amount is in minor units."""

    story: ClassVar[str] = "waiver ordered"

    kind: Literal["waive"] = "waive"
    component: Component
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(OrderCommand):
    """Cancel an installment: it is never to be collected."""

    story: ClassVar[str] = "cancellation ordered"

    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff(OrderCommand):
    """Write off what is owed; it stays collectable."""

    story: ClassVar[str] = "write-off ordered"

    kind: Literal["write_off"] = "write_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseOperator(OrderCommand):
    """Ask for a person: the driver cannot go on by itself."""

    evidence: ClassVar[bool] = True

    kind: Literal["raise_operator"] = "raise_operator"


Matching = MatchLine | UndoMatch | WithdrawPayment
MoneyOrder = RecordPayment | Matching | Waive | Charge
DebitOrders = RetryNow | WithdrawDebit | StateOutcome
Order = Hold | Unhold | DebitOrders | MoneyOrder | ChangeDate | Cancel | WriteOff
ORDERS: Mapping[str, type[Order]] = MappingProxyType(
    {item.pinned(): item for item in get_args(Order)}
)
"""Every order of operators and upstream by its kind."""
