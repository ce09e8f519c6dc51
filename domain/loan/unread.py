"""The command for a report that is proven to come from a rail and that this build cannot read."""

from dataclasses import dataclass
from typing import Literal

from domain.kernel.command import ReportCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUnreadReport(ReportCommand):
    """A report that nobody could read: a case, so that a person asks the rail what it was.

    `event_id` is the rail's own; `type` what the report claims to be, shortened and printable.
    """

    kind: Literal["record_unread_report"] = "record_unread_report"
    rail: str
    event_id: str
    type: str
