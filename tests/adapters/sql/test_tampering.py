"""Somebody with the keys to the database changes the journal: verification says where."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.books import SqlBooks
from adapters.sql.desk import SqlDesk
from adapters.sql.engine import is_postgres
from tests.support.booksbench import StillClock, confirm, intend, order_of, present

ATTACKS = {
    "flip an amount": ["UPDATE postings SET minor = minor + 1 WHERE position = 0"],
    "flip both sides": ["UPDATE postings SET minor = minor * 2"],
    "rename an account": [
        "UPDATE postings SET account = 'owed/L2/1/interest' WHERE account = 'owed/L1/1/interest'"
    ],
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
        product, at, posted_on, hash, loan_id, number, source, target, event, order_no, detail
        FROM transitions WHERE seq = 1"""
    ],
    "swap two moves": [
        "UPDATE transitions SET seq = 1001 WHERE seq = 1",
        "UPDATE transitions SET seq = 1 WHERE seq = 2",
        "UPDATE transitions SET seq = 2 WHERE seq = 1001",
    ],
    "move the head": ["UPDATE chain_head SET seq = seq - 1"],
    "lose the head": ["DELETE FROM chain_head"],
    "edit a balance": ["UPDATE balances SET minor = minor + 1 WHERE account LIKE 'clearing/%'"],
    "drop a balance": ["DELETE FROM balances WHERE account LIKE 'clearing/%'"],
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_tampering_is_found(
    engine: AsyncEngine, books: SqlBooks, desk: SqlDesk, clock: StillClock, attack: str
) -> None:
    """Triggers and constraints switched off, the chain still shows every change."""
    beat = await present(books, desk, clock, "L1")
    await books.apply(confirm(order_of(await intend(books, "L1", 1, beat)), 10100))
    assert (await desk.verify()).faults == ()
    await _unlock(engine)
    async with engine.begin() as conn:
        for statement in ATTACKS[attack]:
            await conn.execute(text(statement))
    assert (await desk.verify()).faults != ()


async def _unlock(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        if is_postgres(engine):
            for table in ("entries", "postings", "transitions"):
                await conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
            await conn.execute(text("ALTER TABLE postings DROP CONSTRAINT fk_postings_seq"))
            return
        found = await conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        for name in [row.name for row in found]:
            await conn.execute(text(f"DROP TRIGGER {name}"))
