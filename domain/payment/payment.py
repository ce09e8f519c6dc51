"""A payment: money that came, or is reported to have come, from one payer."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from domain.payment.portion import Portion


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in one piece, whatever loans it pays. Amounts in minor units.

    `id` is ours. `reference` is what the payer calls a transfer; it may repeat. `bank_ref` is the
    rail's own name of the booking, `return_refs` those that it named as returned. `loans` are
    those in which a portion of it stands, in the order in which they got it; the four sums are
    those of its portions. `settled_minor` and `return_settled_minor` are what booked bank lines
    prove of it and of its return. `inferred`: only its return says that it was taken.
    `unreported_minor` was reported as returned by a bank line only: when the rail reports that
    return later, nothing is booked again. `excess_minor`: reports of returns that go beyond all
    that is known to have come of its order.
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
    return_refs: tuple[str, ...] = ()
    inferred: bool = False
    amount_minor: int = 0
    settled_minor: int = 0
    returned_minor: int = 0
    return_settled_minor: int = 0
    unreported_minor: int = 0
    excess_minor: int = 0
    lines: tuple[str, ...] = ()
    loans: tuple[str, ...] = ()

    @property
    def unsettled_minor(self) -> int:
        """What no booked line proves yet of the money that came."""
        return self.amount_minor - self.settled_minor

    @property
    def returnable_minor(self) -> int:
        """What of it can have come back without a line that shows it."""
        return self.amount_minor - self.return_settled_minor

    @property
    def unproven_return_minor(self) -> int:
        """What of it is said to have gone back, and no line proves it yet."""
        return self.returned_minor - self.return_settled_minor

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
        amount, settled, returned, return_settled = now.sums
        if was is not None:
            known = was.sums
            amount, settled = amount - known[0], settled - known[1]
            returned, return_settled = returned - known[2], return_settled - known[3]
        return replace(
            self,
            amount_minor=self.amount_minor + amount,
            settled_minor=self.settled_minor + settled,
            returned_minor=self.returned_minor + returned,
            return_settled_minor=self.return_settled_minor + return_settled,
            loans=tuple(dict.fromkeys((*self.loans, loan_id))),
        )
