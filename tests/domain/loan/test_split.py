"""Shares of parties: cumulative, exact, and never a cent lost between them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput, InvariantBroken
from domain.loan.amounts import Amounts, Component
from domain.loan.split import ShareRule, SplitRules, split, split_delta


def rules(**percents: int) -> SplitRules:
    """Shares of principal in percent; the first party takes the remainder."""
    shares = tuple(
        ShareRule(party, Component.PRINCIPAL, Fraction(percent, 100))
        for party, percent in percents.items()
    )
    return SplitRules(shares, next(iter(percents)))


def principal(shares: dict[str, Amounts]) -> dict[str, int]:
    """Principal by party."""
    return {party: amounts.principal for party, amounts in shares.items()}


def test_partial_payments_never_drift() -> None:
    """33.33 + 33.33 + 33.34 at 90/8/2 ends at exactly 90.00, 8.00 and 2.00."""
    rule = rules(funder=90, platform=8, guarantor=2)
    so_far = Amounts()
    moved = []
    for minor in (3_333, 3_333, 3_334):
        after = so_far + Amounts(principal=minor)
        moved.append(principal(split_delta(so_far, after, rule)))
        so_far = after
    assert moved == [
        {"funder": 3_000, "platform": 266, "guarantor": 67},
        {"funder": 3_000, "platform": 267, "guarantor": 66},
        {"funder": 3_000, "platform": 267, "guarantor": 67},
    ]
    assert principal(split(so_far, rule)) == {"funder": 9_000, "platform": 800, "guarantor": 200}


def test_what_no_rule_gives_away_is_the_remainder_partys() -> None:
    """8 percent to the platform, the rest and every other component to the funder."""
    rule = SplitRules((ShareRule("platform", Component.INTEREST, Fraction(8, 100)),), "funder")
    found = split(Amounts(principal=1_000, interest=50, fee=7), rule)
    assert found == {
        "funder": Amounts(principal=1_000, interest=46, fee=7),
        "platform": Amounts(interest=4),
    }


def test_ties_go_to_the_remainder_party() -> None:
    """One cent between two halves."""
    assert principal(split(Amounts(principal=1), rules(funder=50, platform=50))) == {
        "funder": 1,
        "platform": 0,
    }


def test_fixed_amounts_come_first_as_far_as_the_money_reaches() -> None:
    """5.00 for the platform before the fraction; a payment of 3.00 is all its own."""
    rule = SplitRules(
        (ShareRule("platform", Component.FEE, Fraction(1, 10), fixed_minor=500),), "funder"
    )
    assert split(Amounts(fee=300), rule)["platform"].fee == 300
    assert split(Amounts(fee=1_500), rule)["platform"].fee == 600
    assert split(Amounts(fee=1_500), rule)["funder"].fee == 900


def test_a_cap_cuts_off_for_the_remainder_party() -> None:
    """10 percent of 100.00, at most 7.00: the funder gets 93.00."""
    rule = SplitRules(
        (ShareRule("platform", Component.PRINCIPAL, Fraction(1, 10), cap_minor=700),), "funder"
    )
    assert principal(split(Amounts(principal=10_000), rule)) == {"funder": 9_300, "platform": 700}
    assert principal(split(Amounts(principal=7_000), rule)) == {"funder": 6_300, "platform": 700}
    assert principal(split(Amounts(principal=7_010), rule)) == {"funder": 6_310, "platform": 700}


@pytest.mark.parametrize(
    ("share", "fixed", "cap"),
    [
        (Fraction(-1), 0, None),
        (Fraction(2), 0, None),
        (Fraction(0), -1, None),
        (Fraction(0), 0, -1),
    ],
)
def test_a_share_that_makes_no_sense_is_refused(
    share: Fraction, fixed: int, cap: int | None
) -> None:
    """Below nothing or above the whole."""
    with pytest.raises(InvalidInput) as refused:
        ShareRule("x", Component.FEE, share, cap, fixed)
    assert str(refused.value) in {
        f"share: {share} is refused: a fraction from 0 to 1",
        "share: 'x' is refused: fixed amount and cap are not negative",
    }


def test_shares_of_a_component_make_at_most_the_whole_and_name_each_party_once() -> None:
    """60 + 50 percent is refused, and so is a party with two shares."""
    with pytest.raises(InvalidInput, match="at most 1"):
        rules(one=60, two=50)
    twice = ShareRule("one", Component.FEE, Fraction(1, 10))
    with pytest.raises(InvalidInput, match="once"):
        SplitRules((twice, twice), "one")


def test_a_negative_whole_is_a_fault() -> None:
    """Cumulative allocated amounts never fall below zero."""
    with pytest.raises(InvariantBroken):
        split(Amounts(principal=-1), rules(funder=100))


PERCENTS = st.lists(st.integers(0, 40), min_size=1, max_size=5).filter(
    lambda parts: sum(parts) <= 100
)
AMOUNTS = st.builds(Amounts, *[st.integers(0, 10**6)] * 5)


@given(PERCENTS, st.lists(AMOUNTS, min_size=1, max_size=5), st.integers(0, 10**5))
def test_parts_sum_to_the_whole_for_each_component_and_each_payment(
    percents: list[int], payments: list[Amounts], cap: int
) -> None:
    """Splits and their differences lose nothing, with fractions, fixed amounts and caps."""
    rule = SplitRules(
        tuple(
            ShareRule(f"party {n}", component, Fraction(percent, 100), cap, n * 7)
            for n, percent in enumerate(percents)
            for component in Component
        ),
        "party 0",
    )
    so_far, collected = Amounts(), dict.fromkeys(rule.parties, Amounts())
    for payment in payments:
        after = so_far + payment
        delta = split_delta(so_far, after, rule)
        assert sum(delta.values(), Amounts()) == payment
        collected = {party: collected[party] + delta[party] for party in rule.parties}
        so_far = after
    assert collected == split(so_far, rule)
    for party, amounts in collected.items():
        assert all(minor >= 0 for minor in amounts.values())
        assert party == "party 0" or all(minor <= cap for minor in amounts.values())
