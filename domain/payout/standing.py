"""Whether an account holds enough for a payout and for all others whose money lies there."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """What lies on one account in one currency, in minor units.

    Attributes:
        cash_minor: what booked lines show there.
        paying_minor: of that, what other payouts have ordered away and no line shows yet.
        others_minor: what other payees are due there, those included that hold their share there.
    """

    cash_minor: int
    paying_minor: int
    others_minor: int

    def lacking(self, minor: int) -> int:
        """What is lacking for a payout of an amount to leave the others theirs; never below 0."""
        return max(0, minor + self.paying_minor + self.others_minor - self.cash_minor)
