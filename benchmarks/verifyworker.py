"""Reads a whole journal back in a process of its own: prints figures as JSON.

A new process each time: its greatest memory is what that one reading took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from typing import IO

import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.signing.ed25519 import Ed25519Signer
from adapters.sql.engine import books_engine
from adapters.sql.read.chainitems import PAGE, chain_items
from adapters.sql.read.proving import SqlProofs
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema import tables
from adapters.sql.write.checkpoints import SqlCheckpoints
from benchmarks.machine import most_kib
from benchmarks.world import RULES
from domain.kernel.canonical import canonical
from domain.ledger.chain import GENESIS, Booked, hash_after
from domain.ledger.proofs import proven_item
from workers.clock import WallClock

WHATS = (
    *("verify", "journal", "audit", "rows", "hashes"),
    *("seal", "seal again", "prove", "against"),
)
"""`rows` reads what verifying the chain reads, page by page, and makes nothing of it. `hashes`
chains the bytes of the items from a file by SHA-256: no database, no decoding. `seal` makes
the first checkpoint, `seal again` the same one, `prove` a proof of one item, and `against` verifies
the books with the kept checkpoint."""
SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))


async def proofs_or_rows(engine: AsyncEngine, what: str) -> tuple[int, str]:
    """Do one of them; the number of postings, and what was wrong."""
    async with engine.connect() as conn:
        postings = (await conn.execute(select(func.count()).select_from(tables.postings))).scalar()
        if what == "rows":
            await rows(conn)
            return int(postings or 0), ""
    sealing = SqlCheckpoints(engine, WallClock(), SIGNER)
    made = await (sealing.last() if what in {"prove", "against"} else sealing.seal())
    if made is None:
        return int(postings or 0), "no checkpoint"
    head = made.checkpoint.head
    if what == "prove":
        (proof,) = await SqlProofs(engine).of_items([head.size // 2], head)
        proven_item(proof, head)
    elif what == "against":
        queries = SqlQueries(engine, WallClock(), RULES)
        report = await queries.verify()
        return int(postings or 0), "; ".join(report.faults[:1])
    return int(postings or 0), ""


async def written(engine: AsyncEngine, output: IO[bytes]) -> int:
    """Write the bytes of every item to a file, each behind its length; the number of postings."""
    postings = 0
    async with engine.connect() as conn:
        async for page in chain_items(conn, lambda _: None):
            for item, _ in page:
                content = canonical(item)
                output.write(len(content).to_bytes(4, "big") + content)
                postings += len(item.what.postings) if isinstance(item.what, Booked) else 0
    output.seek(0)
    return postings


def hashed(source: IO[bytes]) -> str:
    """Chain the bytes of a file."""
    head = GENESIS
    while length := source.read(4):
        head = hash_after(head, source.read(int.from_bytes(length, "big")))
    return head


async def rows(conn: AsyncConnection) -> None:
    """Read every row of the journal in pages of as many items as a verification reads."""
    last = (await conn.execute(select(tables.chain_head.c.seq))).scalar_one()
    journal = (tables.postings, tables.entries, tables.transitions, tables.commands)
    for first in range(1, last + 1, PAGE):
        for table in journal:
            page = select(table).where(table.c.seq.between(first, first + PAGE - 1))
            list(await conn.execute(page.order_by(table.c.seq)))


async def main() -> None:
    """Read the books in one of the ways that are measured, see `WHATS`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--what", choices=WHATS, required=True)
    options = parser.parse_args()
    engine = books_engine(options.database)
    queries = SqlQueries(engine, WallClock(), RULES)
    flat = tempfile.TemporaryFile()  # noqa: SIM115  (removed with the process)
    prepared = await written(engine, flat) if options.what == "hashes" else 0
    before = psutil.Process().memory_info().rss
    began, spent = time.perf_counter(), time.process_time()
    wrong = ""
    if options.what == "verify":
        report = await queries.verify()
        postings, wrong = report.postings, "; ".join(report.faults[:1])
    elif options.what == "audit":
        audited = await SqlSelfAudit(engine, WallClock(), RULES).audit()
        postings = audited.chain.postings
        wrong = "; ".join(finding.text for finding in audited.findings[:1])
    elif options.what == "hashes":
        postings, head = prepared, hashed(flat)
        wrong = "" if head == await queries.head() else "another head"
    elif options.what == "journal":
        postings = 0
        async for _ in queries.journal():
            postings += 1
    else:
        postings, wrong = await proofs_or_rows(engine, options.what)
    figures = {
        "postings": postings,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - spent,
        "MiB before": before / 2**20,
        "MiB most": most_kib() / 2**10,
    }
    await engine.dispose()
    sys.stdout.write(json.dumps({**figures, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
