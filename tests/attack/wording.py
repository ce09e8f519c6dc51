"""Commands and their answers in few words, for scripts and findings."""

from domain.kernel.change import Refusal
from domain.loan.change import Change
from tests.support.doors import AnyCommand
from tests.support.recording import short


def short_of(command: AnyCommand) -> str:
    """A command without what every command of an attack says alike."""
    return short(command, {"id", "actor", "kind", "product", "reason", "schedule"})


def answer_of(change: Change | Refusal | None) -> str:
    """What a command was answered, and the names of all that it did."""
    if change is None:
        return "an error"
    if isinstance(change, Refusal):
        return f"refused: {change.rule}"
    moves = [f"{m.target}" for m in change.transitions if m.source != m.target]
    entries = [entry.event for entry in change.entries]
    cases = [f"{case.state} {case.key}" for case in change.cases.values()]
    return ", ".join([type(change.answer).__name__, *moves, *entries, *cases])
