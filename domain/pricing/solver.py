"""The rate at which cash flows have a present value of zero: searched in floats, then proven.

No figure of this file is ever posted: rates are disclosed and compared, never booked.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import accumulate, islice
from math import exp, expm1

from domain.errors import InvalidInput, InvariantBroken
from domain.pricing.cashflow import PRECISION, Flow, Odd, check_flows, present_value, sign_changes

LONGEST = 20_000.0
"""Rates are searched by ln(1 + rate) of a unit period, from minus this to plus this.

A debt that grows from the smallest amount to the largest in a day stays within it, in years too.
"""
_SIMPLE_MOST = 600.0
"""The same where parts of a period bear simple interest: the rate itself has to fit a float."""
_NEAR = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0, 15.0, 22.0, 37.0)
_FAR = tuple(37.0 * 1.02**step for step in range(1, 318))
_COARSE_ABOVE = (*_NEAR, 70.0, 150.0, 300.0, _SIMPLE_MOST, 1e3, 2e3, 5e3, 1e4, LONGEST)
_FINE_ABOVE = (
    *(step / 1000 for step in range(1, 700)),
    *(step / 50 for step in range(35, 1851)),
    *_FAR,
    LONGEST,
)


def _both_sides(above: Sequence[float]) -> tuple[float, ...]:
    return (*(-step for step in reversed(above)), 0.0, *above)


_COARSE, _FINE = _both_sides(_COARSE_ABOVE), _both_sides(_FINE_ABOVE)
_SEARCH_STEPS = 200
_POLISH_STEPS = 8
_LAST_DIGIT = Decimal("1e-30")
"""What a debt grows by is given to this digit, so that a rate that is a short decimal comes out
as it; growth of 10 and more, or far below 1, to as many digits of its own."""
_PROOF = Decimal("1e-18")
"""Of the growth: the present value changes its sign within so much of it on either side."""


def solve(flows: Sequence[Flow], odd: Odd, *, negative: bool = False) -> Decimal:
    """Rate per unit period; what a debt grows by, 1 + rate, is correct to `_PROOF` of itself.

    Flows whose sign changes once have exactly one rate (Descartes), above or below zero. Flows
    whose running sum changes its sign once and does not end at zero have exactly one rate above
    zero (Norstrom 1972), and it is taken whatever lies below zero. Others are searched on a fine
    grid up to `LONGEST`, and several rates are an error. Two rates that lie between two points of
    the grid are not seen.

    Args:
        flows: advances below zero, payments above, in any order.
        odd: how parts of a unit period bear interest.
        negative: whether a rate below zero is an answer (IRR) or none (APR).

    Raises:
        InvalidInput: no such rate exists, or several do.
    """
    ordered = check_flows(flows)
    value = _floating(ordered, odd)
    amounts = [flow.minor for flow in ordered]
    once = sign_changes(amounts) == 1
    # Sums that end at nothing have zero as a rate, beside the one above zero if there is one.
    norstrom = sign_changes(accumulate(amounts)) == 1 and sum(amounts) != 0
    above_zero = not negative or (norstrom and not once and sum(amounts) > 0)
    sure = once or (norstrom and above_zero)
    most = _SIMPLE_MOST if odd is Odd.SIMPLE else LONGEST
    lowest = 0.0 if above_zero else -most
    grid = [at for at in (_COARSE if sure else _FINE) if lowest <= at <= most]
    # One rate is enough where there is only one; elsewhere all of them are counted.
    found = list(islice(_brackets(value, grid), 1 if sure else None))
    if not found:
        raise InvalidInput(
            "flows", _shown(ordered), "a rate at which their present value is zero; there is none"
        )
    if len(found) > 1:
        rule = f"one rate at which their present value is zero; there are at least {len(found)}"
        raise InvalidInput("flows", _shown(ordered), rule)
    return _polish(ordered, odd, _search(value, *found[0]))


def _brackets(
    value: Callable[[float], float], grid: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Where the present value is zero, or changes its sign from one point to the next."""
    before, value_before = grid[0], value(grid[0])
    if value_before == 0:
        yield before, before
    for at in grid[1:]:
        now = value(at)
        if now == 0:
            yield at, at
        elif (now < 0) != (value_before < 0) and value_before != 0:
            yield before, at
        before, value_before = at, now


def _floating(flows: Sequence[Flow], odd: Odd) -> Callable[[float], float]:
    """The present value of the flows in floats, as a function of ln(1 + rate).

    It is taken at the time of the first flow, and of the last where the rate is below zero, so that
    nothing overflows and the largest term never vanishes. The sign is the same at any time, and
    only the sign and the root matter to the search.
    """
    first, last = flows[0], flows[-1]
    if odd is Odd.SIMPLE:
        whole = [(float(flow.minor), flow.whole, float(flow.fraction)) for flow in flows]

        def simple(at: float) -> float:
            rate, then = expm1(at), last.whole if at < 0 else first.whole
            return sum(
                minor * exp(at * (then - periods)) / (1.0 + part * rate)
                for minor, periods, part in whole
            )

        return simple
    dated = [(float(flow.minor), float(flow.at)) for flow in flows]
    ends = float(first.at), float(last.at)

    def compound(at: float) -> float:
        then = ends[at < 0]
        return sum(minor * exp(at * (then - time)) for minor, time in dated)

    return compound


def _search(value: Callable[[float], float], low: float, high: float) -> float:
    """False position with Illinois halving: at most `_SEARCH_STEPS`, then the best so far."""
    at_low, at_high = value(low), value(high)
    best, side = low, 0
    for _ in range(_SEARCH_STEPS):
        if at_low == at_high:
            break
        best = (low * at_high - high * at_low) / (at_high - at_low)
        at_best = value(best)
        if at_best == 0 or abs(high - low) <= 1e-15 * max(1.0, abs(best)):
            break
        if (at_best < 0) == (at_high < 0):
            high, at_high = best, at_best
            at_low = at_low / 2 if side == -1 else at_low
            side = -1
        else:
            low, at_low = best, at_best
            at_high = at_high / 2 if side == 1 else at_high
            side = 1
    return best


def _polish(flows: Sequence[Flow], odd: Odd, found: float) -> Decimal:
    """Secant steps in decimals from the float, then the proof: the present value changes sign."""
    with localcontext() as context:
        context.prec = PRECISION
        at = Decimal(found).exp()
        before = at * (1 + Decimal("1e-9"))
        value_before, value_at = _value_at(flows, odd, before), _value_at(flows, odd, at)
        digit, steps = _last_digit(at), 0
        while value_at not in (0, value_before) and steps < _POLISH_STEPS:
            step = value_at * (at - before) / (value_at - value_before)
            steps = _POLISH_STEPS if abs(step) < digit else steps + 1
            before, value_before, at = at, value_at, at - step
            value_at = _value_at(flows, odd, at)
        return _proven(flows, odd, at.quantize(digit))


def _value_at(flows: Sequence[Flow], odd: Odd, growth: Decimal) -> Decimal:
    return present_value(flows, _rate_of(growth), odd)


def _last_digit(growth: Decimal) -> Decimal:
    size = growth.adjusted()
    return _LAST_DIGIT.scaleb(max(0, size) + min(0, size + 1))


def _proven(flows: Sequence[Flow], odd: Odd, growth: Decimal) -> Decimal:
    """The rate, all its digits, of a growth around which the present value changes its sign."""
    below, above = (_value_at(flows, odd, growth * (1 + part)) for part in (-_PROOF, _PROOF))
    if below * above >= 0:
        raise InvariantBroken(f"growth of {growth} is not that of {_shown(flows)}")
    return _rate_of(growth)


def _rate_of(growth: Decimal) -> Decimal:
    """Growth less one, exactly: a growth near zero is a rate of -0.99..., with many nines."""
    with localcontext() as context:
        context.prec = PRECISION + max(0, -growth.adjusted())
        return growth - 1


def _shown(flows: Sequence[Flow]) -> str:
    """The flows for a message, without their amounts."""
    return f"{len(flows)} from period {flows[0].at} to {flows[-1].at}"
