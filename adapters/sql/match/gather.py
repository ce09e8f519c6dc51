"""Fills the tables of a run from the books: what waits on lines, and what is expected.

All by INSERT from SELECT; only products and the days of calendars pass through the program.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.match import tables as t
from adapters.sql.readrows import read_product
from adapters.sql.schema.tables import (
    attempts,
    loans,
    payments,
    payouts,
    portions,
    products,
    subjects,
    waiting_keys,
    waiting_pieces,
)
from domain.debit.attempt import LIVE
from domain.loan.aggregate import Rulebook
from domain.loan.view import INSTALLMENT
from domain.matching.model import Pass
from domain.payment.payment import debit_payment_id
from domain.payout.lifecycle import PayoutState

_LIVE = sorted(state.value for state in LIVE)
_PAYOUTS_OUT = [
    state.value for state in (PayoutState.INSTRUCTED, PayoutState.IN_DOUBT, PayoutState.PAID)
]
_JULIAN_DAY_ZERO = 1721424.5
"""The Julian day before 0001-01-01, which is the first ordinal."""
_DAY = date(2000, 1, 1)
"""A day to count from: the driver takes the first one there is for minus infinity."""
_PAYOUT_DAYS = 5
"""Days after its cut-off by which the line of a payout is expected."""
_PIECE = (
    "id", "line_id", "booked", "account", "minor", "currency", "day", "batch_count", "has_keys",
    "said",
)  # fmt: skip
Ordinal = Callable[[ColumnElement[Any]], ColumnElement[int]]


def ordinal_of(*, postgres: bool) -> Ordinal:
    """How a day of the books becomes an ordinal in this database."""

    def of_postgres(day: ColumnElement[Any]) -> ColumnElement[int]:
        return cast(day - literal(_DAY, Date), Integer) + _DAY.toordinal()

    def of_sqlite(day: ColumnElement[Any]) -> ColumnElement[int]:
        return cast(func.julianday(day) - _JULIAN_DAY_ZERO, Integer)

    return of_postgres if postgres else of_sqlite


async def gather(conn: AsyncConnection, rules: Rulebook, *, postgres: bool) -> None:
    """Fill the empty tables of a run."""
    ordinal = ordinal_of(postgres=postgres)
    await _pieces(conn, ordinal)
    await _terms(conn, rules)
    for chosen in (_orders(ordinal), _payments(ordinal), _returns(ordinal), _payouts(ordinal)):
        await conn.execute(_expecting(chosen))
    await conn.execute(_expecting(_loans()))
    await conn.execute(_expecting(_proven(ordinal)))
    await _keys(conn)


async def _pieces(conn: AsyncConnection, ordinal: Ordinal) -> None:
    known = waiting_pieces.c
    name = known.line_id + "#" + cast(known.position, String)
    has_keys = exists().where(
        waiting_keys.c.line_id == known.line_id, waiting_keys.c.position == known.position
    )
    chosen = select(
        name,
        known.line_id,
        ordinal(known.booked_on),
        known.account,
        known.minor,
        known.currency,
        ordinal(known.value_on),
        known.batch_count,
        case((has_keys, 1), else_=0),
        known.said,
    ).where(known.minor != 0)
    await conn.execute(insert(t.pieces).from_select(list(_PIECE), chosen))
    keys = waiting_keys.c
    pairs = select(keys.via, keys.key, keys.line_id + "#" + cast(keys.position, String))
    await conn.execute(insert(t.piece_keys).from_select(["via", "key", "piece"], pairs))


async def _terms(conn: AsyncConnection, rules: Rulebook) -> None:
    """What products tolerate, and by when money of each product and day is expected."""
    known = {
        row.ref: read_product(row.body)
        for row in await conn.execute(select(products.c.ref, products.c.body))
    }
    terms = [
        {
            "product_ref": ref,
            "fee_most": product.matching.fee_most_minor,
            "days": product.matching.days,
            "similarity": product.matching.similarity,
            "posts": int(product.matching.posts),
        }
        for ref, product in sorted(known.items())
    ]
    days = [
        {
            "product_ref": ref,
            "day": day.toordinal(),
            "by_day": rules.calendar(known[ref].calendar)
            .add_banking_days(day, known[ref].closure.settlement_banking_days)
            .toordinal(),
        }
        for ref, day in await conn.execute(_days())
    ]
    for table, rows in ((t.terms, terms), (t.due, days)):
        if rows:
            await conn.execute(insert(table), rows)


def _days() -> Any:  # noqa: ANN401  (a union)
    """Each product with each day for which money of it is expected."""
    of_orders = (
        select(loans.c.product_ref, attempts.c.value_on)
        .join(loans, loans.c.id == attempts.c.loan_id)
        .where(attempts.c.state.in_(_LIVE))
    )
    of_payments = (
        select(loans.c.product_ref, payments.c.value_on)
        .join(portions, portions.c.id == payments.c.id)
        .join(loans, loans.c.id == portions.c.loan_id)
        .where(_UNCLEARED)
    )
    return union(of_orders, of_payments)


_UNPROVEN = payments.c.amount_minor - payments.c.settled_minor
_GONE = payments.c.returned_minor - payments.c.return_settled_minor
_UNCLEARED = _GONE != _UNPROVEN
_COLUMNS = (
    "id", "minor", "currency", "day", "by_day", "any_amount", "proven", "fee_most", "days",
    "similarity", "posts", "said", "kind", "loan_id", "number", "reference", "name", "bank_ref",
    "mandate_ref", "batch_ref", "virtual_account",
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("by_day", "any_amount", "proven", "fee_most", "days", "similarity"), 0),
    **dict.fromkeys(("posts", "number"), 0),
    **dict.fromkeys(("said", "loan_id", "reference", "name"), ""),
    **dict.fromkeys(("bank_ref", "mandate_ref", "batch_ref", "virtual_account")),
}


def _expecting(chosen: Select[Any]) -> Any:  # noqa: ANN401  (an insert)
    return insert(t.expectations).from_select(list(_COLUMNS), chosen)


def _row(**given: Any) -> Select[Any]:  # noqa: ANN401  (columns and constants)
    """A select of every column of an expectation; what is not given has its default."""
    values = {**_DEFAULTS, **given}
    return select(*(_column(values[name]).label(name) for name in _COLUMNS))


def _column(value: Any) -> ColumnElement[Any]:  # noqa: ANN401
    if isinstance(value, ColumnElement):
        return value
    return cast(literal(value), Integer if isinstance(value, int) else String)


def _tolerated() -> dict[str, ColumnElement[Any]]:
    columns = t.terms.c
    names = ("fee_most", "days", "similarity", "posts")
    return {name: func.coalesce(columns[name], 0) for name in names}


def _with_terms(chosen: Select[Any], product: ColumnElement[Any], day: Any) -> Select[Any]:  # noqa: ANN401
    by = and_(t.due.c.product_ref == product, t.due.c.day == day)
    joined = chosen.outerjoin(t.terms, t.terms.c.product_ref == product)
    return joined.outerjoin(t.due, by)


def _orders(ordinal: Ordinal) -> Select[Any]:
    """Debits that are in flight."""
    one, day = attempts.c, ordinal(attempts.c.value_on)
    item = and_(
        subjects.c.loan_id == one.loan_id,
        subjects.c.number == one.number,
        subjects.c.kind == INSTALLMENT,
    )
    chosen = _row(
        id="order/" + one.order_no,
        minor=one.amount_minor,
        currency=subjects.c.currency,
        day=day,
        by_day=func.coalesce(t.due.c.by_day, day),
        said=one.loan_id + "\n" + subjects.c.borrower,
        kind="order",
        loan_id=one.loan_id,
        number=one.number,
        reference=one.order_no,
        name=one.order_no,
        mandate_ref=one.mandate_ref,
        batch_ref=one.batch_ref,
        **_tolerated(),
    )
    chosen = chosen.select_from(attempts).join(loans, loans.c.id == one.loan_id)
    chosen = _with_terms(chosen.join(subjects, item), loans.c.product_ref, day)
    return chosen.where(one.state.in_(_LIVE))


def _of_payments(ordinal: Ordinal, kind: str, **given: Any) -> Select[Any]:  # noqa: ANN401
    """Payments with the first of their portions, and the order that brought them."""
    one, day = payments.c, ordinal(payments.c.value_on)
    first = select(portions.c.id, func.min(portions.c.loan_id).label("loan_id"))
    first_of = first.group_by(portions.c.id).subquery()
    portion = and_(portions.c.id == first_of.c.id, portions.c.loan_id == first_of.c.loan_id)
    name = func.coalesce(one.order_no, one.reference)
    chosen = _row(
        **{
            "id": f"{kind}/" + one.id,
            "currency": one.currency,
            "day": day,
            "by_day": func.coalesce(t.due.c.by_day, day),
            "said": first_of.c.loan_id + "\n" + one.payer + "\n" + one.reference,
            "kind": kind,
            "loan_id": first_of.c.loan_id,
            "number": func.coalesce(portions.c.number, 1),
            "reference": one.id,
            "name": name,
            "bank_ref": one.bank_ref,
            **_tolerated(),
            **given,
        }
    )
    chosen = chosen.select_from(payments).join(first_of, first_of.c.id == one.id)
    chosen = chosen.join(portions, portion).join(loans, loans.c.id == first_of.c.loan_id)
    chosen = chosen.outerjoin(attempts, attempts.c.order_no == one.order_no)
    return _with_terms(chosen, loans.c.product_ref, day)


def _payments(ordinal: Ordinal) -> Select[Any]:
    """Money that was reported, as far as no line shows it."""
    refs = {"mandate_ref": attempts.c.mandate_ref, "batch_ref": attempts.c.batch_ref}
    chosen = _of_payments(ordinal, "payment", minor=_UNPROVEN, **refs)
    return chosen.where(_UNPROVEN > 0, _UNCLEARED)


def _returns(ordinal: Ordinal) -> Select[Any]:
    """What was reported to have gone back, as far as no line shows it; nobody said on which day."""
    chosen = _of_payments(ordinal, "return", minor=-_GONE)
    return chosen.where(_GONE > 0, _UNCLEARED, payments.c.source.in_(("debit", "transfer")))


def _proven(ordinal: Ordinal) -> Select[Any]:
    """Payments of which lines show all, and under whose names more money waits."""
    sought = t.piece_keys.c
    debit = literal(debit_payment_id("")) + sought.key
    ids = union_all(
        select(payments.c.id).join(t.piece_keys, sought.key == payments.c.reference),
        select(payments.c.id).join(t.piece_keys, sought.key == payments.c.bank_ref),
        select(payments.c.id).join(t.piece_keys, debit == payments.c.id),
    ).subquery()
    chosen = _of_payments(ordinal, "payment", minor=payments.c.amount_minor, proven=1)
    return chosen.where(_UNPROVEN == 0, payments.c.id.in_(select(ids.c.id)))


def _payouts(ordinal: Ordinal) -> Select[Any]:
    """Payouts that are out; their lines are found by their order numbers as they come."""
    one, day = payouts.c, ordinal(payouts.c.cut_off_on)
    chosen = _row(
        id="payout/" + one.key,
        minor=-one.minor,
        currency=one.currency,
        day=day,
        by_day=day + _PAYOUT_DAYS,
        kind="payout",
        reference=one.order_no,
        name=one.order_no,
    )
    return chosen.select_from(payouts).where(one.state.in_(_PAYOUTS_OUT))


def _loans() -> Select[Any]:
    """Loans whose reference or virtual account stands on a piece."""
    one, sought, item = loans.c, t.piece_keys.c, subjects.c
    meant = union_all(
        select(one.id).join(
            t.piece_keys,
            and_(sought.via == Pass.LOAN_REFERENCE.value, sought.key == one.creditor_ref),
        ),
        select(one.id).join(
            t.piece_keys,
            and_(sought.via == Pass.VIRTUAL_ACCOUNT.value, sought.key == one.virtual_account),
        ),
    ).subquery()
    first_open = func.min(case((item.is_final.is_(False), item.number)))
    chosen = _row(
        id="loan/" + one.id,
        minor=0,
        currency=func.min(item.currency),
        day=0,
        any_amount=1,
        kind="loan",
        loan_id=one.id,
        number=func.coalesce(first_open, func.max(item.number)),
        reference=one.creditor_ref,
        name=one.creditor_ref,
        virtual_account=one.virtual_account,
    )
    mine = and_(item.loan_id == one.id, item.kind == INSTALLMENT)
    chosen = chosen.select_from(loans).join(subjects, mine)
    chosen = chosen.where(one.id.in_(select(meant.c.id)))
    return chosen.group_by(one.id, one.creditor_ref, one.virtual_account)


async def _keys(conn: AsyncConnection) -> None:
    """The keys of what is expected, by pass."""
    one = t.expectations.c
    ordinary, loan = one.any_amount == 0, one.any_amount == 1
    named = (
        (Pass.END_TO_END, one.name, ordinary),
        (Pass.STRUCTURED, one.name, ordinary),
        (Pass.BANK_REFERENCE, one.bank_ref, ordinary),
        (Pass.MANDATE, one.mandate_ref, ordinary),
        (Pass.BATCH, one.batch_ref, ordinary),
        (Pass.LOAN_REFERENCE, one.name, loan),
        (Pass.VIRTUAL_ACCOUNT, one.virtual_account, loan),
    )
    for by, column, which in named:
        given = and_(which, column.is_not(None), column != "")
        chosen = select(literal(by.value), column, one.id).where(given)
        columns = ["via", "key", "expectation"]
        await conn.execute(insert(t.expectation_keys).from_select(columns, chosen))
