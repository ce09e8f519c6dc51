"""How much waits, and since when: implements `ports.gauges.GaugeQueries`.

One statement for each gauge, all from one snapshot. What is counted is found by an index that
holds little else, with one exception: what is counted by state is counted over the whole index.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, String, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.read.looking import look
from adapters.sql.schema.tables import (
    RUNNING,
    UNDELIVERED,
    attempts,
    balances,
    cases,
    chain_head,
    commands,
    entries,
    files,
    loans,
    outbox,
    subjects,
    transitions,
)
from adapters.sql.schema.types import Instant
from domain.calendar import local_day, local_instant
from domain.debit.attempt import AttemptState
from domain.loan.view import INSTALLMENT
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.payout.payout import PAYOUT
from ports.clock import Clock
from ports.gauges import FILES_DAYS, LATE_AFTER, Gauges, Waiting

_EASTMOST = timedelta(hours=14)
"""The largest offset of a time zone: a day begins this long before it does in UTC."""


def _waiting(by: Any, since: Any) -> Select[Any]:  # noqa: ANN401  (columns of several types)
    return select(by, func.count(), func.min(since, type_=Instant())).group_by(by)


INSTALLMENTS = _waiting(subjects.c.state, subjects.c.state_since).where(
    subjects.c.kind == INSTALLMENT
)
CLOSURES = _waiting(subjects.c.state, subjects.c.state_since).where(subjects.c.kind == LOAN_CLOSURE)
PAYOUTS = _waiting(subjects.c.state, subjects.c.state_since).where(
    subjects.c.kind == PAYOUT, ~subjects.c.is_final
)
UNKNOWN = (
    select(
        attempts.c.rail,
        func.count(attempts.c.order_no.distinct()),
        func.min(transitions.c.at, type_=Instant()),
    )
    .select_from(attempts)
    .join(
        transitions,
        and_(
            transitions.c.loan_id == attempts.c.loan_id,
            transitions.c.subject_key == attempts.c.loan_id + "/" + cast(attempts.c.number, String),
            transitions.c.order_no == attempts.c.order_no,
            transitions.c.target == AttemptState.UNKNOWN.value,
        ),
    )
    .where(attempts.c.state == AttemptState.UNKNOWN.value)
    .group_by(attempts.c.rail)
)
CASES = _waiting(cases.c.kind, cases.c.opened_at).where(cases.c.closed_at.is_(None))
CHAIN = select(
    select(chain_head.c.seq).scalar_subquery(),
    select(func.max(entries.c.seq)).scalar_subquery(),
    select(func.max(transitions.c.seq)).scalar_subquery(),
    select(func.max(commands.c.seq)).scalar_subquery(),
)


def actions(now: datetime) -> Select[Any]:
    """Actions of running drivers that are late (see `LATE_AFTER`)."""
    action = subjects.c.next_action_at
    return _waiting(subjects.c.next_action_kind, action).where(RUNNING, action <= now - LATE_AFTER)


def messages(now: datetime) -> Select[Any]:
    """Messages that may leave, claimed by a relay or not; a dead letter is a case, and not one."""
    ready = func.coalesce(outbox.c.not_before, outbox.c.queued_at)
    due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    return _waiting(outbox.c.topic, ready).where(UNDELIVERED, due)


def unread(now: datetime) -> Any:  # noqa: ANN401  (a count and an instant)
    """Files that nobody has read to their end."""
    lately = files.c.kept_at > now - timedelta(days=FILES_DAYS)
    oldest = func.min(files.c.kept_at, type_=Instant())
    counted = select(func.count(), oldest)
    return counted.select_from(files).where(files.c.read_at.is_(None), lately)


def undone(now: datetime) -> Select[Any]:
    """Loans with a day to roll, up to the latest day that it is anywhere now."""
    latest = (now + _EASTMOST).astimezone(UTC).date()
    day = (loans.c.timezone, loans.c.next_roll_on)
    due = loans.c.next_roll_on <= latest
    counted: Select[Any] = select(*day, func.count()).where(due).group_by(*day)
    return counted


class SqlGauges:
    """Counts on SQLite and PostgreSQL.

    Args:
        engine: of the books; one connection of its pool for as long as a reading takes.
        clock: says what is due.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def gauges(self) -> Gauges:
        """See `ports.gauges.GaugeQueries.gauges`."""
        now = self._clock.now()
        async with look(self._engine) as conn:
            [(count, since)] = await conn.execute(unread(now))
            [(head, *last)] = await conn.execute(CHAIN)
            return Gauges(
                at=now,
                installments=await _by(conn, INSTALLMENTS),
                closures=await _by(conn, CLOSURES),
                unknown=await _by(conn, UNKNOWN),
                payouts=await _by(conn, PAYOUTS),
                actions=await _by(conn, actions(now)),
                messages=await _by(conn, messages(now)),
                files=Waiting(count, since),
                cases=await _by(conn, CASES),
                days=_days(now, await conn.execute(undone(now))),
                chain_apart=abs(head - max(seq or 0 for seq in last)),
            )

    async def unbalanced(self) -> int:
        """See `ports.gauges.GaugeQueries.unbalanced`."""
        apart = (
            select(balances.c.currency)
            .group_by(balances.c.currency)
            .having(func.sum(balances.c.minor) != 0)
        )
        async with look(self._engine) as conn:
            return len((await conn.execute(apart)).fetchall())


async def _by(conn: AsyncConnection, statement: Select[Any]) -> Mapping[str, Waiting]:
    return {name or "": Waiting(count, at) for name, count, at in await conn.execute(statement)}


def _days(now: datetime, rows: Iterable[Any]) -> Mapping[str, Waiting]:
    """Undone days of each zone, as of the zone's own today."""
    found: dict[str, Waiting] = {}
    for zone, day, count in rows:
        if day > local_day(now, zone):
            continue
        known = found.get(zone, Waiting(0))
        began = local_instant(day, time.min, zone)
        since = began if known.since is None else min(known.since, began)
        found[zone] = Waiting(known.count + count, since)
    return found
