"""What a loan in progress brings from the system that kept it before: its opening.

Facts up to the end of the day `as_of` are the former system's and are taken as it states them; the
days after it are ours. Nothing of the past is computed again: what was paid, waived, written off
and charged as penalty is stated, and what is left follows.
"""

from dataclasses import dataclass
from datetime import date

from domain.debit.attempt import AttemptState
from domain.debit.mandate import Bar
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import HoldKind
from domain.pricing.amounts import Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPart:
    """The part of one payment that the former system allocated to one installment."""

    number: int
    amounts: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPayment:
    """Money that the former system took and placed.

    Attributes:
        on: its value date; None for a sum of payments whose dates are not stated. Each
            installment in such a sum counts as paid on its due date.
        parts: where it went, each installment once, in order of their numbers.
        order_no: the debit order that brought it, one of the opening's attempts; empty for others.
        reference: what the payer or the former system calls it.
        unplaced_minor: what of a debit nothing owed could take, as of one that was executed twice.
            It waits in suspense, with a case, and pays nothing but the debit's own installment.
        returned_minor: what of a debit was taken back, where the rest of it was kept.
        bank_refs: the rail's own names of all bookings of the debit, one for each execution; none
            where they are not known.
    """

    on: date | None = None
    parts: tuple[OpeningPart, ...] = ()
    order_no: str = ""
    reference: str = ""
    unplaced_minor: int = 0
    returned_minor: int = 0
    bank_refs: tuple[str, ...] = ()

    @property
    def placed_minor(self) -> int:
        """What of it pays installments, in minor units."""
        return sum(part.amounts.total for part in self.parts)

    @property
    def taken_minor(self) -> int:
        """All that came of it, in minor units, whatever went back."""
        return self.placed_minor + self.unplaced_minor + self.returned_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningAttempt:
    """A debit that the former system ordered.

    Attributes:
        number: the installment.
        order_no: the number by which the rail knows it; unique in the books.
        mandate_ref: the mandate that it was made under; the loan's today or an earlier one.
        value_on: the day that it was ordered for.
        amount_minor: what was asked for; of one that took money, what it took.
        state: where it stands; ACCEPTED or UNKNOWN where no final outcome is known yet: the rail
            is inquired about it. A RETURNED one was taken back whole, unless a payment names it.
        outcome_class, code: why it failed or came back, in our classes and in the rail's code. A
            CONFIRMED one has a class of failures where the rail also said that it was refused, or
            took back one of several executions of it.
        is_cleared: two people have cleared its mandate since, so its reason bars nothing.
        counts: whether the retry plan counts it; False where the plan was begun anew after it, None
            where nobody says.
    """

    number: int
    order_no: str
    mandate_ref: str
    value_on: date
    amount_minor: int
    state: AttemptState
    outcome_class: OutcomeClass | None = None
    code: str = ""
    is_cleared: bool = False
    counts: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningAdvance:
    """A part of what was paid ahead that has a reference of its own; it waits for `number`."""

    number: int
    minor: int
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningItem:
    """What else the former system did to one installment. Amounts in minor units.

    Attributes:
        charged: what it charged besides the schedule, be it paid, waived or still owed: the penalty
            in all, fees and costs.
        waived: what it forgave.
        written_off_on: when it wrote off what was left; None where it did not. What was paid since
            has recovered it.
        is_cancelled: it is never to be collected; nothing of it was paid or waived.
    """

    number: int
    charged: Amounts = Amounts()
    waived: Amounts = Amounts()
    written_off_on: date | None = None
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningHold:
    """A stop that somebody has put on one installment, or on all of a loan.

    Attributes:
        number: the installment; None for the loan: every installment that is not cancelled. One
            that is paid is held as well, for its money may come back.
        kind: what it stops.
        reason: why, in plain text.
        since: the day of it; None where nobody knows.
    """

    number: int | None = None
    kind: HoldKind
    reason: str
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The history of a loan as the former system states it.

    Attributes:
        as_of: the last day whose facts are in it, in the zone of the product.
        holder: the party that took the money so far; its account is `opening/{holder}`.
        evidence: what the former system calls the proof of its statement.
        payments: oldest first.
        attempts: by installment, oldest first.
        items: installments that had a charge or a waiver, or were written off or cancelled, by
            number.
        advance_minor: paid ahead in all and not placed yet. It lies with the holder until bank
            lines show it on one of our accounts.
        advance_ref: the reference under which what is no part of `advances` is expected.
        advances: parts of it that are expected under references of their own.
        holds: of the loan first, then of installments, by number, each once.
        bars: why nothing may be debited under the mandate of the loan, whatever loan the orders are
            of.
    """

    as_of: date
    holder: str
    evidence: str
    payments: tuple[OpeningPayment, ...] = ()
    attempts: tuple[OpeningAttempt, ...] = ()
    items: tuple[OpeningItem, ...] = ()
    advance_minor: int = 0
    advance_ref: str = ""
    advances: tuple[OpeningAdvance, ...] = ()
    holds: tuple[OpeningHold, ...] = ()
    bars: tuple[Bar, ...] = ()
