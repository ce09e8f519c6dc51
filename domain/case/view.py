"""What lists, the console and upstream see of a case."""

from dataclasses import dataclass
from datetime import datetime

from domain.case.links import Link
from domain.kernel.view import View


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """What only a case has, beside its labels.

    The labels say its loan, its amount, its kind (`code`), the day by which it is to be ended
    (`due_on`, UTC) and who has it now (`owner`: the assignee, or the team). Notes are only counted:
    they may hold personal data. `first_action_by` is None once a person has done something;
    `items` are the lines that it stands for and that still wait, `items_ever` all of them.
    `late_from` is when it is late, None while it waits or once it has ended. `cause_code` says why
    it was opened, `links` what it points to,
    `suggestion` what the books propose to do.
    """

    text: str
    cause: str
    owner: str
    assignee: str
    line: str
    payment: str
    opened_at: datetime
    first_action_by: datetime | None
    resolve_by: datetime
    late_from: datetime | None
    waits_until: datetime | None
    escalation: int
    resolution: str
    notes: int
    items: int = 0
    items_ever: int = 0
    cause_code: str = ""
    links: tuple[Link, ...] = ()
    suggestion: str = ""


CaseView = View[CaseDetail]
