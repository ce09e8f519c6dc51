"""The activity that audits a day: the chain, the books, and the three-way match."""

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.shielded import heartbeats
from domain.audit.signoff import AuditDay
from domain.errors import InvariantBroken
from ports.auditdays import AuditDays, RailReports
from ports.checkpoints import Checkpoints
from ports.clock import Clock
from ports.selfaudit import SelfAudit
from ports.threeway import ThreeWayMatch


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """Which day to audit, YYYY-MM-DD; empty: yesterday (UTC)."""

    day: str = ""


@dataclass(frozen=True, slots=True)
class Audited:
    """The result of an audit in short; all of it is in the books, under its digest."""

    day: str
    run: int
    clean: bool
    findings: int
    unexplained: int
    digest: str


@dataclass(frozen=True, slots=True)
class Auditors:
    """Whom a daily audit asks. `sealing`: None where there is no key to sign with."""

    books: SelfAudit
    threeway: ThreeWayMatch
    reports: RailReports
    days: AuditDays
    sealing: Checkpoints | None
    clock: Clock


async def audit_of(ask: Auditors, day: date | None = None) -> AuditDay:
    """Audit a day, and keep what was found.

    What was written since the last checkpoint is verified and signed first, where there is a key;
    then the books are audited, the whole chain included, and the day's payments are matched.
    """
    on = day or ask.clock.now().astimezone(UTC).date() - timedelta(days=1)
    sealed, fault = 0, ""
    if ask.sealing is not None:
        try:
            kept = await ask.sealing.seal()
            sealed = 0 if kept is None else kept.checkpoint.head.size
        except InvariantBroken as error:
            fault = str(error)
    report = await ask.books.audit()
    matched = await ask.threeway.match(on, *await ask.reports.of(on))
    body: dict[str, Any] = {
        "day": on.isoformat(),
        "checkpoint": sealed,
        "checkpoint_fault": fault,
        "audit": report.as_dict(),
        "threeway": matched.facts(),
    }
    findings = report.found.found + bool(fault)
    return await ask.days.record(on, body, findings=findings, unexplained=matched.unexplained)


class AuditActivities:
    """Audits a day on behalf of the daily schedule."""

    def __init__(self, ask: Auditors) -> None:
        self._ask = ask

    @activity.defn(name="auditing.audit_day")
    async def audit_day(self, order: AuditOrder) -> Audited:
        """Audit a day; what was found is a result and no failure. Done again it finds the same."""
        try:
            day = date.fromisoformat(order.day) if order.day else None
        except ValueError:
            rule = f"day {order.day[:20]!r} is refused: YYYY-MM-DD"
            raise ApplicationError(rule, type="InvalidInput", non_retryable=True) from None
        async with heartbeats():
            done = await audit_of(self._ask, day)
        if not done.clean:
            said = "the audit of %s has %d findings and %d unexplained differences"
            activity.logger.error(said, done.day, done.findings, done.unexplained)
        return Audited(
            done.day.isoformat(),
            done.run,
            done.clean,
            done.findings,
            done.unexplained,
            done.digest,
        )
