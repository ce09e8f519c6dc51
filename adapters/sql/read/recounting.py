"""Compares what is kept beside the journal with what the journal adds up to.

Balances are summed by the database; loans, bank lines and cases are read page by page, so memory
does not grow with the books. Compared are, for every installment, its state with its last move and
its amounts with its postings; for every attempt, its state; for every payment and bank line, what
their postings prove and where its money lies; for every case, its state with its last move; and
every column with the body that stands beside it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row, Select, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.engine import among, listed
from adapters.sql.read import keptrows
from adapters.sql.read.auditsums import of
from adapters.sql.read.keptrows import LoanRows, Sums
from adapters.sql.read.looking import readable_loans
from adapters.sql.read.recountclosures import recount_closures
from adapters.sql.read.recountmandates import recount_mandates
from adapters.sql.read.recountpayouts import recount_payouts
from adapters.sql.readrows import read_case, read_line, read_payment, read_payout
from adapters.sql.schema import tables
from adapters.sql.write.cache import LoanCache
from adapters.sql.write.payables import COLUMNS
from domain.case.case import CASE
from domain.debit.attempt import AttemptState
from domain.debit.mandate import MANDATE
from domain.kernel.subject import Subject
from domain.ledger.accounts import REPORTED
from domain.ledger.chain import FAULTS_KEPT, Verification
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT, installment_of
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.payout.payout import Payout

LOANS_PAGE = 50
LINES_PAGE = 500

_T = tables.transitions.c
_P = tables.postings.c
_B = tables.balances.c


async def recount(conn: AsyncConnection, found: Verification) -> int:
    """Put every difference into `found`; the number of rows that were compared."""
    counted = await _balances(conn, found)
    counted += await _loans(conn, found)
    counted += await recount_mandates(conn, found)
    counted += await recount_payouts(conn, found)
    counted += await recount_closures(conn, found)
    counted += await _payments(conn, found)
    counted += await _lines(conn, found)
    counted += await _cases(conn, found)
    for row in await conn.execute(select(tables.products)):
        counted += keptrows.compare_product(row, found)
    for text, statement in _ORPHANS.items():
        for row in await conn.execute(statement.limit(FAULTS_KEPT)):
            found.fault(f"{text} {row[0]}, which is not on the books")
    return counted


# --- balances ------------------------------------------------------------------------------------


async def _balances(conn: AsyncConnection, found: Verification) -> int:
    sums = (
        select(_P.account, _P.currency, func.sum(_P.minor).label("total"))
        .group_by(_P.account, _P.currency)
        .subquery()
    )
    same = and_(sums.c.account == _B.account, sums.c.currency == _B.currency)
    total = func.coalesce(sums.c.total, 0)
    wrong = (
        select(_B.account, _B.minor, total.label("total"))
        .select_from(tables.balances.outerjoin(sums, same))
        .where(_B.minor != total)
    )
    for row in await conn.execute(wrong.limit(FAULTS_KEPT)):
        text = f"is kept as {row.minor}, its postings sum to {int(row.total)}"
        found.fault(f"balance of {row.account} {text}")
    lost = (
        select(sums.c.account, sums.c.total)
        .select_from(sums.outerjoin(tables.balances, same))
        .where(_B.account.is_(None), sums.c.total != 0)
    )
    for account, minor in await conn.execute(lost.limit(FAULTS_KEPT)):
        found.fault(f"balance of {account} is not kept, its postings sum to {int(minor)}")
    counted = await conn.execute(select(func.count()).select_from(tables.balances))
    return int(counted.scalar_one())


# --- loans ---------------------------------------------------------------------------------------


async def _loans(conn: AsyncConnection, found: Verification) -> int:
    counted, after, products = 0, "", LoanCache()

    def unreadable(name: str, error: Exception) -> None:
        found.fault(f"loan {name} cannot be read back: {type(error).__name__}")

    ids = tables.loans.c.id
    while True:
        page = select(ids).where(ids > after).order_by(ids).limit(LOANS_PAGE)
        names = list((await conn.execute(page)).scalars())
        if not names:
            return counted
        after = names[-1]
        rows = await _rows_of(conn, names)
        for held in await readable_loans(conn, names, products, unreadable):
            counted += keptrows.compare_loan(held, rows[held.loan.id], found)


async def _rows_of(conn: AsyncConnection, names: Sequence[str]) -> dict[str, LoanRows]:
    """Rows and sums of a page of loans, by loan."""
    found: defaultdict[str, LoanRows] = defaultdict(LoanRows)
    for row in await _page(conn, tables.subjects.c.loan_id, names):
        if row.kind == INSTALLMENT:
            found[row.loan_id].installments[row.number] = row
    for row in await _page(conn, tables.attempts.c.loan_id, names):
        found[row.loan_id].attempts[row.number, row.attempt] = row
    for row in await _page(conn, tables.notices.c.loan_id, names):
        found[row.loan_id].notices[row.message_id] = row
    for row in await _page(conn, tables.portions.c.loan_id, names):
        found[row.loan_id].portions[row.id] = row
    for row in await _page(conn, tables.payable_items.c.loan_id, names):
        key = tuple(getattr(row, name) for name in COLUMNS)
        found[row.loan_id].items[key] = (row.minor, row.taken_minor)
    for row in await _page(conn, tables.receivable_items.c.loan_id, names):
        key = tuple(getattr(row, name) for name in COLUMNS)
        found[row.loan_id].owed[key] = row.minor
    await _in_payouts(conn, names, found)
    for row in await _page(conn, tables.loans.c.id, names):
        found[row.id].loan = row
    values = {"values": listed(names, postgres=conn.dialect.name == "postgresql")}
    of = {
        name: among(column, "values", postgres=conn.dialect.name == "postgresql")
        for name, column in {"moves": _T.loan_id, "postings": _P.loan}.items()
    }
    for row in await conn.execute(_last_moves(of["moves"]), values):
        found[row.loan_id].states[installment_of(Subject(INSTALLMENT, row.subject_key))[1]] = (
            row.target
        )
    for row in await conn.execute(_last_news(of["moves"]), values):
        found[row.loan_id].fates[row.order_no] = row.target
    for row in await conn.execute(_sums(of["postings"]), values):
        found[row.loan].sums.take(row)
    return found


async def _in_payouts(
    conn: AsyncConnection, names: Sequence[str], found: Mapping[str, LoanRows]
) -> None:
    """Items of payouts of a page of loans, each with its payout."""
    bodies: dict[str, Payout] = {}
    items = await _page(conn, tables.payout_items.c.loan_id, names)
    keys = sorted({row.payout for row in items})
    for row in await _page(conn, tables.payouts.c.key, keys):
        with suppress(ValidationError):  # said where payouts are compared
            bodies[row.key] = read_payout(row.body)
    for row in items:
        if (payout := bodies.get(row.payout)) is not None:
            share = (row.number, row.component, payout.payee, payout.place)
            found[row.loan_id].paid.append((payout, (row.loan_id, row.payment, *share), row.minor))


async def _page(conn: AsyncConnection, column: Any, names: Sequence[str]) -> list[Row[Any]]:  # noqa: ANN401
    postgres = conn.dialect.name == "postgresql"
    statement = select(column.table).where(among(column, "values", postgres=postgres))
    return list(await conn.execute(statement, {"values": listed(names, postgres=postgres)}))


def _last_moves(of: Any) -> Select[Any]:  # noqa: ANN401  (a condition on the loans)
    """The last move of each installment; moves of notices and attempts have other targets."""
    last = (
        select(func.max(_T.seq))
        .where(of, _T.subject_kind == INSTALLMENT)
        .where(_T.order_no.is_(None), _T.target.in_([state.value for state in State]))
        .group_by(_T.subject_key)
    )
    return select(_T.loan_id, _T.subject_key, _T.target).where(_T.seq.in_(last))


def _last_news(of: Any) -> Select[Any]:  # noqa: ANN401  (a condition on the loans)
    """The last move of each attempt."""
    last = (
        select(func.max(_T.seq))
        .where(of, _T.order_no.is_not(None), _T.target.in_([state.value for state in AttemptState]))
        .group_by(_T.loan_id, _T.order_no)
    )
    return select(_T.loan_id, _T.order_no, _T.target).where(_T.seq.in_(last))


def _sums(of: Any) -> Select[Any]:  # noqa: ANN401  (a condition on the loans)
    key = (
        _P.loan,
        _P.number,
        _P.component,
        _P.payment,
        _P.account,
        _P.party,
        _P.place,
        _P.line.is_(None).label("own"),
    )
    return select(*key, func.sum(_P.minor).label("minor")).where(of).group_by(*key)


# --- payments ------------------------------------------------------------------------------------


async def _payments(conn: AsyncConnection, found: Verification) -> int:
    """Every payment: its row with its body, its sums with its postings, its loans with portions."""
    counted, after, postgres = 0, "", conn.dialect.name == "postgresql"
    ids, portions = tables.payments.c.id, tables.portions.c
    own = _P.line.is_(None).label("own")
    posted = (
        select(_P.payment, own, func.sum(_P.minor).label("minor"))
        .where(among(_P.payment, "values", postgres=postgres), of(*REPORTED, account=_P.account))
        .group_by(_P.payment, own)
    )
    sharing = select(portions.id, portions.loan_id)
    sharing = sharing.where(among(portions.id, "values", postgres=postgres))
    while True:
        page = select(tables.payments).where(ids > after).order_by(ids).limit(LINES_PAGE)
        kept: list[Any] = list(await conn.execute(page))
        if not kept:
            return counted
        after = kept[-1].id
        names = {"values": listed([row.id for row in kept], postgres=postgres)}
        sums: defaultdict[str, dict[bool, int]] = defaultdict(dict)
        for payment_id, alone, minor in await conn.execute(posted, names):
            sums[payment_id][bool(alone)] = int(minor)
        loans: defaultdict[str, set[str]] = defaultdict(set)
        for payment_id, loan_id in await conn.execute(sharing, names):
            loans[payment_id].add(loan_id)
        for row in kept:
            try:
                payment = read_payment(row.body)
            except ValidationError:
                found.fault(f"payment {row.id} cannot be read back")
                continue
            counted += keptrows.compare_payment(
                payment, row, sums[payment.id], loans[payment.id], found
            )


# --- bank lines ----------------------------------------------------------------------------------


async def _lines(conn: AsyncConnection, found: Verification) -> int:
    counted, after = 0, ""
    ids = tables.lines.c.id
    postgres = conn.dialect.name == "postgresql"
    posted = (
        select(_P.line, _P.account, func.sum(_P.minor).label("minor"))
        .where(among(_P.line, "values", postgres=postgres))
        .group_by(_P.line, _P.account)
    )
    while True:
        page = select(tables.lines).where(ids > after).order_by(ids).limit(LINES_PAGE)
        kept: list[Any] = list(await conn.execute(page))
        if not kept:
            return counted
        after = kept[-1].id
        sums: defaultdict[str, Sums] = defaultdict(Sums)
        names = listed([row.id for row in kept], postgres=postgres)
        for line_id, account, minor in await conn.execute(posted, {"values": names}):
            sums[line_id].accounts[account] += int(minor)
        for row in kept:
            try:
                line = read_line(row.body)
            except ValidationError:
                found.fault(f"line {row.id} cannot be read back")
                continue
            counted += keptrows.compare_line(line, row, sums[row.id], found)


# --- cases ---------------------------------------------------------------------------------------


async def _cases(conn: AsyncConnection, found: Verification) -> int:
    """Every case: its rows with its body, and its state with its last move."""
    counted, after, postgres = 0, "", conn.dialect.name == "postgresql"
    of, case = tables.subjects.c, tables.cases
    kept = select(tables.subjects, *(column.label(f"of_{column.name}") for column in case.c))
    kept = kept.select_from(tables.subjects.outerjoin(case, case.c.key == of.key))
    last = (
        select(func.max(_T.seq))
        .where(
            _T.subject_kind == CASE,
            among(_T.loan_id, "loans", postgres=postgres),
            among(_T.subject_key, "keys", postgres=postgres),
        )
        .group_by(_T.subject_key)
    )
    moves = select(_T.subject_key, _T.target).where(_T.seq.in_(last))
    item = tables.case_items.c
    open_items = func.count().filter(item.cleared_at.is_(None))
    items = select(item.case_key, open_items, func.count()).where(
        among(item.case_key, "keys", postgres=postgres)
    )
    items = items.group_by(item.case_key)
    link, word = tables.case_links.c, tables.case_words.c
    links = select(link.case_key, link.kind, link.name).where(
        among(link.case_key, "keys", postgres=postgres)
    )
    words = select(word.case_key, word.word).where(among(word.case_key, "keys", postgres=postgres))
    while True:
        page = kept.where(of.kind == CASE, of.key > after).order_by(of.key).limit(LINES_PAGE)
        rows: list[Any] = list(await conn.execute(page))
        if not rows:
            return counted
        after = rows[-1].key
        values = {"loans": sorted({row.loan_id for row in rows}), "keys": [r.key for r in rows]}
        params = {name: listed(value, postgres=postgres) for name, value in values.items()}
        states = dict(tuple(row) for row in await conn.execute(moves, params))
        keys = {"keys": params["keys"]}
        held = {key: counts for key, *counts in await conn.execute(items, keys)}
        pointed, found_by = defaultdict(list), defaultdict(list)
        for key, kind, name in await conn.execute(links, keys):
            pointed[key].append((kind, name))
        for key, one in await conn.execute(words, keys):
            found_by[key].append(one)
        for row in rows:
            try:
                body = read_case(row.body)
            except ValidationError:
                found.fault(f"case {row.key} cannot be read back")
                continue
            counted += keptrows.compare_case(body, row, states.get(row.key, ""), found)
            counted += keptrows.compare_items(body, held.get(row.key, [0, 0]), found)
            by = pointed[row.key], found_by[row.key]
            counted += keptrows.compare_finding(body, *by, found)


# --- postings and moves of what is not there -----------------------------------------------------

_ORPHANS: dict[str, Select[Any]] = {
    "postings of loan": select(_P.loan)
    .where(_P.loan.is_not(None), ~exists().where(tables.loans.c.id == _P.loan))
    .distinct(),
    "postings of line": select(_P.line)
    .where(_P.line.is_not(None), ~exists().where(tables.lines.c.id == _P.line))
    .distinct(),
    "portions of payment": select(tables.portions.c.id)
    .where(~exists().where(tables.payments.c.id == tables.portions.c.id))
    .distinct(),
    "postings of payment": select(_P.payment)
    .where(
        _P.payment.is_not(None),
        ~exists().where(tables.portions.c.loan_id == _P.loan, tables.portions.c.id == _P.payment),
    )
    .distinct(),
    "moves of loan": select(_T.loan_id)
    .where(_T.loan_id != "", ~exists().where(tables.loans.c.id == _T.loan_id))
    .distinct(),
    "moves of mandate": select(_T.subject_key)
    .where(_T.subject_kind == MANDATE, ~exists().where(tables.mandates.c.ref == _T.subject_key))
    .distinct(),
    "loans under mandate": select(tables.loans.c.mandate_ref)
    .where(~exists().where(tables.mandates.c.ref == tables.loans.c.mandate_ref))
    .distinct(),
    "items of payout": select(tables.payout_items.c.payout)
    .where(~exists().where(tables.payouts.c.key == tables.payout_items.c.payout))
    .distinct(),
    "postings of payout": select(_P.payout)
    .where(_P.payout.is_not(None), ~exists().where(tables.payouts.c.key == _P.payout))
    .distinct(),
    "moves of closure": select(_T.subject_key)
    .where(
        _T.subject_kind == LOAN_CLOSURE,
        ~exists().where(
            tables.subjects.c.kind == LOAN_CLOSURE, tables.subjects.c.key == _T.subject_key
        ),
    )
    .distinct(),
    "moves of case": select(_T.subject_key)
    .where(
        _T.subject_kind == CASE,
        ~exists().where(tables.subjects.c.kind == CASE, tables.subjects.c.key == _T.subject_key),
    )
    .distinct(),
}
