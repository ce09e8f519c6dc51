"""What narrows a list of cases."""

from dataclasses import dataclass, field
from datetime import date

from domain.case.links import Link


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are listed: those that fit all of it. What is empty does not narrow.

    Attributes:
        loan_id: about this loan; `-`: about none.
        owner: in the queue of this team, or assigned to this person. `team`, `assignee`: just one.
        late: past the time in which somebody should have taken, or resolved, them.
        resolved: those that are resolved; False: those that are open; None: both.
        text: words, or beginnings of words, of the text or the notes: a case has all of them. It
            may hold personal data, so no error and no log shows it.
        cause: who brought it about. `code`: why it was opened. `resolution`: how it was resolved.
        line: about this bank line. `links`: what it points to.
        opened_from, opened_to, resolved_from, resolved_to: days (UTC), the last one included.
    """

    kind: str = ""
    loan_id: str = ""
    owner: str = ""
    late: bool = False
    resolved: bool | None = False
    text: str = field(default="", repr=False)
    cause: str = ""
    code: str = ""
    resolution: str = ""
    team: str = ""
    assignee: str = ""
    line: str = ""
    links: tuple[Link, ...] = ()
    opened_from: date | None = None
    opened_to: date | None = None
    resolved_from: date | None = None
    resolved_to: date | None = None
