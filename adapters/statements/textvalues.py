"""Dates and amounts as text formats write them."""

import re
from datetime import date

from domain.errors import InvalidInput
from domain.money import parse_minor

_AMOUNT = re.compile(r"\d{1,15},\d{0,5}", re.ASCII)
_DAY = re.compile(r"\d{6}", re.ASCII)
_PIVOT = 80
"""Years of two digits below it are of this century."""


def day_of(text: str, field: str) -> date:
    """A day written YYMMDD.

    Raises:
        InvalidInput: another form, or no such day, such as the 30th of February.
    """
    if _DAY.fullmatch(text):
        year = int(text[:2])
        century = 2000 if year < _PIVOT else 1900
        try:
            return date(century + year, int(text[2:4]), int(text[4:]))
        except ValueError:
            pass
    raise InvalidInput(field, text, "a date that exists, as YYMMDD")


def minor_of(text: str, currency: str, field: str) -> int:
    """An amount without sign with a decimal comma, in minor units.

    Raises:
        InvalidInput: another form, or more decimals than the currency has, unless they are zero.
    """
    if not _AMOUNT.fullmatch(text):
        raise InvalidInput(field, text, "digits with a decimal comma, at most 15 before it")
    return parse_minor(text.replace(",", "."), currency, field)
