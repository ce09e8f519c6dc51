"""Money: whole minor units, named rounding, divisions that lose nothing."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput, InvariantBroken
from domain.money import (
    MINOR_MAX,
    Money,
    Rounding,
    decimal_text,
    exponent,
    largest_remainder,
    parse_decimal,
    parse_minor,
    round_minor,
    round_ratio,
)

MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.DOWN: ROUND_DOWN,
    Rounding.UP: ROUND_UP,
}


def test_currencies_have_the_digits_of_iso_4217() -> None:
    """Two for most, none for yen, three for Kuwait's dinar, four for Chile's unit of account."""
    assert [exponent(code) for code in ("CNY", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]


@pytest.mark.parametrize("code", ["cny", "CN", "CNYX", "C1Y", "", "\uff23\uff2e\uff39"])
def test_a_currency_is_three_capital_letters(code: str) -> None:
    """Anything else is refused by field, value and rule."""
    with pytest.raises(InvalidInput) as refused:
        exponent(code)
    assert (refused.value.field, refused.value.value) == ("currency", code)


def test_two_currencies_never_add_up() -> None:
    """Adding yen to yuan is a fault, not a conversion."""
    assert Money(1, "CNY") + Money(2, "CNY") == Money(3, "CNY")
    assert Money(1, "CNY") - Money(3, "CNY") == -Money(2, "CNY")
    with pytest.raises(InvariantBroken):
        Money(1, "CNY") + Money(1, "JPY")
    with pytest.raises(InvariantBroken):
        Money(1, "CNY") - Money(1, "JPY")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (12345, "CNY", "123.45"),
        (-5, "CNY", "-0.05"),
        (0, "CNY", "0.00"),
        (7, "JPY", "7"),
        (-1, "KWD", "-0.001"),
    ],
)
def test_amounts_are_written_with_the_digits_of_their_currency(
    minor: int, currency: str, text: str
) -> None:
    """No grouping, a sign in front, and the same amount back when read."""
    assert decimal_text(minor, currency) == text
    assert str(Money(minor, currency)) == f"{text} {currency}"
    assert parse_minor(text, currency) == minor


@given(st.integers(-MINOR_MAX, MINOR_MAX), st.sampled_from(["CNY", "JPY", "KWD", "CLF"]))
def test_writing_and_reading_an_amount_gives_it_back(minor: int, currency: str) -> None:
    """For every amount that is accepted, in every number of digits."""
    assert parse_minor(decimal_text(minor, currency), currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "abc",
            "NaN",
            "Infinity",
            "1_000",
            "1,000",
            "1 000",
            "٣",
            "\uff11",
            "0x10",
            "--1",
            "1e",
            ".",
        ),
        *("1e100", "9" * 41),
    ],
)
def test_what_is_no_plain_number_is_no_amount(text: str) -> None:
    """Python reads underscores and digits of other scripts; a tape must not."""
    with pytest.raises(InvalidInput):
        parse_decimal(text, "amount")


@pytest.mark.parametrize(
    ("text", "minor"), [(" 12.30 ", 1230), ("+1.", 100), (".5", 50), ("1e2", 10000), ("1.100", 110)]
)
def test_plain_numbers_are_read_exactly(text: str, minor: int) -> None:
    """Spaces around, a sign, a short exponent and zeros at the end do no harm."""
    assert parse_minor(text, "CNY") == minor


@pytest.mark.parametrize("text", ["0.001", "1.005", "0.1000000000000000000000000000000001"])
def test_digits_that_a_currency_has_not_are_refused(text: str) -> None:
    """Also the 34th one, which a decimal context of 28 digits would drop in silence."""
    with pytest.raises(InvalidInput, match="at most 2 decimals for CNY"):
        parse_minor(text, "CNY")


def test_amounts_beyond_the_largest_are_refused() -> None:
    """The largest is taken, one unit more is not, on either side of zero."""
    assert parse_minor(decimal_text(MINOR_MAX, "CNY"), "CNY") == MINOR_MAX
    for minor in (MINOR_MAX + 1, -MINOR_MAX - 1):
        with pytest.raises(InvalidInput, match="minor units"):
            parse_minor(decimal_text(minor, "CNY"), "CNY")


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), st.sampled_from(Rounding))
def test_rounding_agrees_with_the_decimal_module(top: int, bottom: int, how: Rounding) -> None:
    """Every named way, on either side of zero, for fractions of any size."""
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(top) / bottom
        wanted = int(exact.to_integral_value(MODES[how]))
    assert round_ratio(top, bottom, how) == wanted
    assert round_minor(Fraction(top, bottom), how) == wanted


@given(st.integers(-(10**9), 10**9), st.sampled_from(Rounding))
def test_rounding_a_whole_amount_changes_nothing(minor: int, how: Rounding) -> None:
    """Rounding is idempotent."""
    assert round_minor(Decimal(minor), how) == minor


def test_half_a_cent_goes_where_the_name_says() -> None:
    """2.5 becomes 3, 2, 2 or 3; -2.5 mirrors it."""
    assert [round_minor(Decimal("2.5"), how) for how in Rounding] == [3, 2, 2, 3]
    assert [round_minor(Decimal("-2.5"), how) for how in Rounding] == [-3, -2, -2, -3]
    assert round_minor(Decimal("3.5"), Rounding.HALF_EVEN) == 4


@given(
    st.integers(0, 10**12),
    st.lists(st.fractions(0, 1), min_size=1, max_size=6).filter(lambda parts: sum(parts) > 0),
)
def test_parts_sum_to_the_whole_and_none_is_a_unit_off(total: int, weights: list[Fraction]) -> None:
    """Largest remainder: every part is its exact share rounded down or up."""
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / sum(weights)) < 1


def test_ties_go_to_the_part_named() -> None:
    """One cent between two halves goes to the first, or to whom the caller names."""
    halves = [Fraction(1, 2), Fraction(1, 2)]
    assert largest_remainder(1, halves) == [1, 0]
    assert largest_remainder(1, halves, first=1) == [0, 1]


@pytest.mark.parametrize("weights", [[], [Fraction(0)], [Fraction(2), Fraction(-1)]])
def test_weights_that_cannot_share_are_a_fault(weights: list[Fraction]) -> None:
    """Nothing to share by, or a negative share."""
    with pytest.raises(InvariantBroken):
        largest_remainder(100, weights)


def test_a_number_has_at_most_forty_characters() -> None:
    """Forty zeros are a number, one more is a flood."""
    assert parse_minor("0" * 40, "EUR") == 0
    with pytest.raises(InvalidInput, match="a decimal number"):
        parse_minor("0" * 41, "EUR")
