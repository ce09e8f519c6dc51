"""Matching what waits on bank lines with what is expected, as of now."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from domain.matching.group import Group, Meant
from domain.matching.result import Status


@dataclass(frozen=True, slots=True)
class MatchFilter:
    """Which groups are wanted; what is empty narrows nothing. `day` is the booking day."""

    account: str = ""
    day: date | None = None
    line: str = ""
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Overdue:
    """An expectation that no line shows: what it is, its currency, and whether it is missing."""

    meant: Meant
    currency: str
    status: Status


@dataclass(frozen=True, slots=True)
class CaseOfLine:
    """The open case about a line: its key, who has it, why it was opened and since when."""

    line: str
    key: str
    owner: str
    code: str
    opened_at: datetime


class MatchRun(Protocol):
    """One run, as long as its context lasts: every answer is of the same state of the books."""

    async def groups(self, wanted: MatchFilter, after: str, limit: int) -> Sequence[Group]:
        """Groups of pieces in order of their least piece, behind the group of `after`."""
        ...

    async def overdue(self, after: str, limit: int) -> Sequence[Overdue]:
        """Expectations that are missing, in order of their ids, behind `after`."""
        ...

    async def cases_of(self, lines: Sequence[str]) -> Sequence[CaseOfLine]:
        """The open cases about some lines; a line that is an item of a case has that one."""
        ...


class Matching(Protocol):
    """Runs the set-based passes over everything that waits and everything that is expected."""

    async def anything_waits(self) -> bool:
        """Whether any money waits on a line."""
        ...

    def run(self) -> AbstractAsyncContextManager[MatchRun]:
        """Run all passes."""
        ...
