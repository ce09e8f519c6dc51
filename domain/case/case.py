"""A case: something that a person has to look at, with an owner, clocks, notes and an end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.case.kinds import CaseKind, Cause
from domain.case.lifecycle import CaseState
from domain.case.links import Link, LinkTo
from domain.kernel.driver import DriverRecord
from domain.kernel.subject import Subject

CASE = "case"
"""The kind of subject."""
NOTES_MOST = 200
"""Notes that one case can hold."""


class ByHand(StrEnum):
    """How a person may end a case."""

    CORRECTED = "corrected"
    """A person put it right."""
    ACCEPTED = "accepted"
    """It stays as it is, and somebody answers for that."""
    NO_FAULT = "no_fault"
    """There was nothing to put right."""
    DUPLICATE = "duplicate"
    """Another case carries it."""


class Resolution(StrEnum):
    """How a case ended."""

    CLEARED = "cleared"
    """What it waited for has come; the books ended it by themselves."""
    CORRECTED = ByHand.CORRECTED.value
    ACCEPTED = ByHand.ACCEPTED.value
    NO_FAULT = ByHand.NO_FAULT.value
    DUPLICATE = ByHand.DUPLICATE.value


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a case. It may hold personal data: it is never in a view."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One case. Whoever opens it names kind, text and what it is about; the books add the rest.

    Its kind says which gates it keeps shut (`domain.case.kinds`): of the installment that it names,
    or of every installment where it names only the loan.

    Attributes:
        key: unique for ever; a case that comes again is the same case, opened again.
        payment, line: the payment and bank line that it is about. Amount in minor units.
        group: what it has in common with other cases of one file; empty where that is nothing.
        items, items_ever: lines that it stands for (`domain.case.item`): open ones, and all.
        cause: None while nobody has said; then the kind's usual one is meant.
        code: why it was opened (`domain.case.codes`).
        links: what it points to as its evidence, at most `domain.case.links.LINKS_MOST`.
        owner: the team in whose queue it is. `assignee`: the person who works on it.
        acted_at: when a person first did something about it since it was opened.
        waits_since, waits_until: from when and until when it is put aside.
        waited_s: seconds for which it was put aside since it was opened, this time left out.
        reminded: the owner was reminded that nobody has taken it.
        escalation: how often it was handed up.
        team: to which an order has transferred it; empty while none has. `transfers`: how often.
        chain_from: how often it had been handed up when it was transferred.
        suggestion: what the books propose to do about it; empty where they propose nothing.
    """

    key: str
    kind: CaseKind
    text: str
    loan_id: str | None = None
    number: int | None = None
    payment: str | None = None
    line: str | None = None
    amount_minor: int = 0
    currency: str = ""
    tenant: str = ""
    group: str = ""
    items: int = 0
    items_ever: int = 0
    state: CaseState = CaseState.OPEN
    generation: int = 1
    version: int = 1
    opened_at: datetime | None = None
    cause: Cause | None = None
    code: str = ""
    links: tuple[Link, ...] = ()
    owner: str = ""
    assignee: str = ""
    acted_at: datetime | None = None
    waits_since: datetime | None = None
    waits_until: datetime | None = None
    waited_s: int = 0
    reminded: bool = False
    escalation: int = 0
    team: str = ""
    transfers: int = 0
    chain_from: int = 0
    suggestion: str = ""
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    notes: tuple[Note, ...] = ()
    driver: DriverRecord = DriverRecord()

    @property
    def subject(self) -> Subject:
        """The subject that it is."""
        return Subject(CASE, self.key)

    @property
    def is_open(self) -> bool:
        """Whether it still waits for something or somebody."""
        return self.state is not CaseState.RESOLVED

    @property
    def about(self) -> tuple[Link, ...]:
        """The payment and the line that it is about, as links."""
        named = ((LinkTo.PAYMENT, self.payment), (LinkTo.LINE, self.line))
        return tuple(Link(to, name) for to, name in named if name)

    def is_about(self, loan_id: str, number: int) -> bool:
        """Whether it is open and about an installment, by name or through its whole loan."""
        names_it = self.loan_id == loan_id and self.number in {None, number}
        return self.is_open and names_it
