"""Compares the books with the simulated bank's own log of what it did, read over HTTP."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

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
from workers.reporting import instant_text, note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ports.clock import Clock
    from ports.queries import Queries
    from ports.selfaudit import SelfAudit

LOG_FILE = "bank-log.json"
READINGS = 5
"""How often the books are read again when they move while being read."""
_PAGE = 500
_TIMEOUT_S = 120.0


async def audit_stack(
    auditor: SelfAudit,
    queries: Queries,
    clock: Clock,
    simulator_url: str | None,
    home: Path | None = None,
) -> AuditReport:
    """Audit the books by themselves, and against the simulated bank at `simulator_url`.

    Without the bank's log the books alone could be looked at, so none is a fault here.

    Args:
        home: where the bank's log is kept after it was read, and taken from when that very bank
            does not run any more: then the audit is as of the moment of that log.

    Raises:
        Unavailable: no simulated bank is known, or it does not answer and left no log; or the books
            kept moving.
    """
    if simulator_url is None:
        raise Unavailable("no simulated bank is known here: start one with `acquit up`")
    kept = None if home is None else home / LOG_FILE
    saved_at: datetime | None = None
    try:
        document = await fetch_log(simulator_url)
    except Unavailable:
        found = None if kept is None else _kept_log(kept, simulator_url)
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
            if kept is not None and saved_at is None:
                saved = {"url": simulator_url, "saved_at": at.isoformat(), "log": document}
                kept.write_text(json.dumps(saved), encoding="utf-8")
            return compare(report, books, truth)
    raise Unavailable("the books are moving; audit them when nothing is due")


def _kept_log(path: Path, simulator_url: str) -> tuple[datetime, Mapping[str, Any]] | None:
    """The log that this very bank left; another bank's says nothing about these books."""
    if not path.is_file():
        return None
    saved = json.loads(path.read_text(encoding="utf-8"))
    if saved["url"] != simulator_url:
        return None
    return datetime.fromisoformat(saved["saved_at"]), saved["log"]


async def read_books(queries: Queries, as_of: datetime) -> BooksFacts:
    """Read everything that a comparison looks at; it fits into memory in a sandbox."""
    postings = tuple([item async for item in queries.journal()])
    names = {posting.loan for posting in postings if posting.loan is not None}
    names |= set(await _loans_on_the_books(queries))
    loans = [await queries.loan(name) for name in sorted(names)]
    known = tuple(loan for loan in loans if loan is not None)
    return BooksFacts(as_of, known, postings, await queries.cases())


async def _loans_on_the_books(queries: Queries) -> list[str]:
    """Every loan, those without a posting too."""
    found: list[str] = []
    after = ""
    while page := await queries.loans(after, _PAGE):  # ends: each page is later
        found.extend(page)
        after = page[-1]
    return found


async def fetch_log(simulator_url: str) -> Mapping[str, Any]:
    """The log of the simulated bank as it gives it: what it received, what money it moved.

    Raises:
        Unavailable: it does not answer.
    """
    import httpx  # noqa: PLC0415  (slow to load)

    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = await client.get(f"{simulator_url.rstrip('/')}/control/truth")
            answer.raise_for_status()
            document: Mapping[str, Any] = answer.json()
            return document
    except httpx.HTTPError as error:
        reason = f"{type(error).__name__}"
        said = f"the simulated bank at {simulator_url} gives no log: {reason}"
        raise Unavailable(f"{said}; a stack that has ended is started with `acquit up`") from None


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
