"""An audit of the books alone takes no more memory in larger books."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import update

from adapters.sql.engine import books_engine
from adapters.sql.read import chainitems, recounting, selfaudit
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema.tables import subjects
from benchmarks.bulkbooks import grown
from benchmarks.world import RULES
from domain.audit import FindingKind, findings
from domain.ledger.chain import FAULTS_KEPT
from workers.clock import WallClock

FEW, MANY = 420, 10_080
"""Postings, 21 to a loan; the smaller books fill several of the small pages set below."""


@asynccontextmanager
async def swept() -> AsyncIterator[None]:
    """Collect garbage all the while: how long Python leaves it lying is no matter of ours."""

    async def sweep() -> None:
        while True:
            gc.collect()
            await asyncio.sleep(0.005)

    gc.collect()
    gc.freeze()
    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
        gc.unfreeze()


async def test_an_audit_of_24_times_the_books_takes_the_same_memory(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums are the database's, loans and streams come in pages, and findings are limited.

    Every installment is late to close and nobody has been asked about it: of large books as many
    are listed as of small ones.
    """
    monkeypatch.setattr(chainitems, "PAGE", 100)
    monkeypatch.setattr(recounting, "LOANS_PAGE", 10)
    monkeypatch.setattr(recounting, "LINES_PAGE", 10)
    monkeypatch.setattr(selfaudit, "PAGE", 10)
    monkeypatch.setattr(selfaudit, "KEPT", 10)
    monkeypatch.setattr(findings, "KEPT", 10)
    most: list[int] = []
    for postings in (FEW, MANY):
        url = f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.db'}"
        assert await grown(url, postings) == postings
        engine = books_engine(url)
        async with engine.begin() as conn:
            await conn.execute(update(subjects).values(state="SETTLED"))
        auditor = SqlSelfAudit(engine, WallClock(), RULES)
        as_of = WallClock().now() + timedelta(days=60)
        await auditor.audit(as_of)  # what is made once is made before memory is looked at
        async with swept():
            tracemalloc.start()
            report = await auditor.audit(as_of)
            most.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert report.chain.postings == postings
        assert report.count(FindingKind.PAID_NOT_CLOSED) == postings // 21
        assert len(report.findings) <= 10 + FAULTS_KEPT
        await engine.dispose()
    assert most[1] < 1.2 * most[0], most
