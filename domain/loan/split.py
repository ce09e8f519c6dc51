"""Whose money it is: allocated amounts shared out between the parties of a loan, to the unit.

The split is always taken of everything allocated so far, and a payment moves the difference, so
partial payments never drift: 33.33 + 33.33 + 33.34 at 90/8/2 ends at exactly 90.00, 8.00, 2.00.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from domain.errors import InvalidInput, InvariantBroken
from domain.loan.amounts import Amounts, Component
from domain.money import largest_remainder


@dataclass(frozen=True, slots=True)
class ShareRule:
    """What one party gets of one component.

    Attributes:
        fraction: share of the component's allocated amount, 0 to 1.
        cap_minor: most that the party gets over the installment's life; None for no cap.
        fixed_minor: an amount taken before any fraction, as soon as the money is there.
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


def split(allocated: Amounts, rules: SplitRules) -> dict[str, Amounts]:
    """Shares of the cumulative allocated amounts; they sum to them component by component.

    Exact shares are rounded down and the units left over go to the largest remainders, ties to the
    remainder party. Every party of the rules is a key, also with nothing.
    """
    shares = dict.fromkeys(rules.parties, Amounts())
    for component in Component:
        whole = allocated.of(component)
        if whole < 0:
            raise InvariantBroken(f"allocated {component} is negative: {whole}")
        if whole:
            parts = _share_out(whole, rules.of(component), rules.remainder_party)
            for party, minor in parts.items():
                shares[party] = shares[party].plus(component, minor)
    return shares


def split_delta(before: Amounts, after: Amounts, rules: SplitRules) -> dict[str, Amounts]:
    """What moves to each party when the allocated amounts go from `before` to `after`.

    The parts sum to the difference; a party's own part may be one unit below zero where rounding
    had favoured it before.
    """
    was, becomes = split(before, rules), split(after, rules)
    return {party: becomes[party] - was[party] for party in rules.parties}


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
