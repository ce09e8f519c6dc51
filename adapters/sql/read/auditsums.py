"""Statements that answer the audit's questions about sums: entries, accounts by item, claims.

Each statement gives one row for each breach, under the names that its question reports.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from adapters.sql.schema.tables import (
    entries,
    lines,
    payable_items,
    payout_items,
    payouts,
    portions,
    postings,
    receivable_items,
    subjects,
)
from domain.audit.questions import Question
from domain.ledger.accounts import REPORTED
from domain.loan.view import INSTALLMENT
from domain.payout.lifecycle import GONE, LIVE, WAITING, PayoutState

P, S = postings.c, subjects.c
ITEMS = select(S.key, S.loan_id, S.number, S.state).where(S.kind == INSTALLMENT).subquery("items")
"""Installments, as they are kept."""
_NOTHING: ColumnElement[int] = literal_column("0")
_NO_CURRENCY = cast(null(), String)
_ITEM = (P.loan, P.number, P.component)
GIVEN = ("owed", "written_off", "subrogated")
"""Families of accounts with what somebody still owes of an installment."""
PAID = ("owed", "written_off")
"""Families of accounts that money reduces: where a posting names a payment, it is an allocation."""


def of(*families: str, account: Any = P.account) -> ColumnElement[bool]:  # noqa: ANN401
    """Whether an account belongs to one of some families."""
    return or_(
        *(func.substr(account, 1, len(name) + 1) == literal(f"{name}/") for name in families)
    )


def _journal(keys: tuple[Any, ...], minor: Any, where: Any) -> Select[Any]:  # noqa: ANN401
    """What the journal says, by item."""
    columns = (minor.label("journal"), _NOTHING.label("kept"), P.currency.label("currency"))
    return select(*keys, *columns).where(where)


def _kept(keys: tuple[Any, ...], minor: Any, where: Any = None) -> Select[Any]:  # noqa: ANN401
    """What the same item should be."""
    columns = (_NOTHING.label("journal"), minor.label("kept"), _NO_CURRENCY.label("currency"))
    found = select(*keys, *columns)
    return found if where is None else found.where(where)


def _differ(names: tuple[str, ...], *sources: Select[Any]) -> Select[Any]:
    """Items of which the two sides differ, also those that only one side has."""
    both = union_all(*sources).subquery()
    keys = [column.label(name) for name, column in zip(names, both.c, strict=False)]
    journal, kept = func.sum(both.c.journal), func.sum(both.c.kept)
    return (
        select(
            *keys,
            journal.label("journal"),
            kept.label("kept"),
            (journal - kept).label("minor"),
            func.max(both.c.currency).label("currency"),
        )
        .group_by(*keys)
        .having(journal != kept)
    )


def _summed(keys: tuple[Any, ...], where: Any, minor: Any = P.minor) -> Select[Any]:  # noqa: ANN401
    """Sums of some postings by item and currency; the caller says which of them are breaches."""
    total = func.sum(minor).label("minor")
    return (
        select(*keys, P.currency.label("currency"), total).where(where).group_by(*keys, P.currency)
    )


_OF_PAYMENT = (P.loan, P.payment)
_DUE = (P.loan, P.payment, P.number, P.component, P.party, P.place)
_DUE_KEPT = tuple(
    payable_items.c[name]
    for name in ("loan_id", "payment", "number", "component", "party", "place")
)
_OWED_KEPT = tuple(
    receivable_items.c[name]
    for name in ("loan_id", "payment", "number", "component", "party", "place")
)
_O, _T = payouts.c, payout_items.c
_OF_LOAN = P.payout.is_(None)
_HELD_OR_OWED = and_(of("held_by", "receivable"), P.component.is_not(None))
"""Postings of shares that parties hold or owe; what a payer owes back is no share."""
_SHARES = and_(of("payable"), _OF_LOAN)
"""Postings of shares; those of a payout name no loan, and its items stand for them."""
_NOT_SET_OFF = P.seq.not_in(select(entries.c.seq).where(entries.c.event == "set_off"))
"""Postings of other entries: a set-off moves between items, and allocates nothing."""
_UNDER_WAY = sorted(state.value for state in LIVE - WAITING)
_HOLDING = sorted(state.value for state in LIVE | GONE)


def _in_payouts() -> Select[Any]:
    """What of each payable item is in a payout that is live or proven."""
    key = (_T.loan_id, _T.payment, _T.number, _T.component, _O.payee)
    place = literal("bank/").concat(_O.account)
    return _kept((*key, place), _T.minor, and_(_O.key == _T.payout, _O.state.in_(_HOLDING)))


def _settled(found: Select[Any]) -> Select[Any]:
    """Differences without items of payouts that came back and whose loans are still learning it."""
    differs = found.subquery()
    of_it = (_T.loan_id == differs.c.loan, _T.payment == differs.c.payment)
    back = exists().where(*of_it, _O.key == _T.payout, _O.state == PayoutState.RETURNED.value)
    return select(differs).where(~back)


_PORTION = (portions.c.loan_id, portions.c.id)
_ALLOCATED = and_(of(*PAID), P.payment.is_not(None))
_NET = portions.c.amount_minor - portions.c.returned_minor - portions.c.refunded_minor
_LEFT = _NET - portions.c.waiting_minor
_OF_LINE = and_(of("suspense"), P.payment.is_(None))
_UNNAMED = or_(
    and_(of(*REPORTED), P.payment.is_(None)),
    and_(_OF_LINE, P.line.is_(None)),
    and_(of("advance"), or_(P.loan.is_(None), P.payment.is_(None))),
    and_(
        or_(of("owed", "claim", "held_by"), _SHARES),
        or_(P.loan.is_(None), P.number.is_(None), P.component.is_(None)),
    ),
    and_(of("paying"), P.payout.is_(None)),
    and_(of("receivable"), P.loan.is_(None), P.payout.is_(None)),
)
_MONEY = or_(and_(of("suspense"), P.payment.is_not(None)), of("advance", "receivable"))
_AGAINST = case((of("receivable"), -P.minor), else_=P.minor)
_owed_of = _summed(_ITEM, of("owed"), -P.minor)

SUMS: Mapping[Question, Select[Any]] = MappingProxyType(
    {
        Question.ENTRY: _summed((P.seq,), literal_column("1") == 1).having(func.sum(P.minor) != 0),
        Question.TOTAL: _summed((), literal_column("1") == 1).having(func.sum(P.minor) != 0),
        Question.CLEARING: _differ(
            ("loan", "payment"),
            _journal(_OF_PAYMENT, P.minor, and_(of(*REPORTED), P.payment.is_not(None))),
            _kept(_PORTION, portions.c.clearing_minor),
        ),
        Question.SUSPENSE: _differ(
            ("loan", "payment"),
            _journal(_OF_PAYMENT, -P.minor, and_(of("suspense"), P.payment.is_not(None))),
            _kept(_PORTION, portions.c.waiting_minor),
        ),
        Question.LINE: _differ(
            ("line",),
            _journal((P.line,), -P.minor, and_(_OF_LINE, P.line.is_not(None))),
            _kept((lines.c.id,), lines.c.open_minor),
        ),
        Question.ADVANCE: _differ(
            ("loan", "payment"),
            _journal(_OF_PAYMENT, -P.minor, and_(of("advance"), P.payment.is_not(None))),
            _kept(_PORTION, _LEFT),
            _kept(_OF_PAYMENT, P.minor, _ALLOCATED),
        ),
        Question.SHARES: _differ(
            ("loan", "number", "component"),
            _journal(_ITEM, -P.minor, and_(_SHARES, _NOT_SET_OFF)),
            _kept(_ITEM, -P.minor, _ALLOCATED),
            _kept(_ITEM, P.minor, and_(_HELD_OR_OWED, _OF_LOAN, _NOT_SET_OFF)),
        ),
        Question.PAYABLE: _settled(
            _differ(
                ("loan", "payment", "number", "component", "party", "place"),
                _journal(_DUE, -P.minor, _SHARES),
                _kept(_DUE_KEPT, payable_items.c.minor - payable_items.c.taken_minor),
                _in_payouts(),
            )
        ),
        Question.RECEIVABLE: _differ(
            ("loan", "payment", "number", "component", "party", "place"),
            _journal(
                _DUE, P.minor, and_(P.account == literal("receivable/").concat(P.party), _OF_LOAN)
            ),
            _kept(_OWED_KEPT, receivable_items.c.minor),
        ),
        Question.PAYING: _differ(
            ("payout",),
            _journal((P.payout,), -P.minor, of("paying")),
            _kept((_O.key,), _O.minor, _O.state.in_(_UNDER_WAY)),
        ),
        Question.PAYOUT_ITEMS: _differ(
            ("payout",),
            select(
                _T.payout,
                _T.minor.label("journal"),
                _NOTHING.label("kept"),
                _NO_CURRENCY.label("currency"),
            ),
            _kept((_O.key,), _O.minor, _O.payment.is_(None)),
        ),
        Question.CLAIMS: _differ(
            ("loan", "number", "component"),
            _journal(_ITEM, -P.minor, of("claim")),
            _kept(_ITEM, P.minor, of("forgiven", *GIVEN)),
        ),
        Question.NO_ITEM: select(P.account, P.seq, P.minor, P.currency).where(_UNNAMED),
        Question.MONEY_SIDE: _summed((P.account, *_OF_PAYMENT), _MONEY, _AGAINST).having(
            func.sum(_AGAINST) > 0
        ),
        Question.SHARE_SIDE: _summed((P.account, *_ITEM), or_(_SHARES, of("held_by"))).having(
            func.sum(P.minor) > 0
        ),
        Question.OVER_ALLOCATED: _owed_of.having(func.sum(-P.minor) > 0),
    }
)
