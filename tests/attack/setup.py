"""The loans that an attack is made on: a few terms, each with a plain default, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from domain.debit.mandate import Mandate
from domain.loan.aggregate import Rulebook
from domain.loan.product import Product
from domain.loan.split import ShareRule, SplitRules
from domain.loan.waterfall import Direction, Future, Waterfall
from domain.pricing.amounts import Component
from domain.pricing.caps import Cap, CapRules, Measure
from domain.pricing.frequency import Frequency
from domain.pricing.penalty import PenaltyRule
from domain.pricing.schedule import ScheduleLine
from tests.support.doors import BoardLoan
from tests.support.memory import ORDER, PRODUCT, RULES, board, with_shares

BEGINS = datetime(2026, 3, 2, 1, tzinfo=UTC)
FIRST_DUE = date(2026, 3, 10)
LENT_ON = date(2026, 2, 10)
FUNDER_ACCOUNT = "ACCT-FUNDER-1-CNY"
OTHER_ACCOUNT = "ACCT-OTHER-CNY"
CURRENCY = "CNY"
AMOUNTS = ((10000, 100), (10000, 100), (5000, 50))
"""Principal and interest of every installment of the first, second and third loan."""
PENALTIES: Mapping[str, PenaltyRule | None] = {
    "none": None,
    "grace": PenaltyRule(Decimal(18), 360, on_interest=False, grace_days=3),
    "daily": PenaltyRule(Decimal(36), 365, on_interest=True, grace_days=0, compounding=True),
}
PARTS: Mapping[int, tuple[tuple[str, Fraction], ...]] = {
    1: (("funder-1", Fraction(1)),),
    2: (("funder-1", Fraction(1, 2)), ("partner-2", Fraction(1, 2))),
    3: (("funder-1", Fraction(9, 10)), ("partner-2", Fraction(8, 100))),
    4: (("funder-1", Fraction(1, 3)), ("partner-2", Fraction(1, 3))),
    5: (("funder-1", Fraction(1)),),
}
"""What each party gets of every component; the rest is the remainder party's.

The fifth gives all penalty to the second party and the rest to the funder.
"""
CHOICES: Mapping[str, tuple[Any, ...]] = {
    "loans": (1, 1, 1, 1, 2, 2, 3),
    "installments": (2, 2, 1, 1, 3),
    "parties": (1, 1, 2, 3, 4, 5),
    "fixed_minor": (0, 0, 0, 300),
    "penalty": ("none", "none", "grace", "grace", "daily"),
    "capped": (False, False, False, True),
    "future": tuple(Future),
    "vertical": (False, True),
    "mandate_cap": (0, 0, 0, 6100),
    "attempts": (4, 1, 2, 3),
    "lead": (0, 0, 1),
    "same_amount": (False, False, True),
    "reminded": (False, False, True),
    "shift": (0, 0, 3, 4, 5),
    "apart": (7, 7, 2, 2, 30),
}


@dataclass(frozen=True, slots=True)
class Setup:
    """Terms of the loans of one payer.

    `name` begins every id, so that several attacks can be made on the same books. `shift` moves the
    first due date by days (4 and 5: onto a weekend), `apart` is days between due dates,
    `fixed_minor` what the second party takes before any fraction.
    """

    name: str = ""
    loans: int = 1
    installments: int = 2
    parties: int = 1
    fixed_minor: int = 0
    penalty: str = "none"
    capped: bool = False
    future: str = "advance"
    vertical: bool = False
    mandate_cap: int = 0
    attempts: int = 4
    lead: int = 0
    same_amount: bool = False
    reminded: bool = False
    shift: int = 0
    apart: int = 7

    @classmethod
    def drawn(cls, dice: Random) -> "Setup":
        """Terms at random."""
        return cls(**{name: dice.choice(values) for name, values in CHOICES.items()})

    @property
    def said(self) -> dict[str, Any]:
        """The terms that are not the default, by name."""
        plain = asdict(Setup())
        return {k: v for k, v in asdict(self).items() if v != plain[k]}

    def simpler(self) -> list["Setup"]:
        """The same terms with one of them at its default."""
        plain = Setup()
        names = [item.name for item in fields(self)]
        return [
            replace(self, **{name: getattr(plain, name)})
            for name in names
            if getattr(self, name) != getattr(plain, name)
        ]

    @property
    def mandate_ref(self) -> str:
        """The one mandate of all loans."""
        return f"{self.name}M-1"

    @property
    def loan_ids(self) -> tuple[str, ...]:
        """Ids of the loans."""
        return tuple(f"{self.name}L{index + 1}" for index in range(self.loans))

    @property
    def rules(self) -> Rulebook:
        """The test rail with the lead and the rule of this set-up."""
        rail = replace(
            RULES.rails["simbank"],
            lead_banking_days=self.lead,
            same_amount_on_retry=self.same_amount,
        )
        return replace(RULES, rails={"simbank": rail})

    @property
    def product(self) -> Product:
        """The product of all loans."""
        direction = Direction.VERTICAL if self.vertical else Direction.HORIZONTAL
        cap = Cap("test: total cost", Decimal("1.3"), Measure.TOTAL)
        shares = self._shares()
        parties = [(party, Fraction(0)) for party in shares.parties if party != "funder-1"]
        return replace(
            with_shares(PRODUCT, *parties, remainder="funder-1"),
            id=f"{self.name}test",
            waterfall=Waterfall(ORDER, direction, Future(self.future)),
            shares=shares,
            reminders=replace(PRODUCT.reminders, require_delivered=self.reminded),
            retry=replace(PRODUCT.retry, attempts_max=self.attempts, stop_after_days=20),
            penalty=PENALTIES[self.penalty],
            caps=CapRules((cap,), Frequency(self.apart, "day")) if self.capped else None,
        )

    def boards(self) -> list[BoardLoan]:
        """The commands that board the loans, on one mandate."""
        mandate = Mandate(
            self.mandate_ref,
            "simbank",
            "merchant-1",
            f"{self.name}acct-1",  # a hard refusal bars the account for every loan of it
            date(2026, 1, 1),
            cap_minor=self.mandate_cap or None,
        )
        return [
            board(loan_id, self.product, self._schedule(*pair), mandate)
            for loan_id, pair in zip(self.loan_ids, AMOUNTS, strict=False)
        ]

    def _shares(self) -> SplitRules:
        if self.parties == 5:
            rules = [
                ShareRule(
                    "partner-2" if part is Component.PENALTY else "funder-1", part, Fraction(1)
                )
                for part in Component
            ]
            return SplitRules(tuple(rules), "funder-1")
        rules = [
            ShareRule(party, component, part, fixed_minor=self._fixed(party, component))
            for component in Component
            for party, part in PARTS[self.parties]
        ]
        return SplitRules(tuple(rules), "funder-1" if self.parties <= 2 else "guarantor-3")

    def _fixed(self, party: str, component: Component) -> int:
        is_it = party == "partner-2" and component is Component.INTEREST
        return self.fixed_minor if is_it else 0

    def _schedule(self, principal: int, interest: int) -> tuple[ScheduleLine, ...]:
        first = FIRST_DUE + timedelta(days=self.shift)
        return tuple(
            ScheduleLine(
                index + 1,
                first + timedelta(days=index * self.apart),
                self.apart,
                principal,
                interest,
                0,
                principal * (self.installments - index - 1),
            )
            for index in range(self.installments)
        )
