"""What a group of commands must look at, beside what it names."""

from dataclasses import dataclass, field

from domain.loan.change import Lacks


@dataclass(slots=True)
class Further:
    """What earlier tries of a group have found that they must look at, beside what it names.

    `cases` are keys under which there is a case; `orders` are numbers of orders that may be taken,
    `mandates` are looked at with their loans, `accounts` and `payers` with their mandates, and
    `payouts` are refunds that are looked at with their payments.
    """

    cases: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    mandates: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    payers: set[str] = field(default_factory=set)
    payouts: set[str] = field(default_factory=set)

    def look_at(self, lacks: Lacks) -> None:
        """Take in what a decision lacked."""
        self.mandates |= lacks.mandates
        self.accounts |= lacks.accounts
        self.payers |= lacks.payers
        self.payouts |= lacks.payouts
