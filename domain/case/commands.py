"""What people order about a case, and what its clocks do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from domain.case.case import CASE, ByHand
from domain.case.kinds import Cause
from domain.kernel.command import Command, Scope
from domain.kernel.order import OperatorOrder
from domain.kernel.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCommand(Command):
    """A command on one case, by its key."""

    case: str

    def scope(self) -> Scope:
        """Its case, with the loan that it is about."""
        return Scope(cases=(self.case,))

    def about(self) -> Subject:
        """The case."""
        return Subject(CASE, self.case)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOrder(OperatorOrder, CaseCommand):
    """An operator's order on a case."""

    subject: ClassVar[tuple[str, ...]] = ("case",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOnCase(CaseCommand):
    """What comes next for a case by itself; an action that has changed is answered Superseded.

    `seen` is the view version that the driver or sweep saw (not part of the identity).
    """

    kind: Literal["act_on_case"] = "act_on_case"
    action: str
    generation: int = 1
    seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCase(CaseOrder):
    """Give the case to one person, who works on it."""

    story: ClassVar[str] = "case assigned"

    kind: Literal["assign_case"] = "assign_case"
    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCase(CaseOrder):
    """Add the reason as a note to the case."""

    story: ClassVar[str] = "case noted"

    kind: Literal["note_case"] = "note_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitCase(CaseOrder):
    """Put the case aside until the beginning of a day (UTC)."""

    story: ClassVar[str] = "case put aside"

    kind: Literal["wait_case"] = "wait_case"
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveCase(CaseOrder):
    """End the case: how, and who brought it about if that is known now.

    One that keeps a gate shut needs an approver other than the actor.
    """

    story: ClassVar[str] = "case resolved"

    kind: Literal["resolve_case"] = "resolve_case"
    resolution: ByHand
    cause: Cause | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenCase(CaseOrder):
    """Open a case again that was resolved."""

    story: ClassVar[str] = "case opened again"

    kind: Literal["reopen_case"] = "reopen_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCase(CaseOrder):
    """Put the case in another team's queue, with nobody of that team yet.

    Its clocks go on; while it is late it is handed up the chain of that team.
    """

    story: ClassVar[str] = "case transferred"

    kind: Literal["transfer_case"] = "transfer_case"
    to: str


AnyCaseOrder = AssignCase | NoteCase | WaitCase | ResolveCase | ReopenCase | TransferCase
CASE_ORDERS: Mapping[str, type[AnyCaseOrder]] = MappingProxyType(
    {item.pinned(): item for item in get_args(AnyCaseOrder)}
)
"""Every order on a case by its kind."""


def fields_of(subject: Subject) -> Mapping[str, object]:
    """The field by which commands about a case name it."""
    return {"case": subject.key}
