"""The argument of activities that perform: one action of one subject, as its view showed it."""

from dataclasses import dataclass
from typing import Any, TypeVar

from domain.kernel.canonical import bounded
from domain.kernel.command import Actor, Command
from domain.kernel.subject import Subject
from domain.kernel.view import Action
from domain.registry import KINDS

C = TypeVar("C", bound=Command)


def driver_of(subject: Subject) -> Actor:
    """Who acts when a driver or a sweep performs an action; only activities and drivers use it."""
    return Actor("workflow", subject.kind)


@dataclass(frozen=True, slots=True)
class ActionOrder:
    """Perform `action` of a subject; `seen` is the view version that asked for it.

    `run` counts the performances that changed nothing. The books keep every answer under its
    command's id, so an action that came too early must come back under another id; the tries of one
    performance share one id. The books see to it that an action is performed once.
    """

    subject: Subject
    generation: int
    seen: int
    action: Action
    run: int = 0

    @property
    def command_id(self) -> str:
        """Id of the command that performs this action: the same for every try of it.

        It begins with `driver`, the door of drivers and sweeps: no order from outside has it.
        """
        again = f"/{self.seen}.{self.run}" if self.run else ""
        return bounded(f"driver/{self.subject}/g{self.generation}/{self.action.key}{again}")

    def command(self, kind: type[C]) -> C:
        """The command that performs this action."""
        return about(
            self.subject,
            kind,
            id=self.command_id,
            reason=self.action.reason,
            action=self.action.key,
            generation=self.generation,
            seen=self.seen,
        )


def about(subject: Subject, kind: type[C], **content: Any) -> C:  # noqa: ANN401  (fields of `kind`)
    """A command of a driver about its subject."""
    fields: dict[str, Any] = {**KINDS[subject.kind].named(subject), **content}
    return kind(actor=driver_of(subject), **fields)
