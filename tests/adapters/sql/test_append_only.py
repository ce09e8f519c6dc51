"""The journal and the command log can only grow, whoever holds the connection."""

from datetime import timedelta

import pytest
from sqlalchemy import make_url, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.access.log import SqlAccessLog
from adapters.sql.engine import books_engine
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.appendonly import grants
from adapters.sql.schema.migrate import revision_of, upgrade
from adapters.sql.schema.pruning import prune_outbox
from adapters.sql.schema.tables import APPEND_ONLY, outbox
from adapters.sql.write.auditdays import SqlAuditDays
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.audit.signoff import SignOrder
from domain.kernel.change import Applied
from ports.access import AccessEvent
from ports.checkpoints import Receipt
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock, confirm, intend, order_of, present
from tests.support.forging import a_signer
from tests.support.memory import RULES

CHANGES = {
    "entries": "UPDATE entries SET reason = 'x'",
    "postings": "UPDATE postings SET minor = minor * 2",
    "transitions": "UPDATE transitions SET target = 'CLOSED'",
    "commands": "UPDATE commands SET identity = 'x'",
    "file_chunks": "UPDATE file_chunks SET position = 7",
    "checkpoints": "UPDATE checkpoints SET note = 'x'",
    "receipts": "UPDATE receipts SET anchor = 'x'",
    "payout_items": "UPDATE payout_items SET minor = 7",
    "audit_days": "UPDATE audit_days SET clean = false",
    "signoffs": "UPDATE signoffs SET actor = 'x'",
    "access_log": "UPDATE access_log SET outcome = 'allowed'",
}


async def _fill(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    await SqlArchive(engine, clock).keep("statement", in_parts(b"a file"))
    async with engine.begin() as conn:
        await conn.execute(text("INSERT INTO payout_items VALUES ('p', 'L', 'P', 1, 'fee', 5)"))
    await SqlAccessLog(engine).record(AccessEvent(clock.at, "ops", "api", "order", "L1", "denied"))
    action = await present(books, queries, clock, "L1")
    await books.apply(confirm(order_of(await intend(books, "L1", 1, action)), 10100))
    sealing = SqlCheckpoints(engine, clock, a_signer())
    made = await sealing.seal()
    assert made is not None
    size = made.checkpoint.head.size
    days = SqlAuditDays(engine, clock)
    day = (await days.record(clock.at.date(), {}, findings=0, unexplained=0)).day
    await days.sign(day, SignOrder("audit", "aud-1", "seen"))
    await sealing.keep_receipt(Receipt(size, "folder", "file", clock.at, None, b"here"))


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_rows_cannot_be_changed_or_removed(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock, table: str
) -> None:
    """An update and a delete fail in the database itself, and leave everything as it was."""
    await _fill(engine, books, queries, clock)
    for statement in (CHANGES[table], f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as conn:
                await conn.execute(text(statement))
    assert (await queries.verify()).faults == ("items of payout p, which is not on the books",)


@pytest.mark.parametrize("table", ["entries", "transitions"])
async def test_rows_cannot_be_replaced_on_sqlite(
    sqlite_url: str, clock: StillClock, table: str
) -> None:
    """SQLite's INSERT OR REPLACE removes a row without being asked to: that is refused, too."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    async with SqlBooks(engine, clock, RULES) as books:
        await _fill(engine, books, SqlQueries(engine, clock, RULES), clock)
    statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
    with pytest.raises(DBAPIError):
        async with engine.begin() as conn:
            await conn.execute(text(statement))
    await engine.dispose()


async def test_tables_cannot_be_emptied_on_postgres(postgres_url: str) -> None:
    """TRUNCATE fires no row trigger; it is refused by one of its own."""
    await upgrade(postgres_url)
    engine = books_engine(postgres_url)
    for table in ("transitions", "commands", "postings"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as conn:
                await conn.execute(text(f"TRUNCATE {table}"))
    await engine.dispose()


async def test_the_application_role_can_work_and_cannot_rewrite(
    postgres_url: str, clock: StillClock
) -> None:
    """With the granted rights alone the books run; the owner alone prunes the outbox."""
    await upgrade(postgres_url)
    owner = books_engine(postgres_url)
    async with owner.begin() as conn:
        await conn.execute(text("DROP ROLE IF EXISTS acquit_app"))
        await conn.execute(text("CREATE ROLE acquit_app LOGIN"))
        for statement in grants("acquit_app"):
            await conn.execute(text(statement))
    app = books_engine(make_url(postgres_url).set(username="acquit_app").render_as_string())
    queries = SqlQueries(app, clock, RULES)
    async with SqlBooks(app, clock, RULES) as books:
        action = await present(books, queries, clock, "L1")
        assert isinstance(await intend(books, "L1", 1, action), Applied)
    assert (await revision_of(app)).fits
    async with app.begin() as conn:
        await conn.execute(update(outbox).values(delivered_at=clock.now() - timedelta(days=2)))
    gone = ("loans", "cases", "outbox")
    for statement in (*CHANGES.values(), *(f"DELETE FROM {table}" for table in gone)):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with app.begin() as conn:
                await conn.execute(text(statement))
    await app.dispose()
    assert await prune_outbox(owner, clock.now() - timedelta(days=1)) > 0
    async with owner.begin() as conn:
        await conn.execute(text("DROP OWNED BY acquit_app"))
        await conn.execute(text("DROP ROLE acquit_app"))
    await owner.dispose()


def test_a_role_that_would_need_quoting_is_refused() -> None:
    """Names come from operators; none of them becomes part of another statement."""
    with pytest.raises(ValueError, match="role"):
        list(grants("app; DROP TABLE loans"))
