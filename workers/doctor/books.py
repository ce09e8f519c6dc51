"""Checks of the books: reachable, migrated, a role that cannot rewrite them, clocks that agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from adapters.sql.engine import books_engine, is_postgres, is_there
from adapters.sql.read.looking import look
from adapters.sql.schema.migrate import revision_of
from adapters.sql.schema.rights import database_clock, rights_of
from adapters.sql.schema.tables import DEAD, attempts, outbox
from adapters.sql.write.auditdays import SqlAuditDays
from workers.clock import WallClock
from workers.doctor.findings import CheckResult, Finding, fail, ok, skip, warn
from workers.production import is_sandbox

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from workers.doctor.findings import Examiner
    from workers.settings import Settings
    from workers.stackfile import StackRecord

SKEW_WARN, SKEW_FAIL = timedelta(seconds=5), timedelta(seconds=60)
"""Beyond the first, logs of two machines mislead; beyond the second, signatures of rails fail."""
_MIGRATE = "run `acquit db upgrade` as the owner of the books"
_RESTRICT = "connect as a role that `acquit db upgrade --grant-to ROLE` has given its rights"
_REACH = "start the database, and check ACQUIT_DATABASE_URL: address, role and password"
_LATER = (
    *("migrations", "database role", "journal guards"),
    *("outbox", "debits", "daily audits", "clock database"),
)
_RENAMED = "bring its table back under that name: nothing can be decided about such a debit"
AUDITS_LOOKED_AT = 31
"""Days whose sign-off is asked about."""
_SIGN = "look at `acquit daily-audit --list 31`, then `acquit signoff DATE`"
_REVIVE = "see `acquit outbox list --state dead`: find out why, then have them tried again"


async def check_books(
    settings: Settings,
    record: StackRecord | None,
    examiner: Examiner,
    rails: Collection[str] = (),
) -> list[Finding]:
    """Everything about the books; when they cannot be reached, that alone.

    `rails`: every rail that is configured; without any, those of debits are not looked at.
    """
    url = settings.books_url(record)
    try:
        engine = books_engine(url, pool_size=1)
    except Exception as error:  # noqa: BLE001  (an address that cannot be read)
        return [fail("database", examiner.shown(error), _REACH), *_skipped("no usable address")]
    try:
        found = await examiner.run("database", _REACH, lambda: _reach(engine))
        if found[0].result is not CheckResult.OK:
            return [*found, *_skipped("the database cannot be reached")]
        found += await examiner.run("migrations", _MIGRATE, lambda: _migrated(engine))
        if found[-1].result is CheckResult.FAIL:
            return [*found, *_skipped("the books are not migrated")[1:]]
        sandbox = is_sandbox(record)
        found += await examiner.run("database role", _RESTRICT, lambda: _role(engine, sandbox))
        found += await examiner.run("outbox", _REACH, lambda: _outbox(engine))
        if rails:
            found += await examiner.run("debits", _REACH, lambda: _debits(engine, rails))
        found += await examiner.run("daily audits", _REACH, lambda: _audits(engine))
        found += await examiner.run("clock database", _REACH, lambda: _clock(engine))
        return found
    finally:
        await engine.dispose()


def _skipped(because: str) -> list[Finding]:
    return [skip(name, because) for name in _LATER]


async def _reach(engine: AsyncEngine) -> Sequence[Finding]:
    shown = engine.url.render_as_string(hide_password=True)
    if not is_postgres(engine) and not is_there(engine):
        advice = "run `acquit up` for a sandbox, or `acquit db upgrade`"
        return [fail("database", f"there is no {engine.url.database}", advice)]
    async with look(engine) as conn:
        asked = "SHOW server_version" if is_postgres(engine) else "SELECT sqlite_version()"
        version = (await conn.execute(text(asked))).scalar_one()
    return [ok("database", f"{shown}, {engine.dialect.name} {version}")]


async def _migrated(engine: AsyncEngine) -> Sequence[Finding]:
    revision = await revision_of(engine)
    if not revision.fits:
        return [fail("migrations", str(revision), _MIGRATE)]
    if revision.found != revision.head:
        advice = "nothing while a newer release rolls in; otherwise this machine has an old build"
        return [warn("migrations", str(revision), advice)]
    return [ok("migrations", str(revision))]


async def _role(engine: AsyncEngine, sandbox: bool) -> Sequence[Finding]:  # noqa: FBT001
    rights = await rights_of(engine)
    found = []
    if rights.lacking:
        detail = f"{rights.role} may not {_some(rights.lacking)}"
        found.append(fail("database role", detail, "run `acquit db upgrade --grant-to ROLE`"))
    if rights.beyond:
        make = warn if sandbox else fail
        found.append(make("database role", f"{rights.role} may {_some(rights.beyond)}", _RESTRICT))
    if not found:
        may = f"{rights.role} adds to the journal and cannot rewrite it"
        found.append(ok("database role", may if rights.role else "none: a file knows no roles"))
    if rights.unguarded:
        detail = f"no trigger refuses changes of {', '.join(rights.unguarded)}"
        advice = "find out who removed it, run `acquit ledger verify`, restore the trigger"
        return [*found, fail("journal guards", detail, advice)]
    return [*found, ok("journal guards", "triggers refuse changes and removals")]


async def _debits(engine: AsyncEngine, rails: Collection[str]) -> Sequence[Finding]:
    """Whether every rail that has been debited over is still configured under its name."""
    async with look(engine) as conn:
        found = (await conn.execute(select(attempts.c.rail).distinct())).scalars()
        gone = sorted(set(found) - set(rails))
    if gone:
        detail = f"the books have debits over {', '.join(gone)}, which is no rail here"
        return [fail("debits", detail, _RENAMED)]
    return [ok("debits", "every rail that has been debited over is configured")]


async def _outbox(engine: AsyncEngine) -> Sequence[Finding]:
    async with look(engine) as conn:
        dead = select(func.count()).select_from(outbox).where(DEAD)
        count = int((await conn.execute(dead)).scalar_one())
    if count:
        return [warn("outbox", f"{count} messages are dead letters after many tries", _REVIVE)]
    return [ok("outbox", "no message is a dead letter")]


async def _audits(engine: AsyncEngine) -> Sequence[Finding]:
    """Whether the last audits were clean, and signed off."""
    kept = await SqlAuditDays(engine, WallClock()).latest(AUDITS_LOOKED_AT)
    if not kept:
        return [ok("daily audits", "no day was audited yet")]
    if lacking := [str(one.audited.day) for one in kept if one.signoff is None]:
        unclean = sum(one.signoff is None and not one.audited.clean for one in kept)
        detail = f"nobody has signed off {_some(lacking)}; {unclean} of them not clean"
        return [warn("daily audits", detail, _SIGN)]
    return [ok("daily audits", f"signed off up to {kept[0].audited.day}")]


def _some(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


async def _clock(engine: AsyncEngine) -> Sequence[Finding]:
    before = datetime.now(UTC)
    theirs = await database_clock(engine)
    ours = before + (datetime.now(UTC) - before) / 2
    return [skew("clock database", theirs - ours)]


def skew(check: str, ahead: timedelta) -> Finding:
    """How far another clock is ahead of ours, judged."""
    by = abs(ahead)
    way = "ahead of" if ahead >= timedelta(0) else "behind"
    detail = f"{by.total_seconds():.1f} s {way} this machine"
    advice = "set both clocks by a time server (NTP): signatures and deadlines depend on it"
    if by > SKEW_FAIL:
        return fail(check, detail, advice)
    return warn(check, detail, advice) if by > SKEW_WARN else ok(check, detail)
