"""Facts for a comparison: books of one moment, and the bank's log from the simulator itself."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from adapters.rails.kind import RailLogin
from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.audit import TruthFacts
from domain.errors import Unavailable
from sandbox.auditing import audit_stack, read_books, truth_of
from sandbox.truthlogs import addresses_of, fetch_logs
from tests.support.booksbench import StillClock, present
from tests.support.memory import RULES, board
from workers.processes import Child
from workers.rails import RailEntry

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("a", "b")
TABLES = "".join(f"[rails.{name}]\nmerchant_id = 'M'\napi_secret = 'x'\n" for name in NAMES)


def at(url: str, *names: str) -> dict[str, RailEntry]:
    """Rails of a simulator at this address."""
    return {
        name: RailEntry(
            name,
            "simbank",
            RailLogin(name, "M", {"url": f"{url}/rails/{name}", "bank_url": f"{url}/bank"}, {}),
        )
        for name in names or NAMES
    }


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[str]:
    """Run the simulator with two rails as a program; gives its address."""
    (folder / "rails.toml").write_text(TABLES, encoding="utf-8")
    ready = folder / "ready.json"
    argv = (
        sys.executable,
        "-m",
        "simulator",
        "--http-port",
        "0",
        "--smtp-port",
        "0",
        "--db",
        folder / "sim.db",
        "--seed",
        "1",
        "--profile",
        "calm",
        "--rails",
        folder / "rails.toml",
        "--ready-file",
        ready,
    )
    child = await Child.start(argv, log=folder / "sim.log", cwd=ROOT)
    try:
        async with asyncio.timeout(30):
            while not ready.is_file() or not ready.read_text(encoding="utf-8").strip():
                assert child.returncode is None, child.tail()
                await asyncio.sleep(0.1)
        yield json.loads(ready.read_text(encoding="utf-8"))["http"]
    finally:
        await child.stop()


async def test_the_log_of_the_simulated_bank_can_be_read(tmp_path: Path) -> None:
    """Rails and a bank without an order have empty logs, in the form that the audit reads."""
    async with simulator(tmp_path) as url:
        assert truth_of(await fetch_logs(addresses_of(at(url)))) == TruthFacts()
        with pytest.raises(Unavailable, match="rail c at"):
            await fetch_logs(addresses_of(at(url, "a", "c")))


async def test_a_bank_that_has_ended_leaves_its_log_for_the_next_audit(
    tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A demo ends its bank; the books can be audited again, against that bank's log only."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    clock = StillClock()
    books = (SqlSelfAudit(engine, clock, RULES), SqlQueries(engine, clock, RULES))
    async with simulator(tmp_path) as url:
        first = await audit_stack(*books, clock, at(url), home=tmp_path)
    clock.ahead(timedelta(days=1))
    again = await audit_stack(*books, clock, at(url), home=tmp_path)
    assert first == again
    assert "its log of 2026-03-02 04:00+00:00 is used" in capsys.readouterr().err
    with pytest.raises(Unavailable):
        await audit_stack(*books, clock, at("http://127.0.0.1:9"), home=tmp_path)
    with pytest.raises(Unavailable):
        await audit_stack(*books, clock, at(url, "a"), home=tmp_path)
    with pytest.raises(Unavailable):
        await audit_stack(*books, clock, at(url), home=tmp_path / "other")
    await engine.dispose()


def test_a_log_with_everything_in_it_is_read_whole() -> None:
    """Orders with executions, movements, messages and statements, with instants and days."""
    truth = truth_of(
        {
            "orders": [
                {
                    "rail": "a",
                    "order_no": "N1",
                    "merchant_id": "M",
                    "mandate_ref": "MD",
                    "amount_minor": 5,
                    "currency": "CNY",
                    "value_on": "2026-03-10",
                    "posts": 2,
                    "received_at": "2026-03-10T01:30:00.123Z",
                    "final_status": None,
                    "code": "05",
                    "executions": [
                        {
                            "bank_ref": "BK",
                            "amount_minor": 5,
                            "value_on": "2026-03-10",
                            "executed_at": "2026-03-10T01:30:01+00:00",
                        }
                    ],
                }
            ],
            "movements": [
                {
                    "id": "MV",
                    "account": "A",
                    "order_no": None,
                    "kind": "credit",
                    "amount_minor": 5,
                    "currency": "CNY",
                    "booked_on": "2026-03-10",
                    "value_on": "2026-03-10",
                    "statement_id": None,
                }
            ],
            "notices": [
                {"message_id": "m", "channel": "sms", "received_at": "2026-03-10T01:30:00Z"}
            ],
            "statements": [
                {
                    "id": "S",
                    "account": "A",
                    "available_at": "2026-03-10T15:30:00Z",
                    "date": "2026-03-10",
                }
            ],
        }
    )
    (order,) = truth.orders
    assert order.received_at == datetime(2026, 3, 10, 1, 30, 0, 123000, tzinfo=UTC)
    assert order.taken_minor == 5
    assert truth.movements[0].booked_on == date(2026, 3, 10)
    assert truth.movements[0].entry == "credit/MV"
    assert truth.statements[0].available_at.hour == 15


async def test_the_books_are_read_whole_also_loans_without_a_posting(sqlite_url: str) -> None:
    """A loan that was only boarded has moved nothing and is counted all the same."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    clock = StillClock()
    try:
        async with SqlBooks(engine, clock, RULES) as books:
            queries = SqlQueries(engine, clock, RULES)
            await present(books, queries, clock, "L1")
            await books.apply(board("L2"))
            facts = await read_books(queries, clock.now())
    finally:
        await engine.dispose()
    assert [loan.id for loan in facts.loans] == ["L1", "L2"]
    assert {posting.loan for posting in facts.postings} == {"L1"}
    assert facts.as_of == clock.now()


async def test_no_bank_and_a_bank_that_does_not_answer_are_reported(
    sqlite_url: str,
) -> None:
    """Without the other side's log there is no comparison, and no silent pass."""
    engine, clock = books_engine(sqlite_url), StillClock()
    books = (SqlSelfAudit(engine, clock, RULES), SqlQueries(engine, clock, RULES))
    with pytest.raises(Unavailable, match="acquit up"):
        await audit_stack(*books, clock, {"a": RailEntry("a", "simbank")})
    with pytest.raises(Unavailable, match=r"gives no log: .*acquit up"):
        await audit_stack(*books, clock, at("http://127.0.0.1:9"))
    await engine.dispose()
