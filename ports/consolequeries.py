"""What people ask of the books: lists that narrow, one subject, one case, a story."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.case.case import Case
from domain.case.item import CaseItem
from domain.case.view import CaseView
from domain.debit.mandate import MandateRoot
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.story.events import StoryEvent
from ports.casefilter import CaseFilter
from ports.paging import LIMIT_MOST, Page
from ports.subjectfilter import SubjectFilter


@dataclass(frozen=True, slots=True)
class Listed:
    """A subject as of its last write, and since when it has been in its state."""

    view: View[Any]
    since: datetime
    borrower: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class MandateFacts:
    """A mandate, the ids of the loans under it, and what became of it, as far as it is shown."""

    root: MandateRoot
    loans: tuple[str, ...]
    story: tuple[StoryEvent, ...]


class ConsoleQueries(Protocol):
    """Questions of people, by whatever door."""

    async def subjects(self, wanted: SubjectFilter, after: str, limit: int) -> Page[Listed]:
        """Subjects of one kind that fit all of a filter, those first that are longest in a state.

        Raises:
            InvalidInput: the filter, the cursor or the limit is wrong, by field.
        """
        ...

    async def case(self, key: str) -> Case | None:
        """One case, open or resolved."""
        ...

    async def case_list(
        self, wanted: CaseFilter, now: datetime, after: str, limit: int
    ) -> tuple[Page[CaseView], int]:
        """Cases, the oldest first, and how many there are in all.

        Raises:
            InvalidInput: the filter, the cursor or the limit is wrong, by field.
        """
        ...

    async def case_items(
        self, key: str, after: str, limit: int, *, open_only: bool = False
    ) -> Page[CaseItem]:
        """Lines that are items of one case, in order of line."""
        ...

    async def mandate(self, ref: str) -> MandateFacts | None:
        """One mandate with its loans and its story; None if the books do not hold it."""
        ...

    async def history(self, subject: Subject, after: str, limit: int) -> Page[StoryEvent]:
        """What commands did to one subject, in order; items of a case are listed apart."""
        ...

    async def waiting(
        self, loan_id: str | None = None, after: str = "", limit: int = LIMIT_MOST
    ) -> Page[Case]:
        """Open cases, oldest first; with `loan_id` only those that name that loan."""
        ...

    async def story(
        self, loan_id: str, number: int | None, after: str, limit: int
    ) -> Page[StoryEvent]:
        """What happened to a loan or installment, in order; `None`: to the whole loan."""
        ...

    async def zones(self, loans: Collection[str]) -> Mapping[str, str]:
        """The time zones of the products of loans, by loan; one that is not there is absent."""
        ...

    async def counts(self) -> dict[str, dict[str, int]]:
        """Installments by state, attempts by state, notices by state, cases by kind, and so on."""
        ...
