"""One account of a BAI2 file: its head (record 03) and its entries (records 16)."""

import re
from datetime import date
from typing import Protocol

from adapters.statements.bai2_codes import (
    BALANCES,
    NOT_MONEY,
    RETURNS,
    REVERSALS,
    TOTAL_CREDITS,
    TOTAL_DEBITS,
    direction,
)
from adapters.statements.bai2_records import Record, funds_fields
from adapters.statements.sizes import ID_MOST, TEXT_KEPT, account_fault
from adapters.statements.textvalues import day_of
from domain.errors import InvalidInput
from domain.money import MINOR_MAX, exponent
from domain.statement.identity import REFERENCE_MOST, given, one_word
from domain.statement.statement import (
    Balance,
    BalanceKind,
    DocumentKind,
    LineItem,
    Stated,
    Statement,
    StatementLine,
    Summary,
)
from domain.text import cleaned

_NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_CODE = re.compile(r"\d{3}", re.ASCII)
_ACH_REASON = re.compile(r"\bR\d{2}\b")
_FINAL = frozenset({"2", "4"})
_STATUS_MOST = 100
"""Codes below it are balances."""


class GroupHead(Protocol):
    """What an account takes from its group."""

    originator: str
    as_of: date
    currency: str
    modifier: str


def number_of(record: Record, place: int, name: str) -> int:
    """A whole number that may have a sign.

    Raises:
        StatementRefused: anything else.
    """
    text = record.field(place)
    if not _NUMBER.fullmatch(text):
        raise record.refused(name, text, "a whole number of at most 18 digits")
    return int(text)


def account_head(record: Record, group: GroupHead) -> tuple[Statement, int]:
    """The head of one account, and the sum of the amounts in its record.

    A report is a booked statement where its group says that it is final, or says nothing and a
    closing balance is stated.
    """
    account = record.field(0)
    if rule := account_fault(account):
        raise record.refused("account", account, rule)
    currency = record.field(1) or group.currency
    try:
        exponent(currency)
    except InvalidInput as error:
        raise record.refused("currency", currency, error.rule) from None
    balances: list[Balance] = []
    sums: dict[str, Stated] = {}
    total, place = 0, 2
    while place < len(record.fields):
        code = record.field(place)
        amount = record.field(place + 1)
        if code and amount:
            minor = number_of(record, place + 1, f"amount of {code}")
            _bounded(record, minor)
            total += minor
            _sort(record, code, minor, place, (balances, sums), (currency, group.as_of))
        place += 4 + funds_fields(record.fields, place + 3)
    booked = {one.kind: one.minor for one in balances if one.kind is not BalanceKind.OTHER}
    closing = booked.get(BalanceKind.CLOSING_BOOKED)
    final = group.modifier in _FINAL or (group.modifier == "" and closing is not None)
    none = Stated()
    head = Statement(
        id=cleaned(f"{group.originator or 'BAI2'}-{group.as_of:%Y%m%d}")[:ID_MOST],
        account=account,
        currency=currency,
        sequence=None,
        booked_on=group.as_of,
        opening_minor=booked.get(BalanceKind.OPENING_BOOKED),
        closing_minor=closing,
        period=(group.as_of, group.as_of),
        summary=Summary(credits=sums.get(TOTAL_CREDITS, none), debits=sums.get(TOTAL_DEBITS, none))
        if sums
        else None,
        kind=DocumentKind.STATEMENT if final else DocumentKind.REPORT,
        balances=tuple(balances),
    )
    return head, total


def _sort(
    record: Record,
    code: str,
    minor: int,
    place: int,
    found: tuple[list[Balance], dict[str, Stated]],
    stated: tuple[str, date],
) -> None:
    """Put one amount of the record among the balances or the totals; others are only summed."""
    balances, sums = found
    if not _CODE.fullmatch(code):
        raise record.refused("type code", code, "three digits")
    if int(code) < _STATUS_MOST:
        kind = BALANCES.get(code, BalanceKind.OTHER)
        if kind is not BalanceKind.OTHER and any(one.kind is kind for one in balances):
            raise record.refused("type code", code, "each balance once")
        balances.append(Balance(kind, minor, *stated))
    elif code in {TOTAL_CREDITS, TOTAL_DEBITS}:
        count = record.field(place + 2)
        number = None if not count else number_of(record, place + 2, f"item count of {code}")
        sums[code] = Stated(number, abs(minor))


def detail_line(record: Record, head: Statement) -> tuple[int, StatementLine | None]:
    """The amount of a detail record as the control total counts it, and its entry.

    None stands for the entry where the record holds no money.
    """
    code = record.field(0)
    printed = record.field(1)
    if code == NOT_MONEY or (not printed and code):
        return (number_of(record, 1, "amount") if printed else 0), None
    sign = direction(code)
    if sign is None:
        rule = "101 to 399 (credit), 401 to 699 (debit), or of the bank's own 920 to 999"
        raise record.refused("type code", code, rule)
    amount = number_of(record, 1, "amount")
    _bounded(record, amount)
    after = 3 + funds_fields(record.fields, 2)
    servicer = cleaned(record.field(after))[:REFERENCE_MOST] or None
    customer = given(cleaned(record.field(after + 1))[:REFERENCE_MOST] or None)
    line = StatementLine(
        id="",
        account=head.account,
        booked_on=head.booked_on or date.min,
        value_on=_value_day(record, head.booked_on or date.min),
        amount_minor=sign * amount,
        currency=head.currency,
        servicer_ref=servicer,
        reversal=code in REVERSALS,
        items=_items(code, customer, cleaned(record.text), sign * amount),
        text=cleaned(record.text)[:TEXT_KEPT],
        printed=printed,
        code=code,
    )
    return amount, line


def _value_day(record: Record, as_of: date) -> date:
    """The value date where it is stated (funds type V); availability in parts is not one."""
    if record.field(2) != "V":
        return as_of
    try:
        return day_of(record.field(3), "value date")
    except InvalidInput as error:
        raise record.refused(error.field, error.value, error.rule) from None


def _items(code: str, customer: str | None, text: str, minor: int) -> tuple[LineItem, ...]:
    """The one transaction of an entry that names something or was returned."""
    word = one_word(text)
    returned = code in RETURNS
    if customer is None and word is None and not returned:
        return ()
    reason = None
    if returned:
        found = _ACH_REASON.search(text)
        reason = "UNSTATED" if found is None else found[0]
    item = LineItem(
        end_to_end_id=customer,
        mandate_ref=None,
        tx_id=None,
        amount_minor=minor,
        return_reason=reason,
        remittance=() if word is None else (word,),
    )
    return (item,)


def _bounded(record: Record, minor: int) -> None:
    if abs(minor) > MINOR_MAX:
        raise record.refused("amount", minor, f"at most {MINOR_MAX} minor units")
