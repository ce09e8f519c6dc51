"""The rate at which cash flows are worth nothing: searched with floats, proven with decimals.

No figure of this file is ever posted: rates are disclosed and compared, money is not made of them.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import accumulate, islice

from domain.errors import InvalidInput, InvariantBroken
from domain.loan.cashflow import PRECISION, Flow, Odd, check_flows, sign_changes, worth

LOWEST, HIGHEST = -0.9999, 1e16
"""Rates per unit period between which one is looked for; the highest doubles money each week."""
_COARSE = (
    *(LOWEST, -0.999, -0.99, -0.95, -0.9, -0.8, -0.7, -0.6, -0.5, -0.4, -0.3, -0.2, -0.1, -0.05),
    *(-0.02, -0.01, 0.0, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 100.0),
    *(10.0**step for step in range(3, 17)),
)
_FINE = (
    *(LOWEST, -0.999, -0.995),
    *(step / 1000 for step in range(-990, 1000)),
    *(1.02**step for step in range(1861)),
    HIGHEST,
)
_SEARCH_STEPS = 200
_POLISH_STEPS = 8
_LAST_DIGIT = Decimal("1e-30")
"""Rates are given to this digit, so that one that is a short decimal comes out as it."""
_PROOF = Decimal("1e-18")


def solve(flows: Sequence[Flow], odd: Odd, *, negative: bool = False) -> Decimal:
    """Rate per unit period, correct to `_PROOF`.

    Flows whose sign changes once have one rate (Descartes); those whose running sum changes its
    sign once have one above zero (Norstrom 1972), and it is taken; others are searched over the
    whole range, and several rates are an error.

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
    grid = [rate for rate in (_COARSE if sure else _FINE) if rate >= 0 or not above_zero]
    # One rate is enough where there is only one; elsewhere all of them are counted.
    found = list(islice(_brackets(value, grid), 1 if sure else None))
    if not found:
        raise InvalidInput(
            "flows", _shown(ordered), "a rate at which they are worth nothing; there is none"
        )
    if len(found) > 1:
        rule = f"one rate at which they are worth nothing; there are at least {len(found)}"
        raise InvalidInput("flows", _shown(ordered), rule)
    return _polish(ordered, odd, _search(value, *found[0]))


def _brackets(
    value: Callable[[float], float], grid: Sequence[float]
) -> Iterator[tuple[float, float]]:
    """Where the worth is zero, or changes its sign from one rate to the next."""
    before, worth_before = grid[0], value(grid[0])
    if worth_before == 0:
        yield before, before
    for rate in grid[1:]:
        now = value(rate)
        if now == 0:
            yield rate, rate
        elif now * worth_before < 0:
            yield before, rate
        before, worth_before = rate, now


def _floating(flows: Sequence[Flow], odd: Odd) -> Callable[[float], float]:
    """Worth at a rate, in floats; below zero it is taken at the last flow, where nothing overflows.

    The sign is the same at either time, and only the sign and the root matter to the search.
    """
    terms = [(float(flow.minor), flow.whole, float(flow.fraction)) for flow in flows]
    last = terms[-1][1] + 1

    def value(rate: float) -> float:
        growth, total = 1.0 + rate, 0.0
        for minor, whole, part in terms:
            share = (1.0 + part * rate) if odd is Odd.SIMPLE else growth**part
            power = growth ** (last - whole) if rate < 0 else growth**-whole
            total += minor * power / share
        return total

    return value


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
    """Secant steps in decimals from the float, then the proof: the worth changes its sign there."""
    with localcontext() as context:
        context.prec = PRECISION
        before, at = Decimal(found) + Decimal("1e-9"), Decimal(found)
        worth_before, worth_at, steps = worth(flows, before, odd), worth(flows, at, odd), 0
        while worth_at not in (0, worth_before) and steps < _POLISH_STEPS:
            step = worth_at * (at - before) / (worth_at - worth_before)
            steps = _POLISH_STEPS if abs(step) < _LAST_DIGIT else steps + 1
            before, worth_before, at = at, worth_at, at - step
            worth_at = worth(flows, at, odd)
        return _proven(flows, odd, at.quantize(_LAST_DIGIT))


def _proven(flows: Sequence[Flow], odd: Odd, rate: Decimal) -> Decimal:
    below, above = worth(flows, rate - _PROOF, odd), worth(flows, rate + _PROOF, odd)
    if below * above >= 0:
        raise InvariantBroken(f"{rate} is not the rate of {_shown(flows)}")
    return rate


def _shown(flows: Sequence[Flow]) -> str:
    """The flows for a message, without their amounts."""
    return f"{len(flows)} from period {flows[0].at} to {flows[-1].at}"
