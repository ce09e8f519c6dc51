"""Reads one cell of a tape as a name, a number, an amount or a day, or says what rule it breaks."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date

from domain.errors import InvalidInput
from domain.money import parse_minor
from ports.boarding import HIDDEN, is_private

_DIGITS = re.compile(r"\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_NAMES = {
    # A loan id is part of order numbers and of ids of messages and workflows, so it is short.
    "loan_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}", re.ASCII),
    "tenant": _TOKEN,
    "borrower": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", re.ASCII),
    "mandate_ref": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", re.ASCII),
    "account_token": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", re.ASCII),
    "merchant_id": re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII),
    "code": re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII),
}


def hidden(error: InvalidInput) -> InvalidInput:
    """The error, without a value that may name a person or an account."""
    if error.value in {None, "", HIDDEN} or not is_private(error.field):
        return error
    return InvalidInput(error.field, HIDDEN, error.rule)


@contextmanager
def nothing_private() -> Iterator[None]:
    """Errors that leave the block, or the function that it decorates, show no private value."""
    try:
        yield
    except InvalidInput as error:
        raise hidden(error) from None


def name_of(values: Mapping[str, str], field: str, default: str | None = None) -> str:
    """A name or token of the form that its field has; `default` where it is not given."""
    text = values.get(field, default)
    if text is None:
        raise InvalidInput(field, None, "must be given")
    if not _NAMES[field].fullmatch(text):
        raise InvalidInput(field, text, f"matches {_NAMES[field].pattern}")
    return text


def given(values: Mapping[str, str], field: str) -> str:
    """The text of a field that must be there."""
    try:
        return values[field]
    except KeyError:
        raise InvalidInput(field, None, "must be given") from None


def bounded_text(values: Mapping[str, str], field: str, most: int) -> str:
    """Free text of at most `most` characters, empty where it is not given."""
    text = values.get(field, "")
    if len(text) > most:
        raise InvalidInput(field, text, f"at most {most} characters")
    return text


def periods_of(values: Mapping[str, str]) -> int:
    """The number of installments."""
    return whole_number(given(values, "periods"), "periods")


def whole_number(text: str, field: str, digits: int = 4) -> int:
    """A number of at most so many digits."""
    if not _DIGITS.fullmatch(text) or len(text) > digits:
        raise InvalidInput(field, text, f"a whole number of at most {digits} digits")
    return int(text)


def money(text: str, currency: str, field: str) -> int:
    """An amount in minor units."""
    return parse_minor(plain_number(text, field), currency, field)


def amount(text: str, currency: str, field: str) -> int:
    """An amount in minor units that is not negative."""
    minor = money(text, currency, field)
    if minor < 0:
        raise InvalidInput(field, text, "not negative")
    return minor


def plain_number(text: str, field: str) -> str:
    """A number without grouping, currency or exponent: "1,200" is read differently by country."""
    if not _DECIMAL.fullmatch(text):
        raise InvalidInput(field, text, "a plain decimal number, such as 1200.50")
    return text


def whole_day(text: str, field: str) -> date:
    """A day written YYYY-MM-DD."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidInput(field, text, "a date written YYYY-MM-DD")
