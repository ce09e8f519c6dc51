"""Splits charges and payments over the parties of a loan.

A charge makes claims by the product's shares. Whatever draws the claims (a payment, a waiver, a
write-off) is split over what the parties are still due, so that nobody ever gets less than nothing
or more than their claim, and everybody has exactly their claim when nothing is left: 33.33 + 33.33
+ 33.34 at 90/8/2 ends at 90.00, 8.00 and 2.00. All amounts are minor units.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from domain.errors import InvalidInput, InvariantBroken
from domain.money import largest_remainder
from domain.pricing.amounts import Amounts, Component


@dataclass(frozen=True, slots=True)
class ShareRule:
    """What one party gets of one component.

    Attributes:
        fraction: share of the component's charged amount, 0 to 1.
        cap_minor: most that the party gets over the installment's life; None for no cap.
        fixed_minor: an amount due before any fraction, and paid first.
    """

    party: str
    component: Component
    fraction: Fraction
    cap_minor: int | None = None
    fixed_minor: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.fraction <= 1:
            raise InvalidInput("share", self.fraction, "a fraction from 0 to 1")
        if self.fixed_minor < 0 or (self.cap_minor is not None and self.cap_minor < 0):
            raise InvalidInput("share", self.party, "fixed amount and cap are not negative")


@dataclass(frozen=True, slots=True)
class SplitRules:
    """All shares; what no rule gives away, and what a cap cuts off, is the remainder party's."""

    rules: tuple[ShareRule, ...]
    remainder_party: str

    def __post_init__(self) -> None:
        for component in Component:
            whole = sum((rule.fraction for rule in self.of(component)), Fraction(0))
            if whole > 1:
                raise InvalidInput(f"shares of {component}", whole, "sum to at most 1")
            parties = [rule.party for rule in self.of(component)]
            if len(set(parties)) != len(parties):
                raise InvalidInput(f"shares of {component}", parties, "each party once")

    def of(self, component: Component) -> tuple[ShareRule, ...]:
        """Rules of one component, in their order."""
        return tuple(rule for rule in self.rules if rule.component is component)

    @property
    def parties(self) -> tuple[str, ...]:
        """Every party once; the remainder party first."""
        return tuple(dict.fromkeys([self.remainder_party, *(rule.party for rule in self.rules)]))


def split(charged: Amounts, rules: SplitRules) -> dict[str, Amounts]:
    """What each party is due of everything charged so far, component by component.

    Exact shares are rounded down and the units left over go to the largest remainders, ties to the
    remainder party. Every party of the rules is a key, also with nothing.
    """
    shares = dict.fromkeys(rules.parties, Amounts())
    for component in Component:
        whole = charged.of(component)
        if whole < 0:
            raise InvariantBroken(f"charged {component} is negative: {whole}")
        if whole:
            parts = _share_out(whole, rules.of(component), rules.remainder_party)
            for party, minor in parts.items():
                shares[party] = shares[party].plus(component, minor)
    return shares


def claims_after(
    claims: Mapping[str, Amounts], before: Amounts, after: Amounts, rules: SplitRules
) -> dict[str, Amounts]:
    """What each party is still due when everything charged goes from `before` to `after`.

    `claims` is what each party is still due now. A reversal takes a unit more from one party and
    less from another where rounding has drawn their claims unevenly: no claim falls below zero.
    """
    was, becomes = split(before, rules), split(after, rules)
    wanted = {p: claims.get(p, Amounts()) + becomes[p] - was[p] for p in rules.parties}
    result = dict.fromkeys(rules.parties, Amounts())
    for component in Component:
        for party, minor in _floored({p: a.of(component) for p, a in wanted.items()}).items():
            result[party] = result[party].plus(component, minor)
    return result


def draw(
    claims: Mapping[str, int], minor: int, first: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Split an amount over claims: each part is at least zero and at most the party's claim.

    Args:
        claims: what each party can get, not negative.
        minor: minor units to split, from zero to the sum of the claims.
        first: what single parties get before the rest is split in proportion to the claims.

    Raises:
        InvariantBroken: more than all claims, or less than nothing.
    """
    if not 0 <= minor <= sum(claims.values()):
        raise InvariantBroken(f"{minor} cannot be drawn from claims of {dict(claims)}")
    parts = dict.fromkeys(claims, 0)
    left = minor
    for party, most in (first or {}).items():
        parts[party] = min(most, claims[party], left)
        left -= parts[party]
    open_claims = {party: claim - parts[party] for party, claim in claims.items()}
    if left:
        weights = [Fraction(claim) for claim in open_claims.values()]
        for party, part in zip(open_claims, largest_remainder(left, weights), strict=True):
            parts[party] += part
    return parts


def _floored(wanted: Mapping[str, int]) -> dict[str, int]:
    """The same sum without anything below zero: what is short is taken off the largest claims."""
    result = {party: max(0, minor) for party, minor in wanted.items()}
    over = sum(result.values()) - sum(wanted.values())
    for party in sorted(result, key=lambda name: -result[name]):
        taken = min(over, result[party])
        result[party] -= taken
        over -= taken
    return result


def _share_out(whole: int, rules: tuple[ShareRule, ...], remainder: str) -> Mapping[str, int]:
    if all(rule.party == remainder for rule in rules):
        return {remainder: whole}  # nobody to share with, whatever is fixed or capped
    parts = dict.fromkeys([remainder, *(rule.party for rule in rules)], 0)
    left = whole
    for rule in rules:
        fixed = min(rule.fixed_minor, left)
        parts[rule.party] += fixed
        left -= fixed
    weights = dict.fromkeys(parts, Fraction(0))
    for rule in rules:
        weights[rule.party] += rule.fraction
    weights[remainder] += 1 - sum(weights.values(), Fraction(0))
    for party, minor in zip(weights, largest_remainder(left, list(weights.values())), strict=True):
        parts[party] += minor
    for rule in rules:
        if rule.cap_minor is not None and (over := parts[rule.party] - rule.cap_minor) > 0:
            parts[rule.party] -= over
            parts[remainder] += over
    return parts
