"""Bundles read from real books, on both databases."""

import re
import tracemalloc
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.proofs.bundlecheck import verify_bundle
from adapters.sql.read.evidence import SqlEvidence, certificate_rows
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.errors import InvalidInput, InvariantBroken
from domain.loanclosure.certificate import Certificate
from domain.loanclosure.closure import LoanClosure
from ports.evidence import PARTS, Evidence, LaterItems
from tests.adapters.sql.test_payouts import RULES as PAYING
from tests.adapters.sql.test_payouts import Bench
from tests.support.booksbench import StillClock, apply_all, roll
from tests.support.bundles import bundle_of, checkpoint_of, public_keys, taken_apart
from tests.support.memory import RULES, board
from tests.support.tampered import LOANS, fill
from tests.support.unlocked import unlock


async def test_every_loan_has_its_bundle(engine: AsyncEngine, tmp_path: Path) -> None:
    """It is proven, has no word of another loan's story, and the same bytes each time."""
    await fill(engine)
    checkpoint = await checkpoint_of(engine, StillClock())
    keys = public_keys(checkpoint.head.origin)
    for loan in LOANS:
        bundle = await bundle_of(engine, loan, checkpoint)
        assert await bundle_of(engine, loan, checkpoint) == bundle
        path = tmp_path / f"{loan}.evidence"
        path.write_bytes(bundle)
        assert verify_bundle(path, keys).sealed.manifest.loan == loan
        members = taken_apart(bundle)
        others = [other for other in LOANS if other != loan]
        # Names in quotes: a hash may begin with the same letters.
        whole = b"".join(members.values())
        assert not [o for o in others if re.search(rf'"{o}(/\d+)?"'.encode(), whole)]
    assert (tmp_path / "L1.evidence").read_bytes() != (tmp_path / "L2.evidence").read_bytes()


async def test_the_parts_hold_what_the_books_do(engine: AsyncEngine) -> None:
    """Of a loan that was reminded, debited and proven; the file of its line is named."""
    await fill(engine)
    checkpoint = await checkpoint_of(engine, StillClock())
    evidence: Evidence = SqlEvidence(engine)
    rows = [row async for row in evidence.of_loan("L1", checkpoint.head)]
    counts = Counter(row.part for row in rows)
    assert list(counts) == [part for part in PARTS if part in counts]
    once = ("loan.json", "product.json", "attempts.jsonl", "notices.jsonl", "payments.jsonl")
    assert {counts[part] for part in (*once, "lines.jsonl", "cases.jsonl")} == {1}
    (line,) = (row.row for row in rows if row.part == "lines.jsonl")
    assert line["files"] == [{"statement": "S1", "period": "", "sha256": "S1" * 32}]
    assert [one["minor"] for one in line["proves"]] == [10_100]


async def test_no_token_of_the_payer_is_in_a_bundle(engine: AsyncEngine) -> None:
    """Neither the borrower's id nor the token of the account."""
    await fill(engine)
    checkpoint = await checkpoint_of(engine, StillClock())
    whole = b"".join(taken_apart(await bundle_of(engine, "L1", checkpoint)).values())
    assert b"b-1" not in whole
    assert b"acct-1" not in whole


async def test_what_came_after_the_checkpoint_is_not_passed_over(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """Whoever exports makes a later checkpoint; other loans do not matter."""
    await apply_all(books, [board("L1")])
    checkpoint = await checkpoint_of(engine, clock)
    await apply_all(books, [board("L2")])
    await bundle_of(engine, "L1", checkpoint)
    await apply_all(books, [roll("L1", clock.at.date() + timedelta(days=1))])
    with pytest.raises(LaterItems):
        await bundle_of(engine, "L1", checkpoint)
    with pytest.raises(LaterItems):
        await bundle_of(engine, "L2", checkpoint)
    with pytest.raises(InvalidInput, match="loan: 'L9'"):
        await bundle_of(engine, "L9", checkpoint)


async def test_a_journal_that_was_changed_gives_no_bundle(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """Every item is proven before it is written."""
    await apply_all(books, [board("L1")])
    checkpoint = await checkpoint_of(engine, clock)
    await unlock(engine)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE transitions SET event = 'x' WHERE seq = 3"))
    with pytest.raises(InvariantBroken, match="not what checkpoint"):
        await bundle_of(engine, "L1", checkpoint)


async def test_a_payout_that_pays_a_share_is_part_of_the_story(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """With its moves and entries, which name no loan; of its items only those of the loan."""
    clock = StillClock(datetime(2026, 3, 10, 2, tzinfo=UTC))
    async with SqlBooks(engine, clock, PAYING) as books:
        bench = Bench(engine, clock, books, SqlQueries(engine, clock, PAYING))
        await bench.paid_loans("L1", "L2")
        view = await bench.out()
        await bench.line(view.detail.order_no, -18_000)
    checkpoint = await checkpoint_of(engine, clock)
    path = tmp_path / "L1.evidence"
    path.write_bytes(await bundle_of(engine, "L1", checkpoint))
    found = verify_bundle(path, public_keys(checkpoint.head.origin))
    assert found.rows["payouts.jsonl"] == 1
    rows = SqlEvidence(engine).of_loan("L1", checkpoint.head)
    (payout,) = [row.row async for row in rows if row.part == "payouts.jsonl"]
    assert (payout["state"], payout["items"]) == ("PROVEN", 2)
    assert [item[3] for item in payout["of_this_loan"]] == [9_000]


def test_certificates_are_given_as_they_were_given_out() -> None:
    """A revoked one stands beside the one that replaced it; without any there is no row."""
    at = datetime(2026, 3, 10, 4, tzinfo=UTC)
    first = Certificate(1, "{}", "k", "s", at, revoked_at=at + timedelta(days=1), why="returned")
    closing = LoanClosure("L1", at.date(), at, (), certificates=(first, replace(first, why="")))
    (row,) = certificate_rows(closing)
    one, other = row["certificates"]
    assert (one["text"], one["key"], one["signature"]) == ("{}", "k", "s")
    assert (one["code"], one["revoked_at"]) == (first.code, "2026-03-11T04:00:00.000000Z")
    assert (one["why"], other["why"]) == ("returned", "")
    assert list(certificate_rows(replace(closing, certificates=()))) == []
    assert list(certificate_rows(None)) == []


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_loan(engine: AsyncEngine, clock: StillClock) -> None:
    """A loan of ten thousand items is read a batch at a time."""

    async def most(days: int) -> tuple[int, int]:
        first = date(2030, 1, 1)
        async with SqlBooks(engine, clock, RULES) as books:
            await apply_all(books, [board(f"L{days}")])
            for start in range(0, days, 500):
                span = range(start, min(start + 500, days))
                rolls = [roll(f"L{days}", first + timedelta(days=day)) for day in span]
                await apply_all(books, rolls)
        checkpoint = await checkpoint_of(engine, clock)
        evidence, count = SqlEvidence(engine), 0
        tracemalloc.start()
        async for row in evidence.of_loan(f"L{days}", checkpoint.head):
            count += row.part == "journal.jsonl"
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return count, peak

    few, small = await most(1_500)
    many, large = await most(10_000)
    assert (few > 1_500, many > 10_000) == (True, True)
    assert large < small * 1.5
