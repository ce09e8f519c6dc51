"""Compares the books with the own logs of the simulated rails and their bank, read over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from domain.audit import (
    AuditReport,
    BooksFacts,
    TruthExecution,
    TruthFacts,
    TruthMovement,
    TruthNotice,
    TruthOrder,
    TruthStatement,
    compare,
)
from domain.errors import Unavailable
from domain.text import instant_text
from ports.driverqueries import DriverQueries
from ports.ledgerqueries import LedgerQueries
from ports.paging import walk
from sandbox.truthlogs import READINGS, addresses_of, fetch_logs, keep_log, kept_log
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ports.clock import Clock
    from ports.selfaudit import SelfAudit
    from workers.rails import RailEntry

_PAGE = 500


class AuditQueries(DriverQueries, LedgerQueries, Protocol):
    """The readers that an audit against the banks needs."""


async def audit_stack(
    auditor: SelfAudit,
    queries: AuditQueries,
    clock: Clock,
    rails: Mapping[str, RailEntry],
    home: Path | None = None,
) -> AuditReport:
    """Audit the books by themselves, and against the own log of each rail, and of their bank.

    Without these logs the books alone could be looked at, so none is a fault here.

    Args:
        queries: of the books.
        clock: of the books.
        rails: every rail of the installation, all of them simulated.
        home: where the logs are kept after they were read, and taken from when these very rails do
            not run any more: then the audit is as of the moment of those logs.

    Raises:
        Unavailable: no simulated rail is known, or one does not answer and they left no log; or the
            books kept moving.
    """
    addresses = addresses_of(rails)
    saved_at: datetime | None = None
    try:
        document = await fetch_logs(addresses)
    except Unavailable:
        found = kept_log(home, addresses)
        if found is None:
            raise
        saved_at, document = found
        note(f"the simulated bank does not run; its log of {instant_text(saved_at)} is used")
    truth = truth_of(document)
    for _ in range(READINGS):
        at = saved_at or clock.now()
        before = await queries.head()
        report = await auditor.audit(at)
        books = await read_books(queries, at)
        if before == await queries.head():
            if home is not None and saved_at is None:
                keep_log(home, addresses, at, document)
            return compare(report, books, truth)
    raise Unavailable("the books are moving; audit them when nothing is due")


async def read_books(queries: AuditQueries, as_of: datetime) -> BooksFacts:
    """Read everything that a comparison looks at; it fits into memory in a sandbox."""
    postings = tuple([item async for item in queries.journal()])
    names = {posting.loan for posting in postings if posting.loan is not None}
    names |= set(await _loans_on_the_books(queries))
    loans = [await queries.loan(name) for name in sorted(names)]
    known = tuple(loan for loan in loans if loan is not None)
    cases = tuple([case async for case in walk(queries.cases)])
    return BooksFacts(as_of, known, postings, cases)


async def _loans_on_the_books(queries: AuditQueries) -> list[str]:
    """Every loan, those without a posting too."""
    found: list[str] = []
    after = ""
    while page := await queries.loans(after, _PAGE):  # ends: each page is later
        found.extend(page)
        after = page[-1]
    return found


def truth_of(document: Mapping[str, Any]) -> TruthFacts:
    """The bank's JSON as facts; fields that the audit does not need are left out."""
    return TruthFacts(
        orders=tuple(_order(row) for row in document["orders"]),
        movements=tuple(_movement(row) for row in document["movements"]),
        notices=tuple(
            TruthNotice(row["message_id"], row["channel"], _instant(row["received_at"]))
            for row in document["notices"]
        ),
        statements=tuple(
            TruthStatement(
                row["id"],
                row["account"],
                _instant(row["available_at"]),
                date.fromisoformat(row["date"]),
            )
            for row in document["statements"]
        ),
    )


def _order(row: Mapping[str, Any]) -> TruthOrder:
    return TruthOrder(
        row["rail"],
        row["order_no"],
        row["merchant_id"],
        row["mandate_ref"],
        row["amount_minor"],
        row["currency"],
        _instant(row["received_at"]),
        row["posts"],
        tuple(
            TruthExecution(
                done["bank_ref"],
                done["amount_minor"],
                _instant(done["executed_at"]),
                date.fromisoformat(done["value_on"]),
            )
            for done in row["executions"]
        ),
        row["final_status"],
        row["code"],
    )


def _movement(row: Mapping[str, Any]) -> TruthMovement:
    return TruthMovement(
        row["id"],
        row["account"],
        row["order_no"],
        row["kind"],
        row["amount_minor"],
        row["currency"],
        date.fromisoformat(row["booked_on"]),
        row["statement_id"],
        row.get("bank_ref"),
        row.get("batch_ref"),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
