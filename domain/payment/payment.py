"""A payment: money that came, or is reported to have come, from one payer."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from domain.debit.outcome import OutcomeClass
from domain.payment.portion import Portion, Proof, Sums


def debit_payment_id(order_no: str, execution: int = 1) -> str:
    """The id of the payment that a debit order brought, by which execution of the order it was.

    No order number has the sign that comes before the execution.
    """
    return f"R-{order_no}" if execution == 1 else f"R-{order_no}#{execution}"


def is_first_of_order(portion: Portion) -> bool:
    """Whether it is of the payment that the first execution of a debit order brought."""
    return portion.order_no is not None and portion.id == debit_payment_id(portion.order_no)


@dataclass(frozen=True, slots=True)
class Payment(Proof):
    """Money that came in one piece, whatever loans it pays. Amounts in minor units.

    `id` is ours. `reference` is what the payer calls a transfer; it may repeat. `bank_ref` is the
    rail's own name of the booking, `booked_as` all names of one that was brought over with several
    bookings in one sum, and `return_refs` those that it named as returned. `loans` are those in
    which a portion of it stands, in the order in which they got it; the four sums are those of its
    portions. `settled_minor` and `return_settled_minor` are what booked bank lines prove of it and
    of its return. `inferred`: only its return says that it was taken.
    `unreported_minor` was reported as returned by a bank line only: when the rail reports that
    return later, nothing is booked again. `returned_before_minor` went back before it was brought
    over; of that, `retold_minor` has been reported once more since. `excess_minor`: reports of
    returns that go beyond all that is known to have come of its order. `returned_for`: class and
    code of the strictest reason for which some of it went back.
    """

    id: str
    source: str
    payer: str
    currency: str
    value_on: date
    received_at: datetime
    clearing_account: str
    order_no: str | None = None
    reference: str = ""
    bank_ref: str | None = None
    booked_as: tuple[str, ...] = ()
    return_refs: tuple[str, ...] = ()
    inferred: bool = False
    amount_minor: int = 0
    settled_minor: int = 0
    returned_minor: int = 0
    return_settled_minor: int = 0
    returned_before_minor: int = 0
    retold_minor: int = 0
    unreported_minor: int = 0
    excess_minor: int = 0
    returned_for: tuple[OutcomeClass, str] | None = None
    lines: tuple[str, ...] = ()
    loans: tuple[str, ...] = ()

    @property
    def bookings(self) -> tuple[str, ...]:
        """The rail's names of its bookings, as far as they are known."""
        return self.booked_as or ((self.bank_ref,) if self.bank_ref is not None else ())

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was recorded by mistake and taken back: no bank line stands for it."""
        return self.source == "transfer" and self.returned_minor > 0 and not self.lines

    def portion(self, minor: int, number: int | None) -> Portion:
        """A new portion of it, taken for an installment; nothing of it is placed yet."""
        return Portion(
            id=self.id,
            source=self.source,
            amount_minor=minor,
            value_on=self.value_on,
            clearing_account=self.clearing_account,
            number=number,
            order_no=self.order_no,
            waiting_minor=minor,
        )

    def with_portion(self, loan_id: str, was: Portion | None, now: Portion) -> "Payment":
        """The payment once its portion in a loan is another: its sums follow."""
        known, sums = was.sums if was is not None else Sums(), now.sums
        return replace(
            self,
            amount_minor=self.amount_minor + sums.amount - known.amount,
            settled_minor=self.settled_minor + sums.settled - known.settled,
            returned_minor=self.returned_minor + sums.returned - known.returned,
            return_settled_minor=(
                self.return_settled_minor + sums.return_settled - known.return_settled
            ),
            loans=tuple(dict.fromkeys((*self.loans, loan_id))),
        )
