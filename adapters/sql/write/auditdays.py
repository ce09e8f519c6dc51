"""Keeps results of daily audits and their sign-offs: implements `ports.auditdays.AuditDays`."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read.looking import look
from adapters.sql.schema.tables import audit_days, signoffs
from domain.audit.signoff import AuditDay, SignOff, SignOrder, signed_off
from domain.errors import InvalidInput
from ports.auditdays import KeptDay
from ports.clock import Clock

_D, _S = audit_days.c, signoffs.c
_FIELDS = ("at", "role", "actor", "approver", "reason", "forced")


def _kept() -> Select[Any]:
    """The last audit of each day with its sign-off, bodies left out."""
    last = select(_D.day, func.max(_D.run).label("run")).group_by(_D.day).subquery()
    mine = and_(_D.day == last.c.day, _D.run == last.c.run)
    signed = and_(_S.day == _D.day, _S.run == _D.run)
    columns = [column for column in audit_days.c if column.name != "body"]
    extra = [_S[name].label(f"signed_{name}") for name in _FIELDS]
    joined = audit_days.join(last, mine).outerjoin(signoffs, signed)
    return select(*columns, *extra).select_from(joined)


_KEPT = _kept()


class SqlAuditDays:
    """Rows of both tables are only added."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._insert = (postgresql if is_postgres(engine) else sqlite).insert

    async def record(
        self, day: date, body: Mapping[str, Any], *, findings: int, unexplained: int
    ) -> AuditDay:
        """Keep a result; see the port. Whoever was faster with the same run, theirs counts."""
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()
        async with self._engine.begin() as conn:
            known = await _of(conn, day)
            if known is not None and known.audited.digest == digest:
                return known.audited
            row = {
                "day": day,
                "run": 1 if known is None else known.audited.run + 1,
                "at": self._clock.now(),
                "clean": not (findings or unexplained),
                "findings": findings,
                "unexplained": unexplained,
                "digest": digest,
                "body": text,
            }
            await conn.execute(self._insert(audit_days).values(row).on_conflict_do_nothing())
        found = await self.of(day)
        if found is None:
            raise InvalidInput("day", day, "one that was audited")
        return found.audited

    async def of(self, day: date) -> KeptDay | None:
        """The last audit of a day."""
        async with look(self._engine) as conn:
            return await _of(conn, day)

    async def latest(self, limit: int) -> tuple[KeptDay, ...]:
        """The last audits of the latest days."""
        async with look(self._engine) as conn:
            rows = await conn.execute(_KEPT.order_by(_D.day.desc()).limit(limit))
            return tuple(_read(row) for row in rows)

    async def sign(self, day: date, order: SignOrder) -> SignOff:
        """Sign the last audit of a day off; see the port."""
        known = await self.of(day)
        if known is None:
            raise InvalidInput("day", day, "one that was audited: `acquit daily-audit` does it")
        made = signed_off(known.audited, order, self._clock.now())
        row = {name: getattr(made, name) for name in ("day", "run", "digest", *_FIELDS)}
        async with self._engine.begin() as conn:
            await conn.execute(self._insert(signoffs).values(row).on_conflict_do_nothing())
        kept = await self.of(day)
        found = None if kept is None else kept.signoff
        if found is None or _order(found) != _order(made):
            raise InvalidInput("day", day, "one that nobody else has signed off")
        return found


def _order(made: SignOff) -> tuple[object, ...]:
    """What of a sign-off is the order."""
    return (made.run, made.role, made.actor, made.approver, made.reason)


async def _of(conn: AsyncConnection, day: date) -> KeptDay | None:
    row = (await conn.execute(_KEPT.where(_D.day == day))).first()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> KeptDay:
    audited = AuditDay(
        row.day, row.run, row.at, row.clean, row.findings, row.unexplained, row.digest
    )
    if row.signed_at is None:
        return KeptDay(audited, None)
    fields = {name: getattr(row, f"signed_{name}") for name in _FIELDS}
    return KeptDay(audited, SignOff(row.day, row.run, row.digest, **fields))
