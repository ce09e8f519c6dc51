"""Somebody with the keys to the database changes the journal: verification says where."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.write.books import SqlBooks
from tests.support.booksbench import (
    StillClock,
    apply_all,
    confirm,
    intend,
    line,
    order_of,
    present,
)
from tests.support.doors import Hold
from tests.support.memory import PRODUCT, RULES, TESTER
from tests.support.unlocked import unlock

ATTACKS = {
    "flip an amount": ["UPDATE postings SET minor = minor + 1 WHERE position = 0"],
    "flip both sides": ["UPDATE postings SET minor = minor * 2"],
    "rename an account": [
        "UPDATE postings SET account = 'owed/L2/1/interest' WHERE account = 'owed/L1/1/interest'"
    ],
    "say another place": ["UPDATE postings SET place = 'bank/x' WHERE place = 'clearing/simbank'"],
    "say no place": ["UPDATE postings SET place = NULL"],
    "say another party": ["UPDATE postings SET party = 'x' WHERE party = 'funder-1'"],
    "say another ledger": ["UPDATE entries SET ledger = 'other'"],
    "change the head's ledger": ["UPDATE chain_head SET ledger = 'other'"],
    "change the head's day": ["UPDATE chain_head SET posted_on = '2026-01-01'"],
    "change a day of posting": ["UPDATE entries SET posted_on = '2026-01-01'"],
    "change a reason": ["UPDATE transitions SET reason = 'x' WHERE seq = 2"],
    "change a day": ["UPDATE entries SET value_on = '2026-01-01'"],
    "forge a hash": ["UPDATE transitions SET hash = 'f' WHERE seq = 2"],
    "remove a move": ["DELETE FROM transitions WHERE seq = 2"],
    "remove the last move": [
        "DELETE FROM transitions WHERE seq = (SELECT max(seq) FROM transitions)"
    ],
    "remove an entry": ["DELETE FROM postings", "DELETE FROM entries"],
    "remove a posting": ["DELETE FROM postings WHERE position = 1"],
    "add a posting": [
        """INSERT INTO postings (seq, position, account, minor, currency)
        SELECT min(seq), 99, 'bank/x', 5, 'CNY' FROM entries"""
    ],
    "add a move": [
        """INSERT INTO transitions SELECT seq + 100, command_id, actor_kind, actor_id, reason,
        product, at, posted_on, hash, subject_kind, subject_key, loan_id, source, target, event,
        order_no, detail
        FROM transitions WHERE seq = 2"""
    ],
    "swap two moves": [
        "UPDATE transitions SET seq = 1001 WHERE seq = 2",
        "UPDATE transitions SET seq = 2 WHERE seq = 3",
        "UPDATE transitions SET seq = 3 WHERE seq = 1001",
    ],
    "move the head": ["UPDATE chain_head SET seq = seq - 1"],
    "lose the head": ["DELETE FROM chain_head"],
    "edit a balance": ["UPDATE balances SET minor = minor + 1 WHERE account LIKE 'clearing/%'"],
    "drop a balance": ["DELETE FROM balances WHERE account LIKE 'clearing/%'"],
}


FORGERIES = {
    "a command's actor": (
        "UPDATE commands SET actor = 'operator/ops-9' WHERE kind = 'hold'",
        "command hold order-1",
    ),
    "a command's reason": (
        "UPDATE commands SET reason = 'because' WHERE kind = 'hold'",
        "command hold order-1",
    ),
    "a command's approver": (
        "UPDATE commands SET approver = 'ops-9' WHERE kind = 'hold'",
        "command hold order-1",
    ),
    "a command's answer": (
        "UPDATE commands SET answer = 'never said' WHERE kind = 'hold'",
        "command hold order-1",
    ),
    "a command's content": (
        "UPDATE commands SET identity = 'x' WHERE kind = 'hold'",
        "command hold order-1",
    ),
    "a command removed": ("DELETE FROM commands WHERE kind = 'hold'", "follows item"),
    "an installment's state": (
        """UPDATE subjects SET state = 'CLOSED', body = replace(body, 'CLEARING', 'CLOSED'),
        view = replace(view, 'CLEARING', 'CLOSED') WHERE number = 1""",
        "installment 1 of loan L1 is kept as CLOSED, its moves end at CLEARING",
    ),
    "an installment's state column": (
        "UPDATE subjects SET state = 'CLOSED' WHERE number = 1",
        "installment 1 of loan L1: column state is CLOSED, its body says CLEARING",
    ),
    "an installment's amount": (
        """UPDATE subjects SET body = replace(body, '"principal":10000', '"principal":9000')
        WHERE number = 1""",
        "installment 1 of loan L1 is kept with charged",
    ),
    "an installment's view": (
        "UPDATE subjects SET view = replace(view, 'CLEARING', 'CLOSED') WHERE number = 1",
        "the view of installment 1 of loan L1 shows CLOSED",
    ),
    "an installment removed": (
        "DELETE FROM subjects WHERE number = 3",
        "installment 3 of loan L1 has moves or postings and is not kept",
    ),
    "a bank line's amount": (
        "UPDATE lines SET amount_minor = 5000, body = replace(body, '5050', '5000')",
        "line ACCT-FUNDER-1-CNY/S1/1 is kept as 5000, its postings sum to 5050",
    ),
    "a bank line's amount column": (
        "UPDATE lines SET amount_minor = 5000",
        "line ACCT-FUNDER-1-CNY/S1/1: column amount_minor is 5000, its body says 5050",
    ),
    "what a bank line leaves open": (
        """UPDATE lines SET open_minor = 7,
        body = replace(body, '"open_minor":0', '"open_minor":7')""",
        "line ACCT-FUNDER-1-CNY/S1/1 is kept with 7 open, its postings say 0",
    ),
    "a bank line removed": ("DELETE FROM lines", "postings of line ACCT-FUNDER-1-CNY/S1/1"),
    "what a bank line proves of a payment": (
        "UPDATE portions SET body = replace(body, 'settled_minor\":5050', 'settled_minor\":10100')",
        "10100 proven, its postings say 5050",
    ),
    "where the money of a payment lies": (
        "UPDATE portions SET body = replace(body, 'ACCT-FUNDER-1-CNY', 'ELSEWHERE')",
        "0 of held_by/funder-1 at bank/ACCT-FUNDER-1-CNY, its postings say -4950",
    ),
    "a payment's amount column": (
        "UPDATE portions SET amount_minor = 1",
        "column amount_minor is 1, its body says 10100",
    ),
    "a payment's sums": (
        "UPDATE payments SET settled_minor = 1",
        "payment R-",
    ),
    "a payment's root removed": ("DELETE FROM payments", "portions of payment"),
    "a share that nobody is due": (
        (
            "INSERT INTO payable_items"
            " VALUES ('L1', 'R-1', 1, 'principal', 'x', 'clearing/y', 'CNY', 1, 0, '2026-03-02')"
        ),
        "payable item L1/R-1/1/principal/x/clearing/y is kept with 1, its portion says 0",
    ),
    "a payment removed": ("DELETE FROM portions", "postings of payment"),
    "an attempt's state": (
        "UPDATE attempts SET state = 'DECLINED'",
        "column state is DECLINED, its body says CONFIRMED",
    ),
    "a balance": (
        "UPDATE balances SET minor = minor + 1 WHERE account = 'bank/ACCT-FUNDER-1-CNY'",
        "balance of bank/ACCT-FUNDER-1-CNY is kept as 5051, its postings sum to 5050",
    ),
    "a balance removed": (
        "DELETE FROM balances WHERE account = 'bank/ACCT-FUNDER-1-CNY'",
        "balance of bank/ACCT-FUNDER-1-CNY is not kept, its postings sum to 5050",
    ),
    "a product": (
        "UPDATE products SET body = replace(body, 'simbank', 'other')",
        "is not what its digest says",
    ),
    "a case ended by hand": (
        """UPDATE subjects SET state = 'RESOLVED', body = replace(body, '"OPEN"', '"RESOLVED"')
        WHERE kind = 'case'""",
        "its moves end at OPEN",
    ),
    "a case removed": ("DELETE FROM subjects WHERE kind = 'case'", "moves of case"),
    "whose case it is": ("UPDATE cases SET owner = 'nobody'", "column of_owner is nobody"),
    "a body that nobody can read": (
        "UPDATE subjects SET body = 'x' WHERE number = 1",
        "loan L1 cannot be read back",
    ),
    "a view that nobody can read": (
        "UPDATE subjects SET view = 'x' WHERE number = 1",
        "the view of installment 1 of loan L1 cannot be read back",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forgery_is_found_and_named(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock, forgery: str
) -> None:
    """Orders are in the chain and kept rows are recomputed from it: the fault names the row."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await books.apply(confirm(order_no, 10100))
    await books.apply(line(order_no, 5050, day=date(2026, 3, 10)))
    hold = Hold(id="order-1", actor=TESTER, reason="asked for", loan_id="L1", number=2)
    await books.apply(hold)
    assert (await queries.verify()).faults == ()
    await unlock(engine)
    statement, named = FORGERIES[forgery]
    async with engine.begin() as conn:
        done = await conn.exec_driver_sql(statement)
        assert done.rowcount
    faults = (await queries.verify()).faults
    assert any(named in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE entries SET value_on = 'some day'", "the journal cannot be read after item"),
        ("UPDATE commands SET at = 'once'", "the journal cannot be read after item"),
        ("UPDATE postings SET minor = 'much'", "the journal cannot be read after item"),
        ("UPDATE loans SET next_roll_on = 'x'", "cannot be read"),
        ("UPDATE lines SET booked_on = 'x'", "cannot be read"),
    ],
)
async def test_a_column_that_holds_what_it_cannot_is_a_fault(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    statement: str,
    named: str,
) -> None:
    """SQLite keeps text in any column: verification says so. PostgreSQL refuses to keep it."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await books.apply(confirm(order_no, 10100))
    await books.apply(line(order_no, 5050, day=date(2026, 3, 10)))
    await unlock(engine)
    if is_postgres(engine):
        with pytest.raises(DBAPIError):
            await _changed(engine, statement)
        return
    assert await _changed(engine, statement)
    faults = (await queries.verify()).faults
    assert any(named in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("table", "column", "where", "row"),
    [
        ("commands", "reason", "kind = 'book_line'", "line/ACCT-FUNDER-1-CNY/S1/1"),
        ("postings", "account", "line IS NOT NULL AND position = 0", "/0"),
        ("subjects", "body", "key = 'L1/1'", "installment/L1/1"),
        ("subjects", "state", "key = 'L1/1'", "installment/L1/1"),
        ("attempts", "state", "1", "L1/1/1"),
        ("lines", "account", "1", "ACCT-FUNDER-1-CNY/S1/1"),
        ("lines", "id", "1", r"\xffB"),
        ("balances", "account", "account LIKE 'bank/%'", r"\xffB/CNY"),
        ("products", "body", "1", PRODUCT.ref),
    ],
)
async def test_text_that_is_not_utf_8_is_a_fault_that_names_its_cell(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    table: str,
    column: str,
    where: str,
    row: str,
) -> None:
    """SQLite keeps any bytes as text; PostgreSQL refuses to keep them."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await apply_all(books, [confirm(order_no, 10100), line(order_no, 5050, day=date(2026, 3, 10))])
    await unlock(engine)
    if is_postgres(engine):
        with pytest.raises(DBAPIError):
            await _changed(engine, r"UPDATE loans SET id = convert_from('\xff42'::bytea, 'UTF8')")
        return
    assert await _changed(
        engine, f"UPDATE {table} SET {column} = CAST(x'ff42' AS TEXT) WHERE {where}"
    )
    faults = (await queries.verify()).faults
    named = [fault for fault in faults if f"column {column} of {table} is not UTF-8" in fault]
    assert [fault.endswith(row) for fault in named] == [True], faults
    report = await SqlSelfAudit(engine, clock, RULES).audit()
    assert not report.clean
    assert any(row in finding.text for finding in report.findings)


async def _changed(engine: AsyncEngine, statement: str) -> int:
    async with engine.begin() as conn:
        return (await conn.exec_driver_sql(statement)).rowcount


@pytest.mark.parametrize("attack", ATTACKS)
async def test_tampering_is_found(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock, attack: str
) -> None:
    """Triggers and constraints switched off, the chain still shows every change."""
    action = await present(books, queries, clock, "L1")
    await books.apply(confirm(order_of(await intend(books, "L1", 1, action)), 10100))
    assert (await queries.verify()).faults == ()
    await unlock(engine)
    async with engine.begin() as conn:
        for statement in ATTACKS[attack]:
            await conn.execute(text(statement))
    assert (await queries.verify()).faults != ()
