"""The head of a camt.053 statement: whose account, which number, which booked balances."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from adapters.statements.fields import Fields
from domain.errors import InvalidInput
from domain.reconciliation.statement import Statement

# Booked balances only; available and forward balances (OPAV, CLAV, FWAV) are a bank's promise.
# A later page of a paged statement may open and close with interim balances (ITBD).
_OPENING = ("OPBD", "PRCD", "ITBD")
_CLOSING = ("CLBD", "ITBD")
_BOOKED = frozenset((*_OPENING, *_CLOSING))
_ID_MOST = 50


@dataclass(frozen=True, slots=True)
class _Balance:
    code: str
    minor: int
    currency: str
    day: date | None


def statement_head(fields: Fields, stmt: Element, bals: Sequence[Element]) -> Statement:
    """Read what stands before the first entry; `bals` are the balances that ended before it.

    Raises:
        InvalidInput: an account, id or balance that breaks a rule. A balance that is absent or in
            another currency is no refusal: the head says so and the control totals report it.
    """
    read = (_balance(fields, bal) for bal in bals)
    balances = [balance for balance in read if balance is not None]
    currency = _currency(fields, stmt, balances)
    own = [balance for balance in balances if balance.currency == currency]
    opening = _pick(own, _OPENING, last=False)
    closing = _pick([balance for balance in own if balance is not opening], _CLOSING, last=True)
    others = sorted({balance.currency for balance in balances} - {currency})
    return Statement(
        id=_id(fields, stmt),
        account=_account(fields, stmt),
        currency=currency,
        sequence=fields.number(stmt, "ElctrncSeqNb"),
        booked_on=_booked_on(fields, stmt, closing),
        opening_minor=None if opening is None else opening.minor,
        closing_minor=None if closing is None else closing.minor,
        other_currencies=tuple(others),
    )


def _id(fields: Fields, stmt: Element) -> str:
    bank_id = fields.needed(stmt, "Id", _ID_MOST)
    page = fields.number(stmt, "StmtPgntn/PgNb")
    # Pages of one statement share its id and count their entries anew.
    return bank_id if page is None or page < _SECOND_PAGE else f"{bank_id}/p{page}"


_SECOND_PAGE = 2


def _account(fields: Fields, stmt: Element) -> str:
    account = fields.text(stmt, "Acct/Id/IBAN", _ID_MOST) or fields.text(
        stmt, "Acct/Id/Othr/Id", _ID_MOST
    )
    if account is None:
        raise InvalidInput("Stmt/Acct/Id", "", "an IBAN or another account number")
    return account


def _currency(fields: Fields, stmt: Element, balances: list[_Balance]) -> str:
    stated = fields.text(stmt, "Acct/Ccy", 3)
    if stated is not None:
        return stated
    if balances:
        ranked = sorted(balances, key=lambda balance: balance.code != "OPBD")
        return ranked[0].currency
    entry = fields.amount(stmt, "Ntry/Amt")
    if entry is None:
        raise InvalidInput("Stmt/Acct/Ccy", "", "a currency here, on a balance or on an entry")
    return entry[1]


def _balance(fields: Fields, bal: Element) -> _Balance | None:
    code = fields.text(bal, "Tp/CdOrPrtry/Cd", 35)
    if code not in _BOOKED:
        return None
    amount = fields.amount(bal, "Amt")
    sign = fields.sign(bal)
    if amount is None or sign is None:
        raise InvalidInput(f"Bal/{code}", "", "an amount and CRDT or DBIT")
    return _Balance(code, sign * amount[0], amount[1], fields.day(bal, "Dt"))


def _pick(own: list[_Balance], codes: tuple[str, ...], *, last: bool) -> _Balance | None:
    for code in codes:
        found = [balance for balance in own if balance.code == code]
        if code != "ITBD" and len({balance.minor for balance in found}) > 1:
            raise InvalidInput(f"Bal/{code}", len(found), "one balance of this kind and currency")
        if found:
            return found[-1 if last else 0]
    return None


def _booked_on(fields: Fields, stmt: Element, closing: _Balance | None) -> date | None:
    if closing is not None and closing.day is not None:
        return closing.day
    return fields.day_of(stmt, "FrToDt/ToDtTm")
