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
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from adapters.sql.schema.tables import lines, payable_items, portions, postings, subjects
from domain.audit.questions import Question
from domain.ledger.accounts import REPORTED
from domain.loan.view import INSTALLMENT

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
_PORTION = (portions.c.loan_id, portions.c.id)
_ALLOCATED = and_(of(*PAID), P.payment.is_not(None))
_LEFT = portions.c.amount_minor - portions.c.returned_minor - portions.c.waiting_minor
_OF_LINE = and_(of("suspense"), P.payment.is_(None))
_UNNAMED = or_(
    and_(of(*REPORTED), P.payment.is_(None)),
    and_(_OF_LINE, P.line.is_(None)),
    and_(of("advance"), or_(P.loan.is_(None), P.payment.is_(None))),
    and_(
        of("owed", "claim", "payable", "held_by"),
        or_(P.loan.is_(None), P.number.is_(None), P.component.is_(None)),
    ),
    and_(of("receivable"), P.loan.is_(None)),
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
            _journal(_ITEM, -P.minor, of("payable")),
            _kept(_ITEM, -P.minor, _ALLOCATED),
            _kept(_ITEM, P.minor, of("held_by", "receivable")),
        ),
        Question.PAYABLE: _differ(
            ("loan", "payment", "number", "component", "party", "place"),
            _journal(_DUE, -P.minor, of("payable")),
            _kept(_DUE_KEPT, payable_items.c.minor),
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
        Question.SHARE_SIDE: _summed((P.account, *_ITEM), of("payable", "held_by")).having(
            func.sum(P.minor) > 0
        ),
        Question.OVER_ALLOCATED: _owed_of.having(func.sum(-P.minor) > 0),
    }
)
