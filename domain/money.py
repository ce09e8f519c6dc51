"""Money as whole minor units of an ISO 4217 currency, and ways of dividing it that lose nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from domain.errors import InvalidInput, InvariantBroken

# ISO 4217 list one: codes of money by their digits after the decimal point. Codes of metals, funds
# units without digits, of tests and of "no currency" are no money and are not listed.
_LISTED = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN"
        " BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN"
        " ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD"
        " KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR"
        " MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON"
        " RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT"
        " TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS: Mapping[str, int] = {
    code: digits for digits, codes in _LISTED.items() for code in codes.split()
}
MINOR_MAX = 10**15
"""Largest amount that is accepted, in minor units: a typing error must not become a debt."""
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_LONGEST_NUMBER = 40


class Rounding(StrEnum):
    """How a fraction of a minor unit becomes a whole one; always named, never a default."""

    HALF_UP = "half-up"
    HALF_EVEN = "half-even"
    DOWN = "down"
    UP = "up"


def exponent(currency: str) -> int:
    """Digits after the decimal point of a currency (ISO 4217): CNY 2, JPY 0, KWD 3.

    Raises:
        InvalidInput: no currency of the list, such as ZZZ or the code for none.
    """
    digits = _EXPONENTS.get(currency)
    if digits is None:
        raise InvalidInput("currency", currency, "a currency of ISO 4217, such as EUR or CNY")
    return digits


def round_ratio(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Round `numerator / denominator` to a whole number; the denominator is above zero."""
    whole, rest = divmod(abs(numerator), denominator)
    match rounding:
        case Rounding.DOWN:
            up = False
        case Rounding.UP:
            up = rest > 0
        case Rounding.HALF_UP:
            up = rest * 2 >= denominator
        case Rounding.HALF_EVEN:
            up = rest * 2 > denominator or (rest * 2 == denominator and whole % 2 == 1)
        case _:
            assert_never(rounding)
    magnitude = whole + up
    return -magnitude if numerator < 0 else magnitude


def round_minor(value: Decimal | Fraction, rounding: Rounding) -> int:
    """Round an exact amount of minor units to a whole one, away from or towards zero as named."""
    return round_ratio(*value.as_integer_ratio(), rounding)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units. Adding two currencies is an error, never a conversion."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        return f"{decimal_text(self.minor, self.currency)} {self.currency}"

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise InvariantBroken(f"{self.currency} and {other.currency} do not add up")


def decimal_text(minor: int, currency: str) -> str:
    """`12345, "CNY"` -> `"123.45"`: exact, no grouping, always the currency's digits."""
    digits = exponent(currency)
    if digits == 0:
        return str(minor)
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}.{rest:0{digits}d}"


def amount_text(minor: int, currency: str) -> str:
    """`12345, "CNY"` -> `"123.45 CNY"`: an amount in a sentence for people."""
    return f"{decimal_text(minor, currency)} {currency}"


def parse_decimal(text: str | Decimal | int, field: str) -> Decimal:
    """Read a plain decimal number: ASCII digits, one point, at most a short exponent.

    Raises:
        InvalidInput: anything else, such as NaN, 1_000, 1,000 or digits of another script.
    """
    written = str(text).strip()
    if len(written) > _LONGEST_NUMBER or not _NUMBER.fullmatch(written):
        raise InvalidInput(field, text, "a decimal number")
    return Decimal(written)


def parse_minor(text: str | Decimal | int, currency: str, field: str = "amount") -> int:
    """Read a decimal amount exactly; more digits than the currency has are refused unless zero.

    Raises:
        InvalidInput: not a plain number, too many digits, or beyond `MINOR_MAX`.
    """
    exact = Fraction(parse_decimal(text, field)) * int(10 ** exponent(currency))
    if exact.denominator != 1:
        raise InvalidInput(field, text, f"at most {exponent(currency)} decimals for {currency}")
    if abs(exact.numerator) > MINOR_MAX:
        raise InvalidInput(field, text, f"at most {MINOR_MAX} minor units")
    return exact.numerator


def largest_remainder(total: int, weights: Sequence[Fraction], first: int = 0) -> list[int]:
    """Split `total` by `weights` so that the parts sum to it exactly.

    Each part is its exact share rounded down; the units left over go to the largest remainders,
    ties to the index `first` and then in order. Weights are not negative and not all zero.
    """
    sum_of_weights = sum(weights, Fraction(0))
    if sum_of_weights <= 0 or any(weight < 0 for weight in weights):
        raise InvariantBroken("weights are not negative and at least one is above zero")
    exact = [Fraction(total) * weight / sum_of_weights for weight in weights]
    parts = [share.numerator // share.denominator for share in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i != first, i))
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts
