"""The command for a proven event of a rail that this build cannot parse."""

from dataclasses import dataclass
from typing import Literal

from domain.kernel.command import ReportCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUnparsedEvent(ReportCommand):
    """An event that could not be parsed: a case, so that a person asks the rail what it was.

    `event_id` is the rail's own; `type` what the event claims to be, shortened and printable.
    """

    kind: Literal["record_unparsed_event"] = "record_unparsed_event"
    rail: str
    event_id: str
    type: str
