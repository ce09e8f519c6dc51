"""What people and clocks do about cases. None of it may move money."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.case import agenda
from domain.case.case import ByHand, Case
from domain.kernel.change import Refusal
from tests.attack.findings import Finding
from tests.attack.moneysteps import MoneySteps
from tests.support.doors import (
    ActOnCase,
    AssignCase,
    NoteCase,
    ReopenCase,
    ResolveCase,
    TransferCase,
    WaitCase,
)

OF_TIME = frozenset({"penalty_accrued"})
"""What any command books that writes a loan: the penalty of the days that have passed."""
CASE_STEPS = frozenset(
    {
        "take_case",
        "note_case",
        "put_aside",
        "resolve_case",
        "reopen_case",
        "transfer_case",
        "sweep_cases",
    }
)


class CaseSteps(MoneySteps):
    """An attack with orders on cases."""

    def take_case(self, pick: int) -> None:
        """Somebody takes a case."""
        self._about(AssignCase, self.books.cases, pick, assignee="ann")

    def note_case(self, pick: int) -> None:
        """Somebody notes something, perhaps on a case that has ended."""
        self._about(NoteCase, {**self.books.cases, **self.books.resolved}, pick)

    def put_aside(self, pick: int, days: int) -> None:
        """A case is put aside."""
        until = self.books.at.date() + timedelta(days=days)
        self._about(WaitCase, self.books.cases, pick, until=until)

    def resolve_case(self, pick: int, how: str) -> None:
        """Two people end a case, and may be wrong."""
        resolved = {"resolution": ByHand(how), "approver": "second"}
        if not isinstance(self._about(ResolveCase, self.books.cases, pick, **resolved), Refusal):
            self.oracle.is_lying = True

    def reopen_case(self, pick: int) -> None:
        """A case is opened again."""
        self._about(ReopenCase, self.books.resolved, pick)

    def transfer_case(self, pick: int, to: str) -> None:
        """Another team gets a case."""
        self._about(TransferCase, self.books.cases, pick, to=to)

    def sweep_cases(self) -> None:
        """The clocks of cases: every action that is due."""
        for key, case in sorted(self.books.cases.items()):
            action = agenda.next_action(case, self.books.rules.case_policy)
            if action is not None and action.not_before <= self.books.at:
                named = {"action": action.key, "generation": case.generation}
                self._about(ActOnCase, {key: case}, 0, **named)

    def _about(
        self, kind: Any, found: Mapping[str, Case], pick: int, **values: Any
    ) -> Refusal | None:
        """Give an order about one of some cases; the refusal, if it is one."""
        if not found:
            return None
        key = sorted(found)[pick % len(found)]
        before = len(self.books.entries)
        change = self.give(kind, case=key, **values)
        moved = {entry.event for entry in self.books.entries[before:]} - OF_TIME
        if moved:
            raise Finding("case.money", f"{kind.__name__} on {key} posted {sorted(moved)}")
        return change if isinstance(change, Refusal) else None
