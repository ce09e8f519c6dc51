"""The head of an MT940 statement or MT942 report, from the fields around its entries."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from adapters.statements.iban import account_of
from adapters.statements.sizes import ID_MOST
from adapters.statements.swift_fields import Field
from adapters.statements.textvalues import day_of, minor_of
from domain.errors import InvalidInput
from domain.money import exponent
from domain.statement.statement import (
    UNSTATED,
    Balance,
    BalanceKind,
    DocumentKind,
    Stated,
    Statement,
    Summary,
)
from domain.text import PLAIN_RULE, cleaned, is_plain
from ports.statements import StatementRefused

_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d[\d,.]*)", re.ASCII)
_NUMBER = re.compile(r"(\d{1,9})(?:/(\d{1,9}))?", re.ASCII)
_FLOOR = re.compile(r"([A-Z]{3})[CD]?\d[\d,.]*", re.ASCII)
_TOTAL = re.compile(r"(\d{1,9})([A-Z]{3})(\d[\d,.]*)", re.ASCII)
_INDICATED = re.compile(r"(\d{6})\d{4}([+-]\d{4})?", re.ASCII)
# Totals that some banks write below the closing balance: /SUM/2/3/1,00/2,00/ and D02C03D1,00C2,00.
_SUM = re.compile(r"/SUM/(\d{1,9})/(\d{1,9})/([\d,]+)/([\d,]+)/?", re.ASCII)
_OLD_SUM = re.compile(r"D(\d{1,9})C(\d{1,9})D([\d,]+)C([\d,]+)", re.ASCII)
_KINDS = {
    "60F": BalanceKind.OPENING_BOOKED,
    "60M": BalanceKind.INTERIM_BOOKED,
    "62F": BalanceKind.CLOSING_BOOKED,
    "62M": BalanceKind.INTERIM_BOOKED,
    "64": BalanceKind.CLOSING_AVAILABLE,
    "65": BalanceKind.FORWARD_AVAILABLE,
}
_OPENING, _CLOSING = ("60F", "60M"), ("62F", "62M")
ONCE = frozenset({"20", "25", "25P", "28", "28C", *_OPENING, *_CLOSING, "64", "90D", "90C"})
"""Fields that a message has once; all are kept until its end."""


def is_report(fields: Mapping[str, Sequence[Field]]) -> bool:
    """Whether the message is an interim report (MT942): it has no booked balances."""
    return not any(tag in fields for tag in (*_OPENING, *_CLOSING))


def statement_head(
    fields: Mapping[str, Sequence[Field]], info: Sequence[str], before: Statement | None
) -> Statement:
    """Read what stands around the entries.

    Args:
        fields: those of the message by tag, without its entries.
        info: the lines of a `:86:` below the closing balance.
        before: the statement before it in the file, which it may go on from.

    Raises:
        StatementRefused: a field that is missing or breaks a rule, with its line.
    """
    first = (fields.get("20") or fields.get("25") or fields["25P"])[0]
    report = is_report(fields)
    balances = [_balance(one) for tag in _KINDS for one in fields.get(tag, ())]
    opening = _first(fields, _OPENING)
    closing = _first(fields, _CLOSING)
    currency = _currency(fields, first)
    for one in balances:
        if one.currency != currency:
            field = next(f for tag in _KINDS for f in fields.get(tag, ()) if _balance(f) == one)
            raise _refused(field, one.currency, f"the currency of the statement, {currency}")
    if not report and (opening is None or closing is None):
        missing = ":60F:" if opening is None else ":62F:"
        raise StatementRefused(missing, "", "an opening and a closing balance", first.line)
    number, page = _number(fields, first)
    if page is None:
        after = before.page + 1 if before is not None and not before.is_last_page else 2
        page = after if opening is not None and opening.tag == "60M" else 1
    account = _account(fields, first, currency)
    is_last = closing is None or closing.tag == "62F"
    opened, closed = (None if one is None else _balance(one) for one in (opening, closing))
    day = _day(fields) if closed is None else closed.on
    bank_id, period = _named(first, number, (opened.on if opened else None, day))
    if before is not None and _goes_on(before, account, number, page):
        bank_id, period = before.whole_id, before.period
    elif not is_last or page > 1:
        period = None
    return Statement(
        id=bank_id if page == 1 else f"{bank_id}/p{page}",
        account=account,
        currency=currency,
        sequence=number,
        booked_on=day,
        opening_minor=None if opened is None else opened.minor,
        closing_minor=None if closed is None else closed.minor,
        period=period,
        page=page,
        is_last_page=is_last,
        summary=_summary(fields, info, currency),
        kind=DocumentKind.REPORT if report else DocumentKind.STATEMENT,
        balances=tuple(balances),
    )


def _goes_on(before: Statement, account: str, number: int | None, page: int) -> bool:
    return (before.account, before.sequence, before.page + 1, before.is_last_page) == (
        account,
        number,
        page,
        False,
    )


def _named(
    first: Field, number: int | None, days: tuple[date | None, date | None]
) -> tuple[str, tuple[date, date] | None]:
    """The id and the period of a statement.

    Numbers begin anew each year, and all pages of one statement share them; what the bank writes in
    `:20:` may be one word for ever, or differ by page, so it is the id only where there is no
    number.
    """
    opened, closed = days
    period = None if closed is None else (min(opened or closed, closed), closed)
    year = opened or closed
    if number is None or year is None:
        own = cleaned(first.text)[:ID_MOST] if first.tag == "20" else ""
        return own or "unnamed", period
    return f"{year.year}-{number}", period


def _first(fields: Mapping[str, Sequence[Field]], tags: Sequence[str]) -> Field | None:
    found = [field for tag in tags for field in fields.get(tag, ())]
    if len(found) > 1:
        raise _refused(found[1], found[1].text, f"one of :{tags[0]}: and :{tags[1]}:")
    return found[0] if found else None


def _balance(field: Field) -> Balance:
    found = _BALANCE.fullmatch(field.text)
    if found is None:
        raise _refused(field, field.text, "C or D, a date YYMMDD, a currency, an amount")
    try:
        minor = minor_of(found[4], found[3], field.name)
        on = day_of(found[2], field.name)
    except InvalidInput as error:
        raise _refused(field, error.value, error.rule) from None
    return Balance(_KINDS[field.tag], minor if found[1] == "C" else -minor, found[3], on)


def _currency(fields: Mapping[str, Sequence[Field]], first: Field) -> str:
    for tag in (*_OPENING, *_CLOSING):
        if tag in fields:
            return _balance(fields[tag][0]).currency
    for tag, form in (("34F", _FLOOR), ("90D", _TOTAL), ("90C", _TOTAL)):
        for field in fields.get(tag, ()):
            found = form.fullmatch(field.text)
            if found is None:
                raise _refused(field, field.text, "a currency and an amount")
            currency = found[1] if tag == "34F" else found[2]
            try:
                exponent(currency)
            except InvalidInput as error:
                raise _refused(field, currency, error.rule) from None
            return currency
    raise StatementRefused(":60F:", "", "a balance, or :34F: of an interim report", first.line)


def _number(fields: Mapping[str, Sequence[Field]], first: Field) -> tuple[int | None, int | None]:
    """Number of the statement and of its page; a number of zeros is none."""
    field = _either(fields, "28C", "28")
    if field is None:
        raise StatementRefused(":28C:", "", "the number of the statement", first.line)
    found = _NUMBER.fullmatch(field.text)
    if found is None:
        raise _refused(field, field.text, "a number, and that of the page behind a stroke")
    return int(found[1]) or None, int(found[2] or 0) or None


def _account(fields: Mapping[str, Sequence[Field]], first: Field, currency: str) -> str:
    field = _either(fields, "25", "25P")
    if field is None or not field.text:
        raise StatementRefused(":25:", "", "an account", first.line)
    if not is_plain(field.text):
        raise _refused(field, field.text, PLAIN_RULE)
    account = account_of(field.text, currency)
    if len(account) > ID_MOST:
        raise _refused(field, account, f"at most {ID_MOST} characters")
    return account


def _either(fields: Mapping[str, Sequence[Field]], *tags: str) -> Field | None:
    return next((fields[tag][0] for tag in tags if tag in fields), None)


def _day(fields: Mapping[str, Sequence[Field]]) -> date | None:
    """The day of an interim report."""
    for field in (*fields.get("13D", ()), *fields.get("13", ())):
        found = _INDICATED.fullmatch(field.text)
        if found is None:
            raise _refused(field, field.text, "a date and time YYMMDDHHMM, and its zone")
        try:
            return day_of(found[1], field.name)
        except InvalidInput as error:
            raise _refused(field, error.value, error.rule) from None
    return None


def _summary(
    fields: Mapping[str, Sequence[Field]], info: Sequence[str], currency: str
) -> Summary | None:
    sides: list[Stated | None] = []
    for tag in ("90D", "90C"):
        field = _either(fields, tag)
        sides.append(None if field is None else _total(field, currency))
    if any(sides):
        return Summary(debits=sides[0] or UNSTATED, credits=sides[1] or UNSTATED)
    text = "".join(info).strip()
    found = _SUM.search(text) or _OLD_SUM.fullmatch(text)
    if found is None:
        return None
    try:
        sums = [minor_of(found[group], currency, ":86:") for group in (3, 4)]
    except InvalidInput:
        return None  # a text after all
    return Summary(
        credits=Stated(int(found[2]), sums[1]),
        debits=Stated(int(found[1]), sums[0]),
    )


def _total(field: Field, currency: str) -> Stated:
    found = _TOTAL.fullmatch(field.text)
    if found is None or found[2] != currency:
        raise _refused(field, field.text, f"a number, {currency} and an amount")
    try:
        return Stated(int(found[1]), minor_of(found[3], currency, field.name))
    except InvalidInput as error:
        raise _refused(field, error.value, error.rule) from None


def _refused(field: Field, value: object, rule: str) -> StatementRefused:
    return StatementRefused(field.name, value, rule, field.line)
