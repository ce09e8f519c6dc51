"""Who audits a day here: the books, reports of rails, and the key that signs checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.auditing import AuditActivities, Auditors
from adapters.railreports import FolderReports
from adapters.sql.read.threeway import SqlThreeWay
from adapters.sql.write.auditdays import SqlAuditDays
from workers.sealing import checkpoints_of

if TYPE_CHECKING:
    from pathlib import Path

    from workers.compose import Stack
    from workers.settings import Settings


def auditors_of(settings: Settings, stack: Stack, reports: Path | None = None) -> Auditors:
    """Whom a daily audit asks; `reports`: a folder in place of that of the settings.

    Raises:
        SourceRefused: the file of the key may not be used, or holds none.
    """
    signs = settings.signing_key is not None
    return Auditors(
        books=stack.auditor,
        threeway=SqlThreeWay(stack.engine, stack.clock),
        reports=FolderReports(reports or settings.rail_reports),
        days=SqlAuditDays(stack.engine, stack.clock),
        sealing=checkpoints_of(settings, stack.engine, stack.clock) if signs else None,
        clock=stack.clock,
    )


def audit_activities(settings: Settings, stack: Stack) -> AuditActivities:
    """The activity of the daily schedule."""
    return AuditActivities(auditors_of(settings, stack))
