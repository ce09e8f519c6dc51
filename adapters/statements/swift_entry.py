"""One `:61:` with its `:86:` as a statement line, booked or expected."""

import re
from collections.abc import Sequence
from datetime import date

from adapters.statements.swift_details import Details, details
from adapters.statements.textvalues import day_of, minor_of
from domain.errors import InvalidInput
from domain.money import parse_minor
from domain.statement.identity import REFERENCE_MOST, given
from domain.statement.statement import EntryStatus, LineItem, Statement, StatementLine
from domain.text import cleaned

_FORM = (
    "value date YYMMDD, booking date MMDD or nothing, one of C D RC RD EC ED, a letter of the"
    " currency or nothing, an amount with a decimal comma, a type such as NTRF, a reference"
)
_ENTRY = re.compile(
    r"(?P<value>\d{6})(?P<booked>\d{4})?\s?(?P<mark>RC|RD|EC|ED|C|D)[A-Z]?"
    r"(?P<amount>\d[\d,.]*)(?P<type>[A-Z][A-Z0-9]{3})(?P<refs>.*)",
    re.ASCII | re.DOTALL,
)
_SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1, "EC": 1, "ED": -1}
_REVERSALS = frozenset({"RC", "RD"})
_EXPECTED = frozenset({"EC", "ED"})
_NO_CUSTOMER_REFERENCE = frozenset({"KREF+", "EREF+", "MREF+"})
_ORIGINAL = re.compile(r"/?OCMT/([A-Z]{3}[\d,]+)/*")
_CHARGES = re.compile(r"/?CHGS/([A-Z]{3}[\d,]+)/*")
_STATED = re.compile(r"([A-Z]{3})?\s*(\d{1,15}(?:,\d{0,5})?)", re.ASCII)


def statement_line(entry: Sequence[str], info: Sequence[str], head: Statement) -> StatementLine:
    """One entry: the lines of its `:61:` and those of its `:86:`, none where it has none.

    Raises:
        InvalidInput: names the part of `:61:` that breaks a rule.
    """
    found = _ENTRY.fullmatch(entry[0].strip())
    if found is None:
        raise InvalidInput(":61:", entry[0], _FORM)
    mark = found["mark"]
    minor = _SIGNS[mark] * minor_of(found["amount"], head.currency, ":61: amount")
    value_on = day_of(found["value"], ":61: value date")
    booked_on = value_on
    if found["booked"] is not None:
        booked_on = _nearest(found["booked"], value_on, head.period)
    customer, _, servicer = found["refs"].partition("//")
    said = details(info)
    _supplement(said, entry[1:])
    items = _items(said, customer.strip(), minor, head.currency)
    return StatementLine(
        id="",
        account=head.account,
        booked_on=booked_on,
        value_on=value_on,
        amount_minor=minor,
        currency=head.currency,
        servicer_ref=cleaned(servicer)[:REFERENCE_MOST] or None,
        reversal=mark in _REVERSALS,
        items=items,
        batch_ref=(said.batch_ref or _customer(customer)) if said.is_batch else None,
        batch_count=said.batch_count,
        text=said.text,
        status=EntryStatus.PENDING if mark in _EXPECTED else EntryStatus.BOOKED,
        printed=found["amount"],
        code="/".join(filter(None, (found["type"], said.code))),
    )


def _nearest(text: str, value_on: date, period: tuple[date, date] | None) -> date:
    """A booking day written MMDD: a day of the statement, else the one nearest to the value date.

    A value date may be many months off, in another year than the statement.
    """
    days: list[date] = []
    years = {value_on.year - 1, value_on.year, value_on.year + 1}
    years |= set() if period is None else {day.year for day in period}
    for year in sorted(years):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue  # the 29th of February is only in some
    if not days:
        raise InvalidInput(":61: booking date", text, "a date that exists, as MMDD")
    inside = [day for day in days if period is not None and period[0] <= day <= period[1]]
    return min(inside or days, key=lambda day: abs((day - value_on).days))


def _customer(text: str) -> str | None:
    """The reference for the owner of the account, unless it only says where the reference is."""
    text = cleaned(text)[:REFERENCE_MOST]
    return None if text in _NO_CUSTOMER_REFERENCE else given(text or None)


def _supplement(said: Details, lines: Sequence[str]) -> None:
    """The second line of `:61:`: amounts of a return, or a text."""
    text = cleaned(" ".join(lines))
    if (original := _ORIGINAL.search(text)) is not None:
        said.original = said.original or original[1]
    if (charges := _CHARGES.search(text)) is not None:
        said.charges = said.charges or charges[1]
    rest = cleaned(_CHARGES.sub("", _ORIGINAL.sub("", text)))
    if rest:
        said.text = cleaned(f"{said.text} {rest}")


def _items(said: Details, customer: str, minor: int, currency: str) -> tuple[LineItem, ...]:
    """The one transaction of an entry that says something of it; a batch has none."""
    reference = _customer(customer)
    named = said.end_to_end_id or reference
    if said.is_batch:
        return ()
    counterparty = said.counterparty
    told = (named, said.mandate_ref, said.return_reason, counterparty, said.batch_ref)
    if not any(told) and not said.remittance:
        return ()
    amount, charges = _amounts(said, minor, currency)
    others = [*said.other_refs]
    if said.batch_ref is not None:
        others.append(("KREF", said.batch_ref))
    if reference is not None and reference != named:
        others.append(("customer", reference))
    item = LineItem(
        end_to_end_id=named,
        mandate_ref=said.mandate_ref,
        tx_id=None,
        amount_minor=amount,
        charges_minor=charges,
        return_reason=said.return_reason,
        remittance=said.remittance,
        counterparty=counterparty,
        other_refs=tuple(others),
    )
    return (item,)


def _amounts(said: Details, minor: int, currency: str) -> tuple[int, int]:
    """What was ordered or returned, signed, and the charges in the booked amount.

    A return for which only the original amount is stated was booked with the rest as charges.
    Amounts that do not explain the booked one are left out.
    """
    sign = -1 if minor < 0 else 1
    charges, original = _stated(said.charges, currency), _stated(said.original, currency)
    if charges is None and original is not None and said.return_reason is not None:
        charges = sign * original - minor
    if charges is None or charges < 0:
        return minor, 0
    amount = minor + charges
    if original is not None and amount != sign * original:
        return minor, 0
    return amount, charges


def _stated(text: str | None, currency: str) -> int | None:
    """An amount that stands in a text, where it is in this currency and can be read."""
    found = _STATED.fullmatch((text or "").strip().rstrip("/"))
    if found is None or found[1] not in {None, currency}:
        return None
    try:
        return parse_minor(found[2].replace(",", ".").rstrip("."), currency)
    except InvalidInput:
        return None
