"""The head of a camt statement or report: account, number, period, balances and totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from adapters.statements.camt_message import Message
from adapters.statements.fields import Fields
from adapters.statements.sizes import ID_MOST
from domain.errors import InvalidInput
from domain.money import exponent
from domain.statement.statement import Balance, BalanceKind, Stated, Statement, Summary

# Booked balances only; available and forward balances (OPAV, CLAV, FWAV) are a bank's promise.
# A later page of a paged statement may open and close with interim balances (ITBD).
_OPENING = ("OPBD", "PRCD", "ITBD")
_CLOSING = ("CLBD", "ITBD")
_BOOKED = frozenset((*_OPENING, *_CLOSING))
_KINDS = {
    "OPBD": BalanceKind.OPENING_BOOKED,
    "PRCD": BalanceKind.OPENING_BOOKED,
    "CLBD": BalanceKind.CLOSING_BOOKED,
    "ITBD": BalanceKind.INTERIM_BOOKED,
    "OPAV": BalanceKind.OPENING_AVAILABLE,
    "CLAV": BalanceKind.CLOSING_AVAILABLE,
    "ITAV": BalanceKind.INTERIM_AVAILABLE,
    "FWAV": BalanceKind.FORWARD_AVAILABLE,
}
_SECOND_PAGE = 2


@dataclass(frozen=True, slots=True)
class _Balance:
    code: str
    minor: int
    currency: str
    day: date | None
    element: Element


def statement_head(
    fields: Fields, stmt: Element, bals: Sequence[Element], message: Message
) -> Statement:
    """Read what stands before the first entry; `bals` are the balances that ended before it.

    Raises:
        FieldRefused: an account, id or balance that breaks a rule. A balance that is absent or in
            another currency is no refusal: the head says so and the control totals report it.
    """
    stated = [_balance(fields, bal) for bal in bals]
    balances = [balance for balance in stated if balance.code in _BOOKED]
    currency = _currency(fields, stmt, balances)
    own = [balance for balance in balances if balance.currency == currency]
    opening = _pick(fields, own, _OPENING, last=False)
    others = [balance for balance in own if balance is not opening]
    closing = _pick(fields, others, _CLOSING, last=True)
    page = fields.number(stmt, f"{message.pagination}/PgNb") or 1
    is_last_page = fields.flag(stmt, f"{message.pagination}/LastPgInd") is not False
    # The balances of a page are its own: pages share only what is stated of the whole.
    whole = page < _SECOND_PAGE and is_last_page
    days = (opening.day if opening else None, closing.day if closing else None)
    period = _period(fields, stmt, days if whole else (None, None))
    return Statement(
        id=_id(fields, stmt, page),
        account=_account(fields, stmt),
        currency=currency,
        sequence=fields.number(stmt, "ElctrncSeqNb"),
        booked_on=_closing_day(fields, stmt, closing),
        opening_minor=None if opening is None else opening.minor,
        closing_minor=None if closing is None else closing.minor,
        other_currencies=tuple(sorted({balance.currency for balance in balances} - {currency})),
        period=period,
        page=page,
        is_last_page=is_last_page,
        summary=_summary(fields, stmt, currency),
        kind=message.kind,
        balances=tuple(
            Balance(_KINDS.get(one.code, BalanceKind.OTHER), one.minor, one.currency, one.day)
            for one in stated
        ),
    )


def _id(fields: Fields, stmt: Element, page: int) -> str:
    bank_id = fields.needed(stmt, "Id", ID_MOST)
    # Pages of one statement share its id and count their entries anew.
    return bank_id if page < _SECOND_PAGE else f"{bank_id}/p{page}"


def _account(fields: Fields, stmt: Element) -> str:
    account = fields.named(stmt, "Acct/Id/IBAN", ID_MOST) or fields.named(
        stmt, "Acct/Id/Othr/Id", ID_MOST
    )
    if account is None:
        raise fields.refusal(stmt, "Acct/Id", "", "an IBAN or another account number")
    return account


def _currency(fields: Fields, stmt: Element, balances: list[_Balance]) -> str:
    stated = fields.text(stmt, "Acct/Ccy", 3)
    if stated is not None:
        return _listed(fields, stmt, stated)
    if balances:
        ranked = sorted(balances, key=lambda balance: balance.code != "OPBD")
        return ranked[0].currency
    entry = fields.amount(stmt, "Ntry/Amt")
    if entry is None:
        rule = "a currency here, on a balance or on an entry"
        raise fields.refusal(stmt, "Acct/Ccy", "", rule)
    return entry[1]


def _listed(fields: Fields, stmt: Element, currency: str) -> str:
    try:
        exponent(currency)
    except InvalidInput as error:
        raise fields.refusal(stmt, "Acct/Ccy", currency, error.rule) from None
    return currency


def _balance(fields: Fields, bal: Element) -> _Balance:
    code = fields.text(bal, "Tp/CdOrPrtry/Cd", 35) or "of the bank's own kind"
    amount = fields.amount(bal, "Amt")
    sign = fields.sign(bal)
    if amount is None or sign is None:
        raise fields.refusal(bal, "Amt", "", f"an amount of {code} and CRDT or DBIT")
    return _Balance(code, sign * amount[0], amount[1], fields.day(bal, "Dt"), bal)


def _pick(
    fields: Fields, own: list[_Balance], codes: tuple[str, ...], *, last: bool
) -> _Balance | None:
    for code in codes:
        found = [balance for balance in own if balance.code == code]
        if code != "ITBD" and len({balance.minor for balance in found}) > 1:
            rule = f"one balance {code} of a currency"
            raise fields.refusal(found[1].element, "Tp/CdOrPrtry/Cd", code, rule)
        if found:
            return found[-1 if last else 0]
    return None


def _period(
    fields: Fields, stmt: Element, balances: tuple[date | None, date | None]
) -> tuple[date, date] | None:
    """First and last day: as stated, else the days of the balances, else of the message.

    A statement that is issued again on another day is another one by this last resort; its lines
    still count once.
    """
    first = fields.day_of(stmt, "FrToDt/FrDtTm") or fields.day_of(stmt, "FrToDt/FrDt")
    last = fields.day_of(stmt, "FrToDt/ToDtTm") or fields.day_of(stmt, "FrToDt/ToDt")
    last = last or balances[1] or fields.day_of(stmt, "CreDtTm")
    if last is None:
        return None
    return (min(first or balances[0] or last, last), last)


def _closing_day(fields: Fields, stmt: Element, closing: _Balance | None) -> date | None:
    if closing is not None and closing.day is not None:
        return closing.day
    return fields.day_of(stmt, "FrToDt/ToDtTm") or fields.day_of(stmt, "FrToDt/ToDt")


def _summary(fields: Fields, stmt: Element, currency: str) -> Summary | None:
    """The bank's own totals. The net is an amount of its own up to version 3, an element since.

    Directions are reported by CRDT and DBIT; a sign in the number itself may repeat them.
    """
    found = fields.first(stmt, "TxsSummry")
    if found is None:
        return None
    every = fields.first(found, "TtlNtries")
    net_of, path = fields.first(every, "TtlNetNtry"), "Amt"
    if net_of is None:
        net_of, path = every, "TtlNetNtryAmt"
    return Summary(
        entries=_stated(fields, every, currency),
        net=None if net_of is None else _net(fields, net_of, path, currency),
        credits=_stated(fields, fields.first(found, "TtlCdtNtries"), currency),
        debits=_stated(fields, fields.first(found, "TtlDbtNtries"), currency),
    )


def _net(fields: Fields, net_of: Element, path: str, currency: str) -> int | None:
    """The signed net; None where no direction is given and the number may have any."""
    net, sign = fields.sum(net_of, path, currency), fields.sign(net_of)
    if net is None or sign is None:
        return net if net is not None and net < 0 else None
    return sign * abs(net)


def _stated(fields: Fields, group: Element | None, currency: str) -> Stated:
    total = fields.sum(group, "Sum", currency)
    return Stated(fields.number(group, "NbOfNtries"), None if total is None else abs(total))
