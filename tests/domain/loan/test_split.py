"""Shares of parties: claims made by charges, drawn as they remain, no cent lost between them."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput, InvariantBroken
from domain.loan.split import ShareRule, SplitRules, claims_after, draw, split
from domain.pricing.amounts import Amounts, Component


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
    claims = {"funder": 9_000, "platform": 800, "guarantor": 200}
    moved = []
    for minor in (3_333, 3_333, 3_334):
        moved.append(draw(claims, minor))
        claims = {party: claim - moved[-1][party] for party, claim in claims.items()}
    assert moved == [
        {"funder": 3_000, "platform": 266, "guarantor": 67},
        {"funder": 3_000, "platform": 267, "guarantor": 66},
        {"funder": 3_000, "platform": 267, "guarantor": 67},
    ]
    assert not any(claims.values())


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
    """What was charged in all never falls below zero."""
    with pytest.raises(InvariantBroken):
        split(Amounts(principal=-1), rules(funder=100))


def test_fixed_parts_are_drawn_first_and_the_rest_in_proportion() -> None:
    """5.00 of the platform's 15.00 come before the funder's 85.00; then 10 to 85."""
    claims = {"funder": 8_500, "platform": 1_500}
    assert draw(claims, 300, {"platform": 500}) == {"funder": 0, "platform": 300}
    assert draw(claims, 1_450, {"platform": 500}) == {"funder": 850, "platform": 600}
    assert draw(claims, 10_000, {"platform": 500}) == claims


@pytest.mark.parametrize("minor", [-1, 101])
def test_nobody_draws_more_than_all_claims_or_less_than_nothing(minor: int) -> None:
    """Either is a fault of the caller."""
    with pytest.raises(InvariantBroken, match="cannot be drawn"):
        draw({"funder": 90, "platform": 10}, minor)


def test_a_reversal_takes_from_others_what_one_party_has_got_already() -> None:
    """Of 10 at 50/50 the platform has its 5; 4 are reversed: the funder bears what it cannot."""
    rule = rules(funder=50, platform=50)
    claims = {"funder": Amounts(principal=5)}
    after = claims_after(claims, Amounts(principal=10), Amounts(principal=6), rule)
    assert principal(after) == {"funder": 1, "platform": 0}


def random_rules(random: Random) -> SplitRules:
    """Two to four parties with fractions, some with a fixed part or a cap."""
    parties = ["funder", "platform", "guarantor", "insurer"][: random.randint(2, 4)]
    parts = [random.randint(0, 100 // len(parties)) for _ in parties]
    return SplitRules(
        tuple(
            ShareRule(
                party,
                Component.PRINCIPAL,
                Fraction(part, 100),
                random.choice([None, None, 7, 300]),
                random.choice([0, 0, 0, 11]),
            )
            for party, part in zip(parties, parts, strict=True)
        ),
        "funder",
    )


@pytest.mark.parametrize("seed", range(20))
def test_histories_of_charges_draws_and_returns_keep_every_claim_whole(seed: int) -> None:
    """200 histories a seed: no share below zero or above its claim, and all is exact at the end."""
    random = Random(seed)
    for _ in range(200):
        rule = random_rules(random)
        charged, claims = 0, dict.fromkeys(rule.parties, 0)
        paid: list[dict[str, int]] = []
        for _ in range(random.randint(3, 12)):
            left = sum(claims.values())
            step = random.choice(["charge", "reverse", "draw", "draw", "return"])
            if step in {"charge", "reverse"}:
                delta = random.randint(1, 500) if step == "charge" else -random.randint(0, left)
                was = {p: Amounts(principal=minor) for p, minor in claims.items()}
                then = (Amounts(principal=charged), Amounts(principal=charged + delta))
                claims = principal(claims_after(was, *then, rule))
                charged += delta
            elif step == "draw":
                paid.append(draw(claims, random.randint(0, left)))
                assert all(0 <= part <= claims[p] for p, part in paid[-1].items())
                claims = {p: minor - paid[-1][p] for p, minor in claims.items()}
            elif paid:
                back = paid.pop(random.randrange(len(paid)))
                claims = {p: minor + back[p] for p, minor in claims.items()}
            assert min(claims.values()) >= 0
            assert sum(claims.values()) + sum(sum(part.values()) for part in paid) == charged
        last = draw(claims, sum(claims.values()))
        assert last == claims, "the last payment gives everybody exactly what they are still due"


def test_whatever_the_order_of_payments_and_returns_the_whole_ends_exact() -> None:
    """100.01 charged once at 90/8/2 and paid in any pieces, some returned: always the same end."""
    rule = rules(funder=90, platform=8, guarantor=2)
    whole = split(Amounts(principal=10_001), rule)
    random = Random(7)
    for _ in range(1_000):
        claims = principal(whole)
        got = dict.fromkeys(claims, 0)
        while sum(claims.values()):
            part = draw(claims, random.randint(1, sum(claims.values())))
            if random.random() < 0.5:  # else it was returned: exactly its own shares
                claims = {p: minor - part[p] for p, minor in claims.items()}
                got = {p: minor + part[p] for p, minor in got.items()}
        assert got == principal(whole)


PERCENTS = st.lists(st.integers(0, 40), min_size=1, max_size=5).filter(
    lambda parts: sum(parts) <= 100
)
AMOUNTS = st.builds(Amounts, *[st.integers(0, 10**6)] * 5)


@given(PERCENTS, st.lists(AMOUNTS, min_size=1, max_size=5), st.integers(0, 10**5))
def test_claims_sum_to_what_is_charged_for_each_component(
    percents: list[int], charges: list[Amounts], cap: int
) -> None:
    """Charges in pieces make the claims of the whole, with fractions, fixed amounts and caps."""
    rule = SplitRules(
        tuple(
            ShareRule(f"party {n}", component, Fraction(percent, 100), cap, n * 7)
            for n, percent in enumerate(percents)
            for component in Component
        ),
        "party 0",
    )
    so_far, claims = Amounts(), dict.fromkeys(rule.parties, Amounts())
    for charge in charges:
        after = so_far + charge
        claims = claims_after(claims, so_far, after, rule)
        assert sum(claims.values(), Amounts()) == after
        so_far = after
    for party, amounts in claims.items():
        assert all(minor >= 0 for minor in amounts.values())
        assert party == "party 0" or all(minor <= cap for minor in amounts.values())
