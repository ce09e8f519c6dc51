"""What of a payment stands in one loan: how it is allocated, what waits, and what is proven."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from domain.pricing.amounts import Component


@dataclass(frozen=True, slots=True)
class Allocated:
    """Money of one portion that went to one component of one installment.

    `shares` says how much of it each party got, in minor units; they sum to `minor`. A return takes
    back exactly these.
    """

    number: int
    component: Component
    minor: int
    shares: tuple[tuple[str, int], ...] = ()

    def share_of(self, party: str) -> int:
        """Minor units that one party got of it."""
        return dict(self.shares).get(party, 0)


class ShareFate(StrEnum):
    """What became of a share that was due to a party at a place."""

    REMITTED = "remitted"
    """A payout took it to its party."""
    TAKEN_BACK = "taken_back"
    """It was taken back after a payout had taken it: its party must give it back."""
    SET_OFF = "set_off"
    """It was not paid, since its party owed as much."""
    RECOVERED = "recovered"
    """What its party had to give back was set off against another share."""


class ShareItem(NamedTuple):
    """A party's share of one component of one installment, at a place."""

    number: int
    component: str
    party: str
    place: str


class ShareMove(NamedTuple):
    """What became of a share: minor units. `ref`: the payout by which, empty where by none."""

    fate: ShareFate
    ref: str
    item: ShareItem
    minor: int


class RefundStage(StrEnum):
    """How far money of a portion has come on its way back to its payer."""

    RESERVED = "reserved"
    """It still waits in suspense, and pays nothing else."""
    ORDERED = "ordered"
    """An order to pay it is out."""
    PROVEN = "proven"
    """A booked line shows that it left."""


class RefundPart(NamedTuple):
    """What a refund takes of a portion: minor units from one bank account."""

    payout: str
    account: str
    minor: int
    stage: RefundStage


BROUGHT_OVER, BROUGHT_SUM = "brought_over", "brought_sum"
"""Sources of money that a former system took, placed and passed on before a loan came here: a
payment with a value date, and a sum of payments whose dates are not known. The named evidence of
the opening proves it, it stays where the former system placed it, and it lies with the opening
holder."""


class Sums(NamedTuple):
    """The amounts of a portion that its payment sums up, in minor units."""

    amount: int = 0
    settled: int = 0
    returned: int = 0
    return_settled: int = 0


class Proof:
    """What booked bank lines prove of money that came and went back, and what they do not."""

    __slots__ = ()

    source: str
    clearing_account: str
    order_no: str | None
    amount_minor: int
    settled_minor: int
    returned_minor: int
    return_settled_minor: int
    returned_before_minor: int

    @property
    def is_debit(self) -> bool:
        """Whether a debit order brought it, ours or a former system's."""
        return self.order_no is not None

    @property
    def is_brought_over(self) -> bool:
        """Whether a former system took it, placed it and passed it on."""
        return self.source in {BROUGHT_OVER, BROUGHT_SUM}

    @property
    def holder(self) -> str:
        """The former system that holds it until it is remitted to us; empty: none does.

        What such a system took and passed on itself is never remitted.
        """
        family, _, party = self.clearing_account.partition("/")
        return party if family == "opening" and not self.is_brought_over else ""

    @property
    def unsettled_minor(self) -> int:
        """What no booked line shows yet of the money that came, and one may.

        The line of a former system's debit may come to an account of ours. What it had otherwise
        came to it alone: a line that names the same reference is other money.
        """
        if self.is_brought_over and not self.is_debit:
            return 0
        return self.amount_minor - self.settled_minor

    @property
    def returnable_minor(self) -> int:
        """What of it can have come back without a line that shows it."""
        return self.amount_minor - self.return_settled_minor

    @property
    def unshown_return_minor(self) -> int:
        """What of it went back, and no line shows on an account of ours."""
        return self.returned_minor - self.return_settled_minor

    @property
    def unproven_return_minor(self) -> int:
        """What of it is said to have gone back, and nothing proves it yet.

        What went back before it was brought over is proven by the opening.
        """
        back = self.unshown_return_minor
        return max(0, back - self.returned_before_minor) if self.returned_before_minor else back


@dataclass(frozen=True, slots=True)
class Portion(Proof):
    """What of one payment stands in one loan. Amounts in minor units.

    `id`, `source`, `value_on`, `clearing_account` and `order_no` are the payment's. `amount_minor`
    = allocated + waiting + advance + returned + refunds, less what its payer owes back. `number` is
    the installment that it was taken for. `settled_minor` and `return_settled_minor` are what
    booked bank lines prove of it and of its return; what they and the amounts say changes only
    while loan and payment are both locked, so that most commands need the loan alone.
    `returned_before_minor` of what was returned went back before it was brought over; `taken_back`
    is what of it went back since, newest last.
    """

    id: str
    source: str
    amount_minor: int
    value_on: date
    clearing_account: str
    number: int | None = None
    order_no: str | None = None
    allocations: tuple[Allocated, ...] = ()
    waiting_minor: int = 0
    advance_minor: int = 0
    settled_minor: int = 0
    returned_minor: int = 0
    return_settled_minor: int = 0
    returned_before_minor: int = 0
    taken_back: tuple[Allocated, ...] = ()
    proven_on: tuple[tuple[str, int], ...] = ()
    """What booked lines prove by bank account: money that came less money that went back."""
    moves: tuple[ShareMove, ...] = ()
    """What became of its shares at payouts and set-offs, as far as the loan has learnt."""
    refunds: tuple[RefundPart, ...] = ()
    """What of it goes back, or went back, to its payer by refunds."""

    @property
    def cash(self) -> dict[str, int]:
        """What booked lines show by bank account, after returns and less ordered refunds."""
        found = dict(self.proven_on)
        for part in self.refunds:
            if part.stage is not RefundStage.RESERVED:
                found[part.account] = found.get(part.account, 0) - part.minor
        return found

    def cash_on(self, account: str) -> int:
        """Minor units of `cash` on one bank account."""
        return self.cash.get(account, 0)

    @property
    def reserved_minor(self) -> int:
        """What of it waits in suspense to be refunded, and pays nothing else."""
        return sum(p.minor for p in self.refunds if p.stage is RefundStage.RESERVED)

    @property
    def refunded_minor(self) -> int:
        """What of it was ordered to be refunded, whether or not a line shows it."""
        return sum(p.minor for p in self.refunds) - self.reserved_minor

    @property
    def being_refunded_minor(self) -> int:
        """What of it is to be refunded and no line shows yet."""
        return sum(p.minor for p in self.refunds if p.stage is not RefundStage.PROVEN)

    @property
    def suspense_minor(self) -> int:
        """What of it lies in suspense: what waits, and what is reserved."""
        return self.waiting_minor + self.reserved_minor

    @property
    def owed_back_minor(self) -> int:
        """What its payer owes back: refunds and returns beyond what it was."""
        if not self.refunds:
            return 0
        placed = sum(part.minor for part in self.allocations) + self.advance_minor
        return placed + self.suspense_minor + self.refunded_minor - self.net_minor

    def freed(self, minor: int) -> int:
        """What waits of money that is the portion's again: less what its payer owes back."""
        return minor - min(minor, self.owed_back_minor)

    def moved(self, fate: ShareFate) -> dict[ShareItem, int]:
        """Minor units of its shares that became something, by item."""
        found: dict[ShareItem, int] = {}
        for move in self.moves:
            if move.fate is fate:
                found[move.item] = found.get(move.item, 0) + move.minor
        return found

    @property
    def clearing_minor(self) -> int:
        """What no booked line shows on an account, money in less money back.

        Zero means proven or offset; what was brought over stays with the opening holder.
        """
        return self.amount_minor - self.settled_minor - self.unshown_return_minor

    @property
    def is_proven(self) -> bool:
        """Whether booked lines prove both legs: the money that came and what went back of it.

        The named evidence of its opening proves the first leg of what was brought over.
        """
        came = self.is_brought_over or not self.unsettled_minor
        return came and not self.unproven_return_minor

    @property
    def net_minor(self) -> int:
        """What is left of it after returns."""
        return self.amount_minor - self.returned_minor

    @property
    def sums(self) -> Sums:
        """The amounts that its payment sums up."""
        return Sums(
            self.amount_minor,
            self.settled_minor,
            self.returned_minor,
            self.return_settled_minor,
        )
