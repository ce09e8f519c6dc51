"""Requests one payout of many items in a process of its own, or copies the same rows barely.

Prints figures as JSON: seconds and CPU of the request or the copy alone, memory at its most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from datetime import time as clock_time
from pathlib import Path

from adapters.calendars import load_calendar
from adapters.rails.simbank.profile import SIMBANK
from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from benchmarks.machine import most_kib
from domain.kernel.change import Applied
from domain.kernel.command import Actor
from domain.ledger.bankaccount import BankAccount, Purpose
from domain.loan.aggregate import Rulebook
from domain.payout.commands import RequestPayout
from domain.payout.policy import PayeePolicy, RemittancePolicy

DAY = date(2026, 3, 10)
_PAYMENT = (
    "INSERT INTO payments (id, source, payer, reference, currency, value_on, amount_minor,"
    " settled_minor, returned_minor, return_settled_minor, body)"
    " VALUES (?, 'transfer', 'b', ?, 'CNY', '2026-03-09', 1200, 1200, 0, 0, '{}')"
)
_ITEM = (
    "INSERT INTO payable_items (loan_id, payment, number, component, party, place, currency, minor,"
    " taken_minor, since)"
    " VALUES (?, ?, ?, 'principal', 'funder', 'bank/K', 'CNY', 100, 0, '2026-03-09')"
)
_COPY = (
    "INSERT INTO payout_items (payout, loan_id, payment, number, component, minor)"
    " SELECT 'bare', loan_id, payment, number, component, minor FROM payable_items"
    " WHERE place = 'bank/K' AND currency = 'CNY' AND party = 'funder'"
)
_MARK = "UPDATE payable_items SET taken_minor = minor WHERE party = 'funder'"
SHARES = 12
"""Items of one loan."""


class Still:
    """A clock that stands still."""

    def now(self) -> datetime:
        """The instant at which it stands."""
        return datetime(2026, 3, 10, 9, tzinfo=UTC)


def fill(path: Path, items: int) -> None:
    """Write so many open items of one payee, each of a payment that is proven."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.executemany(_PAYMENT, ((f"P{n}", f"R{n}") for n in range(-(-items // SHARES))))
        db.executemany(
            _ITEM, ((f"L{n // SHARES}", f"P{n // SHARES}", n % SHARES + 1) for n in range(items))
        )


def bare(path: Path) -> int:
    """Copy the rows of the open items into those of a payout, and mark them, and nothing else."""
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        done = db.execute(_COPY)
        db.execute(_MARK)
        db.execute("COMMIT")
        return done.rowcount


async def ours(path: Path) -> int:
    """Request the payout as the sweep does."""
    account = BankAccount("K", "us", Purpose.COLLECTION, "CNY", may_pay_from=True)
    policy = PayeePolicy("funder", "acct", "bank", "CN", "Asia/Shanghai", clock_time(16))
    rules = Rulebook(
        {"CN": load_calendar("CN")},
        accounts={"K": account},
        channels={"bank": replace(SIMBANK, name="bank")},
        remittance=RemittancePolicy({"funder": policy}),
    )
    engine = books_engine(f"sqlite:///{path}")
    command = RequestPayout(
        id="ask",
        actor=Actor("workflow", "payout"),
        reason="a benchmark",
        payee="funder",
        currency="CNY",
        account="K",
        cut_off_on=DAY,
    )
    async with SqlBooks(engine, Still(), rules) as books:
        answer = await books.apply(command)
    await engine.dispose()
    if not isinstance(answer, Applied) or answer.view is None:
        raise SystemExit(str(answer))
    return int(answer.view.detail.items)


def main() -> None:
    """Measure one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=Path, required=True)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    began, spent = time.perf_counter(), time.process_time()
    items = bare(options.books) if options.bare else asyncio.run(ours(options.books))
    figures = {
        "items": items,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - spent,
        "MiB most": most_kib() / 2**10,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
