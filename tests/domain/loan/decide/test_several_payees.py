"""Several payees: shares posted to the unit, and the payee leg of closure."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from domain.debit.outcome import OutcomeClass
from domain.loan import closure
from domain.loan.product import Payee, Routing
from domain.loan.split import ShareRule, SplitRules
from domain.pricing.amounts import Component
from tests.support import invariants
from tests.support.doors import Waive
from tests.support.memory import PRODUCT, schedule, with_shares
from tests.support.scene import Scene

PARTIES = ("funder-1", "platform", "insurer")
SHARED = with_shares(
    replace(PRODUCT, penalty=None),
    ("funder-1", Fraction(90, 100)),
    ("platform", Fraction(8, 100)),
    ("insurer", Fraction(2, 100)),
    remainder="funder-1",
)


def shared() -> Scene:
    """One installment of 100.00 at 90/8/2."""
    return Scene.boarded(product=SHARED, lines=schedule(((10000, 0),)))


def payable(s: Scene) -> dict[str, int]:
    """What is due to each party."""
    return {party: -s.balances.get(f"payable/{party}", 0) for party in PARTIES}


def test_three_part_payments_never_drift() -> None:
    """33.33 + 33.33 + 33.34 at 90/8/2 end at exactly 90.00, 8.00 and 2.00."""
    s = shared()
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT)
    assert s.balances["claim/platform"] == -800
    seen = []
    for minor in (3333, 3333, 3334):
        s.pay(minor)
        seen.append(payable(s))
    assert seen == [
        {"funder-1": 3000, "platform": 266, "insurer": 67},
        {"funder-1": 6000, "platform": 533, "insurer": 133},
        {"funder-1": 9000, "platform": 800, "insurer": 200},
    ]
    assert not [name for name in s.balances if name.startswith("claim/")]
    invariants.check(s.books)


def test_a_return_takes_every_share_back() -> None:
    """Payable and claim stand as before; nobody keeps a unit."""
    s = shared()
    order = s.present()
    s.apply_outcome(order, minor=10000)
    s.returned(order, 10000)
    assert payable(s) == dict.fromkeys(PARTIES, 0)
    assert {party: s.balances[f"claim/{party}"] for party in PARTIES} == {
        "funder-1": -9000,
        "platform": -800,
        "insurer": -200,
    }


def test_released_is_not_closed_while_shares_have_not_reached_their_payees() -> None:
    """Nothing more can be asked of the borrower; the payee leg keeps the second gate shut."""
    s = shared()
    order = s.present()
    s.apply_outcome(order, minor=10000)
    s.settle()
    s.until(s.today + timedelta(days=5))
    assert s.state == "RELEASED"
    loan, item = s.books.loans["L1"], s.books.item()
    lacks = closure.missing(loan, item, s.books.cases, s.books.rules, s.books.at)
    assert [(lack.gate.value, lack.code, lack.who) for lack in lacks] == [
        ("close", "remittance", "insurer"),
        ("close", "remittance", "platform"),
    ]
    assert s.balances["held_by/funder-1"] == -9000, "its own share and no more"
    assert payable(s) == {"funder-1": 0, "platform": 800, "insurer": 200}


def test_what_was_only_forgiven_reaches_nobody_and_closes() -> None:
    """Waived whole: every party bears its part, and no share has to be remitted."""
    s = shared()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=10000)
    assert {party: s.balances[f"forgiven/{party}/goodwill"] for party in PARTIES} == {
        "funder-1": 9000,
        "platform": 800,
        "insurer": 200,
    }
    s.until(s.today + timedelta(days=5))
    assert s.state == "CLOSED"


def fixed_penalty() -> Scene:
    """10000.00 overdue by ten days at 90/8/2, of the penalty 3.00 first for the insurer."""
    parts = (("funder-1", Fraction(9, 10)), ("platform", Fraction(8, 100)))
    rules = SplitRules(
        (
            *(ShareRule(party, one, part) for one in Component for party, part in parts),
            ShareRule("insurer", Component.PENALTY, Fraction(2, 100), fixed_minor=300),
            *(
                ShareRule("insurer", one, Fraction(2, 100))
                for one in Component
                if one is not Component.PENALTY
            ),
        ),
        "funder-1",
    )
    pooled = (Payee("platform", Routing.POOLED), Payee("insurer", Routing.POOLED))
    reminders = replace(PRODUCT.reminders, rules=())
    product = replace(PRODUCT, shares=rules, payees=(*PRODUCT.payees, *pooled), reminders=reminders)
    s = Scene.boarded(product=product, lines=schedule(((1000000, 0),)))
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT)
    s.until(date(2026, 3, 20))
    return s


def paid_penalty(s: Scene) -> dict[str, int]:
    """What each party is due of the penalty."""
    return {
        party: -sum(
            posting.minor
            for entry in s.books.entries
            for posting in entry.postings
            if posting.account == f"payable/{party}" and posting.component == Component.PENALTY
        )
        for party in PARTIES
    }


@pytest.mark.parametrize("late_first", [True, False])
def test_a_paid_penalty_that_becomes_smaller_is_shared_as_the_smaller_one(late_first: bool) -> None:
    """35.00 were paid, 3.00 of them for the insurer; 3.50 are due once earlier money is known.

    What still pays the penalty is shared by the smaller charge: 0.45, 0.04 and 3.01, in any order.
    """
    s = fixed_penalty()
    late, early = (6000, None), (900000, date(2026, 3, 12))
    for minor, value_on in (late, early) if late_first else (early, late):
        s.pay(minor, value_on=value_on)
    assert paid_penalty(s) == {"funder-1": 45, "platform": 4, "insurer": 301}
    invariants.check(s.books)


def test_a_paid_penalty_is_shared_anew_when_a_waiver_makes_it_smaller() -> None:
    """9000.00 of the principal are waived: 3.50 of the 35.00 that were paid stay penalty."""
    s = fixed_penalty()
    s.pay(6000)
    assert paid_penalty(s) == {"funder-1": 2880, "platform": 256, "insurer": 364}
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=900000)
    assert paid_penalty(s) == {"funder-1": 45, "platform": 4, "insurer": 301}
    invariants.check(s.books)
