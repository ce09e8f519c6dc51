"""Matches the ledger and the bank's lines of a day with reports of rails.

The sides of the books are summed by the database in one statement; its rows come as a stream.
"""

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.read.looking import look
from adapters.sql.readrows import read_line
from adapters.sql.schema.tables import (
    attempts,
    case_links,
    cases,
    entries,
    lines,
    payments,
    portions,
    postings,
)
from domain.audit.threeway import TRANSFER, Item, OpenLine, Reported, ThreeWay
from domain.case.links import LinkTo
from ports.clock import Clock

PAGE = 500
REPORTED = ("confirmed", "confirmed_late", "raised", "payment_recorded")
"""Entries by which money is reported on a clearing."""


def _items() -> Select[Any]:
    """The payments of a value day with what is reported of each, its rail, and an open case."""
    of_day = payments.c.value_on == bindparam("day")
    reported = (
        select(postings.c.payment, func.sum(postings.c.minor).label("minor"))
        .join(entries, entries.c.seq == postings.c.seq)
        .where(postings.c.payment.in_(select(payments.c.id).where(of_day)))
        .where(entries.c.event.in_(REPORTED), postings.c.minor > 0)
        .where(postings.c.account.startswith("clearing/", autoescape=True))
        .group_by(postings.c.payment)
        .subquery()
    )
    return (
        select(
            payments.c.id,
            payments.c.order_no,
            payments.c.currency,
            payments.c.settled_minor,
            attempts.c.rail,
            reported.c.minor,
            func.coalesce(*_open_cases()).label("case_key"),
        )
        .join(reported, reported.c.payment == payments.c.id)
        .outerjoin(attempts, attempts.c.order_no == payments.c.order_no)
        .where(of_day)
        .order_by(payments.c.id)
    )


def _open_cases() -> Iterator[ScalarSelect[Any]]:
    """The first open case that names the payment, its order, or its installment; each by index."""
    found = select(func.min(cases.c.key)).where(cases.c.closed_at.is_(None))
    linked = found.join(case_links, case_links.c.case_key == cases.c.key)
    for to, name in ((LinkTo.PAYMENT, payments.c.id), (LinkTo.ORDER, payments.c.order_no)):
        named = linked.where(case_links.c.name == name, case_links.c.kind == to.value)
        yield named.correlate(payments).scalar_subquery()
    its = and_(portions.c.loan_id == cases.c.loan_id, portions.c.number == cases.c.number)
    of_item = found.join(portions, its).where(portions.c.id == payments.c.id)
    yield of_item.correlate(payments).scalar_subquery()


def _lines() -> Select[Any]:
    """The lines that were booked on a day and are not explained, each with its open case."""
    case = select(func.min(cases.c.key)).where(
        cases.c.line == lines.c.id, cases.c.closed_at.is_(None)
    )
    return (
        select(lines.c.body, case.correlate(lines).scalar_subquery().label("case_key"))
        .where(lines.c.booked_on == bindparam("day"), lines.c.open_minor != 0)
        .order_by(lines.c.id)
    )


_ITEMS, _LINES = _items(), _lines()


class SqlThreeWay:
    """Implements `ports.threeway.ThreeWayMatch`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    async def match(self, day: date, reported: Reported, reporting: frozenset[str]) -> ThreeWay:
        """The result for a day; see the port."""
        today = self._clock.now().astimezone(UTC).date()
        found = ThreeWay(day, today, reported, reporting)
        async with look(self._engine, unhurried=True) as conn:
            await _take(conn, day, found)
        found.end()
        return found


async def _take(conn: AsyncConnection, day: date, found: ThreeWay) -> None:
    terms, options = {"day": day}, {"max_row_buffer": PAGE}
    async with conn.stream(_ITEMS, terms, execution_options=options) as rows:
        async for row in rows:
            found.take(
                Item(
                    row.rail or TRANSFER,
                    row.id,
                    row.order_no or "",
                    row.currency,
                    int(row.minor),
                    int(row.settled_minor),
                    row.case_key or "",
                )
            )
    async with conn.stream(_LINES, terms, execution_options=options) as rows:
        async for row in rows:
            line = read_line(row.body)
            case = row.case_key or ""
            found.take_line(OpenLine(line.id, line.account, line.currency, line.open_minor, case))
