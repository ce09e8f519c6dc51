"""Matches lines with expectations in a process of its own: prints figures as JSON.

`sets` runs all passes; `join` is one bare join of both sides by key and amount; `one by one` asks
the same database line by line, for some of the lines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.engine import books_engine, is_postgres
from adapters.sql.match.matcher import SetMatcher
from adapters.sql.read.looking import look
from benchmarks.machine import most_kib
from domain.matching.model import Expectation, Key, Pass, Piece, Tolerance

WHATS = ("sets", "join", "one by one")
DAY = date(2026, 3, 10)
_PERCENT = 100
_TOLERANCE = Tolerance(fee_most_minor=50, days=2)
_JOIN = text("""
SELECT count(*), sum(p.minor) FROM match_piece_keys k
JOIN match_expectation_keys w ON w.via = k.via AND w.key = k.key
JOIN match_pieces p ON p.id = k.piece
JOIN match_expectations e ON e.id = w.expectation AND e.minor = p.minor
 AND e.currency = p.currency
""")
_KEYS = text("SELECT via, key FROM match_piece_keys WHERE piece = :piece")
_ONE = text("""
SELECT e.id, e.minor FROM match_expectation_keys w
JOIN match_expectations e ON e.id = w.expectation AND e.status IS NULL
WHERE w.via = :via AND w.key = :key
""")
_MARK = text("UPDATE match_expectations SET status = 'matched' WHERE id = :id")
_MARK_PIECE = text("UPDATE match_pieces SET status = 'matched' WHERE id = :id")


def expectations(size: int) -> Iterator[Expectation]:
    """Yield debits, each with its order number, booking and mandate."""
    for at in range(size):
        keys = (
            Key(Pass.END_TO_END, f"ORDER{at:09d}"),
            Key(Pass.BANK_REFERENCE, f"BK{at:09d}"),
            Key(Pass.MANDATE, f"MANDATE{at:09d}"),
        )
        yield Expectation(f"e{at:09d}", 10_000, "CNY", DAY, DAY, keys, tolerance=_TOLERANCE)


def pieces(size: int) -> Iterator[Piece]:
    """Yield lines: of a hundred 90 name the order, the others something else or nothing."""
    for at in range(size):
        kind, minor = at % _PERCENT, 10_000
        match kind:
            case 90 | 91 | 92 | 93:
                key = Key(Pass.BANK_REFERENCE, f"BK{at:09d}")
            case 94 | 95:
                key = Key(Pass.MANDATE, f"MANDATE{at:09d}")
            case 96:
                key, minor = Key(Pass.MANDATE, f"MANDATE{at:09d}"), 9_980
            case 97:
                key, minor = Key(Pass.END_TO_END, f"ORDER{at:09d}"), 9_000
            case 98:
                key = Key(Pass.END_TO_END, "UNKNOWN")
            case _:
                key = Key(Pass.END_TO_END, f"ORDER{at:09d}")
        keys = () if kind == _PERCENT - 1 else (key,)
        yield Piece(f"l{at:09d}", "ACCT-1", minor, "CNY", DAY, keys)


def wanted(size: int) -> dict[str, int]:
    """How many lines should stand how, by status."""
    each = size // _PERCENT
    return {"matched": 97 * each, "under": each, "unidentified": 2 * each}


async def _one_by_one(conn: AsyncConnection, count: int) -> int:
    """Match some lines as a program does that asks for each; how many it matched."""
    matched = 0
    for piece in pieces(count):
        for via, key in (await conn.execute(_KEYS, {"piece": piece.id})).fetchall():
            found = (await conn.execute(_ONE, {"via": via, "key": key})).fetchall()
            if len(found) == 1 and found[0].minor == piece.minor:
                await conn.execute(_MARK, {"id": found[0].id})
                await conn.execute(_MARK_PIECE, {"id": piece.id})
                matched += 1
    return matched


async def measure(url: str, what: str, size: int) -> dict[str, object]:
    """Fill the tables and do one of them."""
    engine = books_engine(url)
    async with look(engine, unhurried=True) as conn:
        matcher = SetMatcher(conn)
        await matcher.open()
        began = time.perf_counter()
        await matcher.expect(expectations(size))
        await matcher.show(pieces(size))
        if is_postgres(engine):
            for name in ("pieces", "piece_keys", "expectations", "expectation_keys"):
                await conn.execute(text(f"ANALYZE match_{name}"))  # names of ours
        filled, spent = time.perf_counter() - began, psutil.Process().cpu_times()
        began, done, wrong = time.perf_counter(), size, ""
        if what == "sets":
            await matcher.match(DAY)
        elif what == "join":
            row = (await conn.execute(_JOIN)).one()
            least = size // _PERCENT * 96
            wrong = "" if row[0] == least else f"{row[0]} pairs, not {least}"
        else:
            done = size // 10
            matched, least = await _one_by_one(conn, done), done // _PERCENT * 96
            wrong = "" if matched == least else f"{matched} matched, not {least}"
        seconds, now = time.perf_counter() - began, psutil.Process().cpu_times()
        if what == "sets":
            found: Counter[str] = Counter()
            async for _, result in matcher.lines():
                found[result.status.value] += 1
            wrong = "" if found == wanted(size) else f"found {dict(found)}"
        await conn.rollback()
    await engine.dispose()
    return {
        "units": done,
        "seconds": seconds,
        "cpu": now.user + now.system - spent.user - spent.system,
        "fill s": filled,
        "MiB most": most_kib() / 1024,
        "wrong": wrong,
    }


def main() -> None:
    """Print the figures of one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--what", choices=WHATS, required=True)
    parser.add_argument("--size", type=int, required=True)
    options = parser.parse_args()
    figures = asyncio.run(measure(options.database, options.what, options.size))
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
