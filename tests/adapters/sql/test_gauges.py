"""How much waits and since when: right on both databases, and cheap on large ones."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read import gauges as asked
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.gauges import SqlGauges
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import balances, chain_head, outbox
from adapters.sql.write.books import SqlBooks
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Applied
from domain.loan.view import installment
from ports.archive import StatementRecord
from ports.gauges import LATE_AFTER, GaugeQueries, Waiting
from tests.fakes.sources import in_parts
from tests.support.booksbench import (
    NOON,
    RAIL,
    StillClock,
    apply_all,
    confirm,
    intend,
    order_of,
    present,
    roll,
)
from tests.support.doors import Hold, RecordOutcome
from tests.support.explaining import Explain
from tests.support.memory import TESTER, board

MANY = 10_000


@pytest.fixture
def gauges(engine: AsyncEngine, clock: StillClock) -> GaugeQueries:
    """Give the read side that is measured."""
    return SqlGauges(engine, clock)


async def test_empty_books_have_nothing_that_waits(gauges: GaugeQueries) -> None:
    """Before the first loan every gauge is nothing, and nothing is wrong."""
    found = await gauges.gauges()
    assert (found.at, found.files, found.chain_apart) == (NOON, Waiting(0), 0)
    assert not any((found.installments, found.unknown, found.actions, found.messages, found.days))
    assert await gauges.unbalanced() == 0


async def test_installments_are_counted_by_state_with_the_age_of_the_state(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, gauges: GaugeQueries
) -> None:
    """What changes an installment without moving it makes it no younger."""
    action = await present(books, queries, clock, "L1")
    due = clock.at
    clock.ahead(timedelta(hours=1))
    order_no = order_of(await intend(books, "L1", 1, action))
    clock.ahead(timedelta(hours=1))
    await books.apply(confirm(order_no, 10100))
    paid = clock.at
    clock.ahead(timedelta(hours=5))
    for number in (1, 2, 3):
        hold = Hold(id=f"h{number}", actor=TESTER, reason="asked", loan_id="L1", number=number)
        assert isinstance(await books.apply(hold), Applied)
    found = await gauges.gauges()
    assert found.installments["CLEARING"] == Waiting(1, paid)
    assert found.installments["SCHEDULED"].count == 2
    assert found.installments["SCHEDULED"].since == NOON
    assert due < paid < found.at


def said(order_no: str, outcome_class: OutcomeClass, code: str) -> RecordOutcome:
    """The rail answers an inquiry."""
    return RecordOutcome(
        id=f"outcome/{order_no}/{code}",
        actor=RAIL,
        rail="simbank",
        order_no=order_no,
        outcome=Outcome(outcome_class, code),
        source="inquiry",
    )


async def test_unknown_attempts_are_as_old_as_the_first_doubt(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, gauges: GaugeQueries
) -> None:
    """Asked again and still unknown: the doubt began when it began; evidence ends it."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))

    clock.ahead(timedelta(minutes=1))
    doubt = clock.at
    await books.apply(said(order_no, OutcomeClass.TECH, "T1"))
    clock.ahead(timedelta(hours=3))
    await books.apply(said(order_no, OutcomeClass.TECH, "T2"))
    assert (await gauges.gauges()).unknown == {"simbank": Waiting(1, doubt)}
    await books.apply(confirm(order_no, 10100))
    assert (await gauges.gauges()).unknown == {}


async def test_actions_messages_cases_and_files_wait_until_somebody_sees_to_them(
    books: SqlBooks,
    queries: SqlQueries,
    engine: AsyncEngine,
    clock: StillClock,
    gauges: GaugeQueries,
) -> None:
    """Each is counted with the instant since which it could have been done."""
    archive = SqlArchive(engine, clock)
    kept = clock.at
    sha256 = await archive.keep("statement", in_parts(b"one"))
    await present(books, queries, clock, "L1")
    await books.apply(confirm("O-nobody", 100))
    opened = clock.at
    found = await gauges.gauges()
    assert found.messages["open"] == Waiting(1, NOON)
    assert found.cases == {"unknown_order": Waiting(1, opened)}
    assert found.files == Waiting(1, kept)
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.next_action is not None
    clock.at = view.next_action.not_before + LATE_AFTER - timedelta(seconds=1)
    assert (await gauges.gauges()).actions == {}
    clock.ahead(timedelta(seconds=1))
    late = (await gauges.gauges()).actions
    assert late == {"PRESENT": Waiting(1, view.next_action.not_before)}
    await archive.record_statement(_statement(sha256), ends_file=True)
    async with engine.begin() as conn:
        await conn.execute(update(outbox).values(delivered_at=clock.at))
    found = await gauges.gauges()
    assert (found.files, found.messages) == (Waiting(0), {})


async def test_message_for_a_later_hour_waits_from_that_hour_on(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock, gauges: GaugeQueries
) -> None:
    """A notice held back for the morning is not late at night."""
    await books.apply(board())
    morning = clock.at + timedelta(hours=8)
    async with engine.begin() as conn:
        await conn.execute(update(outbox).values(not_before=morning))
    assert (await gauges.gauges()).messages == {}
    clock.ahead(timedelta(hours=9))
    assert (await gauges.gauges()).messages["open"].since == morning


async def test_refused_file_is_reported_for_two_weeks(
    engine: AsyncEngine, clock: StillClock, gauges: GaugeQueries
) -> None:
    """It can never be read; an alarm that nobody can end would be switched off."""
    await SqlArchive(engine, clock).keep("statement", in_parts(b"broken"))
    clock.ahead(timedelta(days=13))
    assert (await gauges.gauges()).files.count == 1
    clock.ahead(timedelta(days=2))
    assert (await gauges.gauges()).files == Waiting(0)


async def test_days_to_roll_begin_at_the_zones_own_midnight(
    books: SqlBooks, clock: StillClock, gauges: GaugeQueries
) -> None:
    """Not before it is that day there, and no more once the loan is rolled."""
    await apply_all(books, [board("L1"), board("L2")])
    clock.at = datetime(2026, 3, 9, 15, 59, tzinfo=UTC)
    await apply_all(books, [roll("L1", date(2026, 3, 9)), roll("L2", date(2026, 3, 9))])
    assert (await gauges.gauges()).days == {}
    clock.ahead(timedelta(minutes=2))
    midnight = datetime(2026, 3, 9, 16, tzinfo=UTC)
    assert (await gauges.gauges()).days == {"Asia/Shanghai": Waiting(2, midnight)}
    await books.apply(roll("L1", date(2026, 3, 10)))
    assert (await gauges.gauges()).days == {"Asia/Shanghai": Waiting(1, midnight)}


async def test_faults_of_the_books_are_found(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    gauges: GaugeQueries,
) -> None:
    """A balance that was changed by hand, and a journal whose end is gone."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await books.apply(confirm(order_no, 10100))
    # The same news by another way is a command that moves and posts nothing: the chain's last item.
    await books.apply(confirm(order_no, 10100, by="report"))
    assert ((await gauges.gauges()).chain_apart, await gauges.unbalanced()) == (0, 0)
    async with engine.begin() as conn:
        await conn.execute(update(balances).values(minor=balances.c.minor + 1))
        await conn.execute(update(chain_head).values(seq=chain_head.c.seq + 2))
    assert ((await gauges.gauges()).chain_apart, await gauges.unbalanced()) == (2, 1)


STATEMENTS: dict[str, Select[Any]] = {
    "installments": asked.INSTALLMENTS,
    "unknown": asked.UNKNOWN,
    "cases": asked.CASES,
    "chain": asked.CHAIN,
    "actions": asked.actions(NOON),
    "messages": asked.messages(NOON),
    "unread": asked.unread(NOON),
    "undone": asked.undone(NOON),
}


async def test_each_gauge_reads_an_index_and_few_rows_of_ten_thousand(
    engine: AsyncEngine, books: SqlBooks
) -> None:
    """None of them reads a table through; but for the states, none reads more than what waits."""
    await books.apply(board())
    await _fill(engine)
    async with engine.connect() as conn:
        for name, statement in STATEMENTS.items():
            if is_postgres(engine):
                plan = await conn.execute(Explain(statement, "EXPLAIN (ANALYZE, FORMAT JSON)"))
                found = plan.scalar_one()
                nodes = list(
                    _nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])
                )
                read = sum(node["Actual Rows"] * node["Actual Loops"] for node in nodes)
                through = [
                    node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"
                ]
                assert set(through) <= {"chain_head"}, (name, through)
                assert read <= (2 * MANY if name == "installments" else 60), (name, read)
            else:
                plan = await conn.execute(Explain(statement, "EXPLAIN QUERY PLAN"))
                steps = [str(row[3]) for row in plan]
                scans = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
                through = [step for step in scans if "INDEX" not in step and "KEY" not in step]
                assert all("chain_head" in step or "CONSTANT" in step for step in through), steps


def _nodes(plan: dict[str, Any]) -> Any:
    if "Relation Name" in plan or "Index Name" in plan:
        yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


async def _fill(engine: AsyncEngine) -> None:
    """Ten thousand of everything, of which three or so wait."""
    numbers = (
        f"generate_series(10, {MANY + 9}) AS n(i)"
        if is_postgres(engine)
        else "(WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n"
        f" WHERE i < {MANY + 9}) SELECT i FROM n) AS n"
    )
    cells = {
        "commands": {"id": "'c' || i", "dedup_key": "NULL", "seq": "40000 + i"},
        "loans": {"id": "'L' || i", "next_roll_on": "CASE WHEN i < 13 THEN next_roll_on END"},
        "subjects": {
            "key": "'L1/' || i",
            "number": "i",
            "state": "CASE WHEN i < 13 THEN 'DUE' ELSE 'CLOSED' END",
            "opened": "TRUE",
            "is_final": "CASE WHEN i < 13 THEN FALSE ELSE TRUE END",
        },
        "files": {
            "sha256": "'f' || i",
            "read_at": "CASE WHEN i < 13 THEN NULL ELSE kept_at END",
        },
    }
    raw = {
        "attempts": "'L1', i, 1, 'o' || i, 'm', 'simbank', NULL,"
        " CASE WHEN i < 13 THEN 'UNKNOWN' ELSE 'CONFIRMED' END, NULL, 1, '2026-01-01', NULL",
        "transitions": "1000 + i, 'c', 'k', 'a', 'r', 'p', {at}, '2026-01-01', 'h',"
        " 'installment', 'L1/' || i, 'L1', 'a',"
        " 'UNKNOWN', 'attempt', 'o' || i, ''",
        "entries": "20000 + i, 'c', 'k', 'a', 'r', 'p', {at}, '2026-01-01', 'h',"
        " 'main', 'e', '2026-01-01'",
        "outbox": "i + 100, 'wake', 's' || i, '{{}}', {at}, NULL, 0, NULL, NULL,"
        " CASE WHEN i < 13 THEN NULL ELSE {at} END, NULL, 0, NULL, NULL, NULL",
        "cases": "'k' || i, 'surplus', NULL, NULL, NULL, NULL, 'operations', '',"
        " 'human', 'x', NULL, {at}, NULL, CASE WHEN i < 13 THEN NULL ELSE {at} END",
    }
    async with engine.begin() as conn:
        instant = (await conn.execute(text("SELECT max(changed_at) FROM subjects"))).scalar()
        at = f"'{instant}'" if is_postgres(engine) else str(instant)
        if is_postgres(engine):
            at += "::timestamptz"
        await conn.execute(
            text(f"INSERT INTO files (sha256, kind, size, kept_at) VALUES ('f', 's', 1, {at})")
        )
        for table, own in cells.items():
            one = "WHERE number = 1" if table == "subjects" else ""
            columns = (await conn.execute(text(f"SELECT * FROM {table} LIMIT 0"))).keys()
            values = ", ".join(own.get(name, name) for name in columns)
            await conn.execute(
                text(
                    f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
                    f" FROM (SELECT * FROM {table} {one}) AS model, {numbers}"
                )
            )
        for table, values in raw.items():
            await conn.execute(
                text(f"INSERT INTO {table} SELECT {values.format(at=at)} FROM {numbers}")
            )
    async with engine.connect() as conn:
        ground = (
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            if is_postgres(engine)
            else conn
        )
        await ground.execute(text("VACUUM ANALYZE" if is_postgres(engine) else "ANALYZE"))


def _statement(sha256: str) -> StatementRecord:
    return StatementRecord(
        statement_id="S1",
        account="ACCT-FUNDER-1-CNY",
        currency="CNY",
        sequence=1,
        booked_on=date(2026, 3, 10),
        opening_minor=0,
        closing_minor=0,
        lines=0,
        sha256=sha256,
        faults=(),
    )
