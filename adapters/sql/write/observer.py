"""The observer of the writer, for traces and metrics. By default there is none, at no cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from adapters.sql.write.workset import Workset
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Applied, Refused, Transition
from domain.kernel.command import Command
from domain.loan.view import installment_of

Origin = Mapping[str, str]
"""The trace that a command belongs to, as its messages carry it; empty without tracing."""


@dataclass(frozen=True, slots=True)
class AttemptMove:
    """An attempt came into a state, by an outcome of class `outcome_class` if by any."""

    rail: str
    state: str
    outcome_class: OutcomeClass | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction that was committed.

    Attributes:
        seconds: from asking for a connection to the commit.
        commands: how many shared it.
        moves: of attempts.
    """

    seconds: float
    commands: int
    moves: Sequence[AttemptMove]


class Observer(Protocol):
    """Is informed of what the writer does; its methods must not raise and must not take long."""

    def origin(self, commands: int) -> Origin:
        """The trace of a caller that hands in `commands` commands, asked in its own context."""
        ...

    def group(self, origins: Sequence[Origin]) -> AbstractContextManager[None]:
        """A context in which the writer works on a group."""
        ...

    def committed(self, commit: Commit) -> None:
        """A transaction is durable."""
        ...

    def answered(
        self, commands: Sequence[Command], answers: Sequence[Applied | Refused | Exception]
    ) -> None:
        """A group got its answers, in this order."""
        ...


def attempt_moves(work: Workset) -> Iterator[AttemptMove]:
    """The attempts that changed their state in a group."""
    for written in work.written:
        for _, item in written.items:
            if isinstance(item, Transition) and item.order_no is not None:
                loan_id, number = installment_of(item.subject)
                attempts = work.loans[loan_id].installment(number).attempts
                for attempt in attempts:
                    if attempt.order_no == item.order_no:
                        yield AttemptMove(attempt.rail, item.target, attempt.outcome_class)
