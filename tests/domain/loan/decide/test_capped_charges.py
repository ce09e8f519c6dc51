"""Caps on the books: a dear loan is not boarded, and a penalty ends where the law does."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize

from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.loan.costs import room_for
from domain.loan.product import Product
from domain.money import decimal_text
from domain.pricing.amounts import Component
from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.caps import Cap, CapRules, Measure, legal_caps
from domain.pricing.cashflow import Flow
from domain.pricing.frequency import Frequency
from domain.pricing.penalty import PenaltyRule
from domain.pricing.unitperiod import UnitPeriod
from tests.domain.loan.decide.test_anything_goes import MANY, PAIRS, Anything
from tests.support import invariants
from tests.support.doors import Cancel, Charge, RollDay, Waive, WriteOff
from tests.support.memory import PRODUCT, MemoryBooks, board, schedule
from tests.support.scene import Scene

MONTHLY = Frequency(1, "month")
CN_24 = CapRules(legal_caps("cn-institutions-24"), MONTHLY)
DUE = date(2026, 3, 10)
LENT_ON = date(2026, 2, 10)
# 2000.00 twice, at 2 percent a month: 24 percent a year, exactly at the cap.
AT_CAP = schedule(((200_000, 8_000), (200_000, 4_000)))
# Half as much again as the contract's rate, as the rule book allows: far above the cap.
PENALTY_36 = PenaltyRule(Decimal(36), 360, on_interest=True, grace_days=3)


def product(caps: CapRules | None = CN_24, rule: PenaltyRule = PENALTY_36) -> Product:
    """A product with ceilings and a penalty that would pass them."""
    return replace(PRODUCT, caps=caps, penalty=rule)


def capped(caps: CapRules | None = CN_24, lines: Any = AT_CAP, **rule: Any) -> Scene:
    """An overdue installment whose machine attempts are over."""
    retry = replace(PRODUCT.retry, attempts_max=1)
    pinned = replace(product(caps, replace(PENALTY_36, **rule)), retry=retry)
    s = Scene.boarded(product=pinned, lines=lines)
    s.apply_outcome(s.present(), OutcomeClass.PAYER_STOP)
    return s


def day(days: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=days)


def rate_if_paid(s: Scene, minor: int, on: date) -> Decimal:
    """Nominal rate when principal, interest and so much penalty of number 1 are paid on a day."""
    unit = UnitPeriod(1, "month")
    flows = [Flow(-400_000, 0)]
    for amount, paid_on in ((208_000 + minor, on), (204_000, max(on, date(2026, 4, 10)))):
        whole, part = divmod(unit.between_us(LENT_ON, paid_on), 1)
        flows.append(Flow(amount, int(whole), part))
    return apr(flows, AprMethod.IRR, Fraction(12)).nominal


def reported(s: Scene) -> list[str]:
    """What the journal says of charges that a cap stopped."""
    return [t.detail for t in s.books.transitions if t.event == "penalty_capped"]


def test_a_loan_above_a_cap_is_not_boarded_and_the_refusal_says_all() -> None:
    """Rule, cap and figure; a loan exactly at the cap is boarded."""
    dear = schedule(((200_000, 8_030), (200_000, 4_000)))
    refusal = MemoryBooks().apply(board(product=product(), lines=dear))
    rule = CN_24.caps[0].rule
    assert refusal == Refusal("loan.cost", f"{rule}: 24.0604 % is above 24 %")
    assert isinstance(MemoryBooks().apply(board(product=product(), lines=AT_CAP)), Change)
    assert isinstance(MemoryBooks().apply(board(product=product(None), lines=dear)), Change)


def test_every_cap_that_is_broken_is_named() -> None:
    """Whoever mends a tape mends it once."""
    caps = (*legal_caps("uk-high-cost"), *CN_24.caps)
    dear = schedule(((200_000, 250_000), (200_000, 200_000)))
    refusal = MemoryBooks().apply(board(product=product(CapRules(caps, MONTHLY)), lines=dear))
    assert isinstance(refusal, Refusal)
    assert [part.partition(":")[0] for part in refusal.reason.split("; ")] == [
        "UK CONC 5A",
        "UK CONC 5A",
        "CN jin-gui [2025] 9",
    ]


def test_fees_besides_the_schedule_count_at_boarding() -> None:
    """The same rows, with 1 percent kept back: above the cap."""
    rules = replace(CN_24, upfront_fraction=Fraction(1, 100))
    refusal = MemoryBooks().apply(board(product=product(rules), lines=AT_CAP))
    assert isinstance(refusal, Refusal)
    assert refusal.rule == "loan.cost"


def test_a_penalty_is_booked_to_the_last_lawful_unit_and_the_journal_says_why() -> None:
    """36 percent a year would be 14.56 by day 10; the cap allows less, and that is booked."""
    s = capped()
    s.until(day(11))
    booked = s.books.item().charged.penalty
    assert 0 < booked < 1_456
    paid_on = day(10)
    assert rate_if_paid(s, booked, paid_on) <= 24 < rate_if_paid(s, booked + 1, paid_on)
    withheld = decimal_text(1_456 - booked, "CNY")
    assert reported(s)[-1] == (
        f"CN jin-gui [2025] 9: total financing cost of a single loan, at most 24 %: "
        f"{withheld} CNY are not charged"
    )
    invariants.check(s.books)


def test_days_that_were_not_swept_give_the_same_penalty_as_each_day_by_itself() -> None:
    """The cap follows value dates, not the number of times that somebody looked."""
    daily, at_once = capped(), capped()
    daily.until(day(25))
    at_once.books.at = daily.books.at
    at_once.give(RollDay, loan_id="L1", day=day(25))
    assert at_once.books.item().charged.penalty == daily.books.item().charged.penalty > 0


def test_a_cap_that_does_not_bite_changes_nothing() -> None:
    """18 percent on a loan at 12: penalty as without caps, and not a word of them."""
    cheap = schedule(((200_000, 4_000), (200_000, 2_000)))
    found = []
    for caps in (None, CN_24):
        s = capped(caps, cheap, annual_rate_percent=Decimal(18))
        s.until(day(40))
        found.append((s.books.entries, s.books.transitions))
    assert found[0] == found[1]


def test_money_that_came_earlier_takes_back_what_its_own_day_does_not_allow() -> None:
    """Capped at 24 percent through day 24, paid on day 10: no more than day 10 allows is kept."""
    s = capped()
    s.until(day(25))
    before = s.books.item().charged.penalty
    s.pay(300_000, value_on=day(10))
    item = s.books.item()
    assert item.owed.total == 0
    assert item.charged.penalty < before
    kept = item.charged.penalty
    assert rate_if_paid(s, kept, day(10)) <= 24 < rate_if_paid(s, kept + 1, day(10))
    invariants.check(s.books)


def both_capped() -> Scene:
    """Two installments past due at the cap; the second one is then paid back to its due date."""
    s = capped()
    s.until(date(2026, 4, 10))
    s.apply_outcome(s.present(2), OutcomeClass.PAYER_STOP)
    s.until(date(2026, 5, 1))
    return s


def test_money_for_another_installment_takes_back_penalty_that_is_not_lawful_any_more() -> None:
    """An earlier value date leaves less room: what is booked and not paid goes at once."""
    s = both_capped()
    booked = s.books.item().owed.penalty
    s.pay(204_000, 2, value_on=date(2026, 4, 10))
    left = s.books.item().owed.penalty
    assert 0 < left < booked
    yesterday = s.today - timedelta(days=1)
    assert room_for(s.books.loans["L1"], CN_24, 1, yesterday)[0] == 0
    invariants.check(s.books)


def test_penalty_that_was_paid_follows_the_ceiling_in_either_order_of_two_payments() -> None:
    """Money of an earlier day that becomes known leaves less room: what was paid pays principal."""
    found = []
    for is_later_known_first in (False, True):
        s = both_capped()
        minor = s.books.item().owed.penalty
        facts = [(minor, 1, s.today), (204_000, 2, date(2026, 4, 10))]
        for amount, number, day_of in facts[:: -1 if is_later_known_first else 1]:
            s.pay(amount, number, value_on=day_of)
        found.append([(item.owed, item.charged) for item in s.books.loans["L1"].installments])
        invariants.check(s.books)
    assert found[0] == found[1]
    assert found[0][0][1].penalty < minor


def test_to_pay_early_makes_no_loan_dearer() -> None:
    """Two weeks ahead or on the due date: the room for charges is the same."""
    found = []
    for paid_on in (date(2026, 2, 24), DUE):
        s = Scene.boarded(product=product(), lines=AT_CAP)
        s.until(paid_on)
        s.pay(208_000)
        s.until(day(1))
        assert s.books.item().owed.total == 0
        found.append(room_for(s.books.loans["L1"], CN_24, 2, date(2026, 5, 10)))
    assert found[0] == found[1]


def test_a_loan_that_cost_all_it_may_is_reported_once_and_swept_for_ever() -> None:
    """The cap in money is reached: nothing more is charged, no day fails, no line is repeated."""
    caps = CapRules((Cap("own", Decimal("3.1"), Measure.TOTAL),), MONTHLY)
    s = capped(caps)
    s.until(day(30))
    assert s.books.item().charged.penalty == 400
    assert reported(s) == ["own, at most 3.1 %: 0.16 CNY are not charged"]
    s.until(day(400))
    assert s.books.item().charged.penalty == 400
    invariants.check(s.books)


def test_nothing_at_all_can_be_charged_and_that_is_reported_once() -> None:
    """A loan agreed at its cap in money: the first day of penalty is withheld and explained."""
    caps = CapRules((Cap("own", Decimal(3), Measure.TOTAL),), MONTHLY)
    s = capped(caps)
    s.until(day(20))
    assert s.books.item().charged.penalty == 0
    assert reported(s) == ["own, at most 3 %: 2.08 CNY are not charged"]


def test_overdue_principal_lengthens_the_days_that_a_daily_cap_counts() -> None:
    """0.8 percent a day of what is outstanding, overdue or not: that much may accrue."""
    lines = schedule(((100_000, 22_400),))
    caps = CapRules(legal_caps("uk-high-cost")[1:], MONTHLY)
    s = capped(caps, lines, annual_rate_percent=Decimal(360), grace_days=0)
    s.until(day(11))
    # 28 days at 0.8 percent are agreed; each day late allows 8.00 more, and 10.00 is asked.
    assert s.books.item().charged.penalty == 8_000
    assert len(reported(s)) == 10


def test_a_charge_that_would_pass_a_cap_is_refused_and_the_last_lawful_unit_is_not() -> None:
    """The refusal names the rule, the cap and the cost that it would have come to."""
    s = capped(annual_rate_percent=Decimal(0))
    s.until(day(20))
    left = room_for(s.books.loans["L1"], CN_24, 1, s.today)[0]
    terms: dict[str, Any] = {"component": Component.COST}
    refusal = s.order(Charge, amount_minor=left + 5_000, **terms)
    figure = rate_if_paid(s, left + 5_000, day(20))
    rule = CN_24.caps[0].rule
    assert refusal == Refusal("charge.cap", f"{rule}: {disclose(figure, 4)} % is above 24 %")
    assert rate_if_paid(s, left, day(20)) <= 24 < figure
    assert isinstance(s.order(Charge, amount_minor=left + 1, **terms), Refusal)
    assert isinstance(s.order(Charge, amount_minor=left, **terms), Change)
    assert s.books.item().owed.cost == left
    assert isinstance(s.order(Charge, amount_minor=1, **terms), Refusal)
    invariants.check(s.books)


def both_overdue(caps: CapRules) -> Scene:
    """Two installments past due, of a loan that may cost about 5 percent of its 4000.00."""
    s = capped(caps, grace_days=0)
    s.until(date(2026, 4, 10))
    s.apply_outcome(s.present(2), OutcomeClass.PAYER_STOP)
    return s


def test_of_two_overdue_installments_the_older_one_has_what_is_lawful() -> None:
    """The newer one has what the older one leaves; together they reach the cap, never pass it."""
    s = both_overdue(CapRules((Cap("own", Decimal(5), Measure.TOTAL),), MONTHLY))
    shared = []
    for last in (date(2026, 4, 13), date(2026, 5, 20)):
        s.until(last)
        shared.append(tuple(s.books.item(number).charged.penalty for number in (1, 2)))
    assert shared[0][0] > shared[0][1] > 0
    assert shared[1] == (20_000 - 12_000, 0)
    assert s.books.item(2).owed.total == 204_000


@pytest.mark.parametrize(
    ("percent", "most", "left"),
    [("5", 20_000, 316), ("5.05", 20_200, 104), ("4.638", 18_552, 104)],
)
def test_money_for_two_installments_pays_no_more_penalty_than_both_may_be_charged(
    percent: str, most: int, left: int
) -> None:
    """Each could take the last lawful units; the first does: 2.08 of them, or all there are.

    So too on the first day of the second one's penalty, of which then nothing is charged.
    """
    caps = CapRules((Cap("own", Decimal(percent), Measure.TOTAL),), MONTHLY)
    s = both_overdue(caps)
    s.until(date(2026, 4, 11))
    while (room := room_for(s.books.loans["L1"], caps, 2, s.today)[0]) > 208 + 204:
        s.until(s.today + timedelta(days=1))
    assert room == left
    owed = sum(s.books.item(number).owed.total for number in (1, 2))
    paid = s.pay(owed + left)
    assert [s.books.item(number).owed.total for number in (1, 2)] == [0, 0]
    assert sum(s.books.item(number).charged.penalty for number in (1, 2)) == most - 12_000
    assert s.portion(paid).waiting_minor == 0
    invariants.check(s.books)


@pytest.mark.parametrize("late", [5, 20, 60])
@given(
    paid=st.lists(st.tuples(st.integers(1, 250_000), st.integers(0, 60)), max_size=3),
    percent=st.integers(1, 90),
)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_asked_never_makes_the_loan_dearer_than_its_cap(
    late: int, paid: list[tuple[int, int]], percent: int
) -> None:
    """However much came, each payment after the one before: all that is owed may be paid now."""
    s = capped(annual_rate_percent=Decimal(percent))
    s.until(day(late))
    last = DUE
    for minor, back in paid:
        last = max(last, s.today - timedelta(days=back))
        s.pay(minor, value_on=last)
        s.until(s.today + timedelta(days=3))
    loan = s.books.loans["L1"]
    yesterday = s.today - timedelta(days=1)
    assert room_for(loan, CN_24, 1, yesterday)[0] >= 0
    invariants.check(s.books)


def test_what_is_forgiven_written_off_or_cancelled_counts_as_the_borrower_bears_it() -> None:
    """Forgiven and cancelled costs nothing; what is written off can still be collected."""
    rules = CapRules((Cap("own", Decimal(50), Measure.TOTAL),), MONTHLY, each_minor=10)

    def room(s: Scene) -> int:
        return room_for(s.books.loans["L1"], rules, 1, s.today)[0]

    s = capped(rules)
    s.until(day(4))
    # Half of 4000.00, less 120.00 of interest and 0.10 with each of two installments.
    assert room(s) == 200_000 - 12_000 - 20
    s.order(Waive, 1, component=Component.INTEREST, amount_minor=5_000)
    assert room(s) == 200_000 - 7_000 - 20
    s.order(Waive, 1, component=Component.PRINCIPAL, amount_minor=10_000)
    s.order(WriteOff, 1)
    assert room(s) == 200_000 - 7_000 - 20 + 10_000
    s.order(Cancel, 2)
    assert room(s) == 200_000 - 3_000 - 10 + 210_000


class Capped(Anything):
    """The machine of anything, under a cap that bites soon."""

    @initialize(
        lead=st.sampled_from([0, 1]),
        attempts=st.integers(1, 4),
        cap=st.sampled_from(
            [
                Cap("nominal", Decimal("13.5")),
                Cap("effective", Decimal(15), Measure.EFFECTIVE),
                Cap("total", Decimal("1.05"), Measure.TOTAL),
                Cap("daily", Decimal("0.03"), Measure.DAILY),
            ]
        ),
    )
    def begin(self, lead: int, attempts: int, cap: Cap) -> None:
        """One loan of two installments at about 12 percent, penalty at 90."""
        rail = replace(self.books.rules.rails["simbank"], lead_banking_days=lead)
        self.books.rules = replace(self.books.rules, rails={"simbank": rail})
        dear = replace(PENALTY_36, annual_rate_percent=Decimal(90))
        retry = replace(PRODUCT.retry, attempts_max=attempts)
        pinned = replace(product(CapRules((cap,), MONTHLY), dear), retry=retry)
        change = self.books.apply(board(product=pinned, lines=schedule(PAIRS)))
        assert isinstance(change, Change), change
        self._after(change)


Capped.TestCase.settings = settings(
    max_examples=MANY,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class TestAnythingGoesUnderACap(Capped.TestCase):  # type: ignore[misc, valid-type]
    """Evidence is taken, money comes to rest and no day's work fails, also where a cap bites."""
