"""The equal installment: the amount that, paid each period, leaves exactly the balloon.

With i_k the exact interest of one unit in period k, and the balance B at its start, the installment
solves  B + lent + interest_now - A = A * (v1 + v1*v2 + ...) + balloon * (v1 * ... * vn),
v_k = 1 / (1 + i_k). For equal periods that is P*i*(1+i)^n / ((1+i)^n - 1); for actual days it is
the one amount that is level over periods of unequal length.
"""

from collections.abc import Sequence

from domain.money import Rounding, round_ratio

Ratio = tuple[int, int]
"""Numerator and denominator, not reduced: reducing such numbers costs more than it saves."""


def level_installment(
    owed_at_first: Ratio,
    later_factors: Sequence[Ratio],
    balloon_minor: int,
    rounding: Rounding,
    unit_minor: int,
) -> int:
    """Installment in minor units, rounded as named and then up to a multiple of `unit_minor`.

    Args:
        owed_at_first: principal and interest owed on the first due date, before it is paid.
        later_factors: interest on one unit of balance for each period after the first.
        rounding: of the exact installment to minor units.
        balloon_minor: principal to be left after the last installment.
        unit_minor: 0 or 1 for none.
    """
    present, discount, scale = 0, 1, 1
    for numerator, denominator in reversed(later_factors):
        present = (scale + present) * denominator
        discount *= denominator
        scale *= denominator + numerator
    owed, parts = owed_at_first
    exact = round_ratio(
        owed * scale - parts * balloon_minor * discount, parts * (scale + present), rounding
    )
    return round_up_to(exact, unit_minor)


def round_up_to(minor: int, unit_minor: int) -> int:
    """The smallest multiple of `unit_minor` that is not below `minor`; 0 or 1 changes nothing."""
    return -(-minor // unit_minor) * unit_minor if unit_minor > 1 else minor
