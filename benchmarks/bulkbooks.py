"""Large books in little time: one loan by the real door, and copies of its rows under other names.

Copies go in by bulk inserts. Hashes and balances are made anew, so the books are in order: whoever
verifies or audits them finds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert, select, update

from adapters.sql.engine import books_engine
from adapters.sql.read.chainitems import commanded_of, item_of, moved_of
from adapters.sql.readrows import read_posting
from adapters.sql.schema import tables
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from benchmarks.bench_verify import debited
from benchmarks.world import RULES
from domain.ledger.chain import GENESIS, Booked, next_hash
from domain.ledger.entry import Posting
from workers.clock import WallClock

NAME = "L0000000"
CHUNK = 200
"""Loans of one insert."""
Rows = dict[str, list[dict[str, Any]]]
_ONCE = (tables.products,)
_COPIED = (
    tables.loans,
    tables.subjects,
    tables.attempts,
    tables.notices,
    tables.portions,
    tables.payments,
    tables.mandates,
    tables.lines,
    tables.commands,
    tables.entries,
    tables.postings,
    tables.transitions,
)


async def grown(url: str, postings: int) -> int:
    """Fill an empty database with at least so many postings; gives how many there are."""
    with TemporaryDirectory() as scratch:
        sample = await _sample(f"sqlite:///{Path(scratch) / 'one.db'}")
    each = len(sample["postings"])
    count = -(-postings // each)
    await upgrade(url)
    engine = books_engine(url)
    seq, head = 0, GENESIS
    balances: defaultdict[tuple[str, str], int] = defaultdict(int)
    async with engine.begin() as conn:
        for table in _ONCE:
            await conn.execute(insert(table), sample[table.name])
        for first in range(0, count, CHUNK):
            chunk: Rows = {table.name: [] for table in _COPIED}
            for number in range(first, min(first + CHUNK, count)):
                rows = dict(_copied(sample, f"L{number:07d}", seq))
                seq, head = _chained(rows, head)
                for posting in rows["postings"]:
                    balances[posting["account"], posting["currency"]] += posting["minor"]
                for table in _COPIED:
                    chunk[table.name] += rows[table.name]
            for table in _COPIED:
                if chunk[table.name]:
                    await conn.execute(insert(table), chunk[table.name])
        kept = [
            {"account": account, "currency": currency, "minor": minor}
            for (account, currency), minor in balances.items()
        ]
        for place in range(0, len(kept), 10_000):
            await conn.execute(insert(tables.balances), kept[place : place + 10_000])
        last = max(row["posted_on"] for row in sample["commands"])
        await conn.execute(update(tables.chain_head).values(seq=seq, hash=head, posted_on=last))
    await engine.dispose()
    return count * each


async def _sample(url: str) -> Rows:
    """The rows of one loan that was debited and proven."""
    await upgrade(url)
    engine = books_engine(url)
    async with SqlBooks(engine, WallClock(), RULES) as books:
        await debited(books, [NAME], datetime.now(UTC).date())
    async with engine.connect() as conn:
        found = {
            table.name: [dict(row) for row in (await conn.execute(select(table))).mappings()]
            for table in (*_ONCE, *_COPIED)
        }
    await engine.dispose()
    return found


def _copied(sample: Rows, name: str, after: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The sample under another loan's name, its numbers in the chain moved behind `after`."""
    for table in _COPIED:
        yield (
            table.name,
            [
                {
                    column: value.replace(NAME, name)
                    if isinstance(value, str)
                    else value + after
                    if column == "seq"
                    else value
                    for column, value in row.items()
                }
                for row in sample[table.name]
            ],
        )


def _chained(rows: Rows, head: str) -> tuple[int, str]:
    """Hash the journal rows of a loan anew, each with the hash before it; the last of them."""
    parts: defaultdict[int, list[Posting]] = defaultdict(list)
    for row in rows["postings"]:
        parts[row["seq"]].append(read_posting(Posting, SimpleNamespace(**row)))  # type: ignore[arg-type]
    items = [(row, commanded_of(SimpleNamespace(**row))) for row in rows["commands"]]
    for row in rows["entries"]:
        booked = Booked(row["ledger"], row["event"], row["value_on"], tuple(parts[row["seq"]]))
        items.append((row, item_of(SimpleNamespace(**row), booked)))
    for row in rows["transitions"]:
        one = SimpleNamespace(**row)
        items.append((row, item_of(one, moved_of(one))))
    seq = 0
    for row, item in sorted(items, key=lambda pair: pair[1].seq):
        head = row["hash"] = next_hash(head, item)
        seq = item.seq
    return seq, head
