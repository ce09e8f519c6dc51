"""The read side: what drivers, sweeps, the command line and the sandbox ask of the books.

Nothing here changes money or state; every answer is what the books hold now.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from domain.case.case import Case
from domain.case.view import CaseView
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.ledger.entry import JournalPosting
from domain.loan.aggregate import Loan
from domain.loan.lifecycle import State
from domain.loan.view import InstallmentView
from domain.story.events import StoryEvent
from ports.paging import Page


@dataclass(frozen=True, slots=True)
class Balance:
    """Balance of one account in one currency: debit positive, minor units."""

    account: str
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What of an account's balance is for one thing: debit positive, minor units.

    `place` names where the money lies, on accounts that hold money.
    """

    account: str
    currency: str
    loan: str | None
    number: int | None
    component: str | None
    party: str | None
    payment: str | None
    place: str | None
    minor: int


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying the journal found. `faults` is empty when the chain is intact.

    `items` are `commands`, `entries` and `transitions` together. `kept` counts the rows beside the
    journal that were compared with it: balances, installments, attempts, payments, bank lines,
    cases; and kept files, whose content was compared with the hash that names them.
    """

    items: int
    entries: int
    postings: int
    transitions: int
    head: str
    faults: tuple[str, ...]
    commands: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """An installment and since when it has been in its state; None: since before that was kept."""

    view: InstallmentView
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open case and since when it has been open."""

    case: Case
    since: datetime


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are listed; what is empty does not narrow.

    Attributes:
        loan_id: about this loan; `-`: about none.
        owner: in the queue of this team, or assigned to this person.
        late: past the time in which somebody should have taken, or ended, them.
        resolved: those that have ended, instead of those that are open.
        after: the key of the case after which the list goes on.
    """

    kind: str = ""
    loan_id: str = ""
    owner: str = ""
    late: bool = False
    resolved: bool = False
    after: str = ""


class Queries(Protocol):
    """Questions to the books."""

    async def view(self, subject: Subject) -> View[Any] | None:
        """The current view of one subject."""
        ...

    async def loan(self, loan_id: str) -> Loan | None:
        """The whole aggregate."""
        ...

    async def loans(self, after: str, limit: int) -> tuple[str, ...]:
        """Every loan on the books, in order of id, after `after`."""
        ...

    async def loans_to_roll(
        self, day: date, after: str, limit: int, timezone: str | None = None
    ) -> tuple[str, ...]:
        """Loans whose `next_roll_on` is at or before `day`, in order of id, after `after`.

        With `timezone` only loans whose days begin at the midnight of that zone.
        """
        ...

    async def due_actions(self, now: datetime, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver whose next action is at or before `now`."""
        ...

    async def due_swept(
        self, kind: str, now: datetime, after: tuple[datetime | None, str], limit: int
    ) -> tuple[View[Any], ...]:
        """Not final subjects of a kind, without a driver, whose next action is due by `now`.

        In order of (instant, key), after the cursor `after`; None: from the beginning.
        """
        ...

    async def next_instant(self) -> datetime | None:
        """The least of the coming actions of running drivers and `not_before` of the outbox."""
        ...

    async def next_roll(self, timezone: str | None = None) -> date | None:
        """The least `next_roll_on` of all loans, or of those of one time zone."""
        ...

    async def lagging(self, now: datetime, quiet_s: int, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver, unchanged with a due action for `quiet_s` seconds."""
        ...

    async def unfinished(self, after: Subject, limit: int) -> tuple[View[Any], ...]:
        """Opened and not final subjects in order of (kind, key): drivers that must exist."""
        ...

    async def standing(self, states: Sequence[State], limit: int) -> tuple[Standing, ...]:
        """Installments in some states, those first that have been there longest."""
        ...

    async def cases(self, *, open_only: bool = True) -> tuple[Case, ...]:
        """Cases, oldest first."""
        ...

    async def case(self, key: str) -> Case | None:
        """One case, open or resolved."""
        ...

    async def case_list(
        self, wanted: CaseFilter, now: datetime, limit: int
    ) -> tuple[tuple[CaseView, ...], int]:
        """Cases, the oldest first, and how many there are in all."""
        ...

    async def history(self, subject: Subject, after: str, limit: int) -> Page[StoryEvent]:
        """What commands did to one subject, in order."""
        ...

    async def waiting(self, loan_id: str | None = None) -> tuple[Waiting, ...]:
        """Open cases, oldest first; with `loan_id` only those that name that loan."""
        ...

    async def story(
        self, loan_id: str, number: int | None, after: str, limit: int
    ) -> Page[StoryEvent]:
        """What happened to a loan or installment, in order; `None`: to the whole loan."""
        ...

    async def trail(self, key: str) -> tuple[JournalPosting, ...]:
        """Every posting about one payment, debit order or bank line, in order of the journal."""
        ...

    async def balances(self, prefix: str = "") -> tuple[Balance, ...]:
        """Balances of all accounts whose name starts with `prefix`, zero ones included."""
        ...

    async def items(self, account: str, limit: int) -> tuple[OpenItem, ...]:
        """What the balance of one account is for, item by item and place by place; none is zero."""
        ...

    def journal(self) -> AsyncGenerator[JournalPosting]:
        """All postings in the order of the chain, streamed; closed by who does not read on."""
        ...

    async def head(self) -> str:
        """The hash that the chain ends with, as it is kept: equal heads are equal books."""
        ...

    async def verify(self) -> ChainReport:
        """Recompute the journal, and compare what is kept beside it; see `ChainReport`."""
        ...

    async def counts(self) -> dict[str, dict[str, int]]:
        """Installments by state, attempts by state, notices by state, cases by kind, and so on."""
        ...
