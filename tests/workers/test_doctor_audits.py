"""The doctor asks who has signed the daily audits off."""

from datetime import date

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.auditdays import SqlAuditDays
from adapters.telemetry.redaction import Redactor
from domain.audit.signoff import SignOrder
from tests.support.booksbench import StillClock
from workers.doctor.books import check_books
from workers.doctor.findings import CheckResult, Examiner, Finding
from workers.settings import Settings

FIRST, SECOND = date(2026, 3, 10), date(2026, 3, 11)


async def asked(url: str) -> Finding:
    settings = Settings.model_validate({"database_url": url})
    found = await check_books(settings, None, Examiner(5, Redactor()))
    (one,) = (finding for finding in found if finding.check == "daily audits")
    return one


async def test_a_day_without_a_sign_off_is_a_warning(sqlite_url: str) -> None:
    """By its date, with what to do; signed days and books that were never audited are in order."""
    await upgrade(sqlite_url)
    assert (await asked(sqlite_url)).result is CheckResult.OK
    engine = books_engine(sqlite_url)
    days = SqlAuditDays(engine, StillClock())
    await days.record(FIRST, {}, findings=0, unexplained=0)
    await days.record(SECOND, {}, findings=0, unexplained=2)
    await days.sign(FIRST, SignOrder("audit", "aud-1", "seen"))
    found = await asked(sqlite_url)
    assert found.result is CheckResult.WARN
    assert found.detail == "nobody has signed off 2026-03-11; 1 of them not clean"
    assert "acquit signoff" in found.advice
    forced = SignOrder("audit", "aud-1", "bank asked", "fin-9", force=True)
    await days.sign(SECOND, forced)
    found = await asked(sqlite_url)
    assert (found.result, found.detail) == (CheckResult.OK, "signed off up to 2026-03-11")
    await engine.dispose()
