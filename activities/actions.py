"""The argument of a driver's activities: one action of one installment, as the driver saw it."""

from dataclasses import dataclass
from typing import TypeVar

from domain.kernel.command import Actor
from domain.loan.commands import ActionCommand
from domain.loan.view import Action

C = TypeVar("C", bound=ActionCommand)

DRIVER = Actor("workflow", "installment")
"""Who acts when a driver performs an action; only its own activities use this actor."""


@dataclass(frozen=True, slots=True)
class ActionOrder:
    """Perform `action` of an installment; `seen` is the view version that the driver decided on.

    `run` counts the performances that changed nothing. The books keep every answer under its
    command's id, so an action that came too early must come back under another id; the tries of one
    performance share one id. The books see to it that an action is performed once.
    """

    loan_id: str
    number: int
    generation: int
    seen: int
    action: Action
    run: int = 0

    @property
    def command_id(self) -> str:
        """Id of the command that performs this action: the same for every try of it.

        It begins with `driver`, the door of drivers: no order that comes from outside has it.
        """
        again = f"/{self.seen}.{self.run}" if self.run else ""
        return f"driver/{self.loan_id}/{self.number}/g{self.generation}/{self.action.key}{again}"

    def command(self, kind: type[C]) -> C:
        """The command that performs this action."""
        return kind(
            id=self.command_id,
            actor=DRIVER,
            from_driver=True,
            reason=self.action.reason,
            loan_id=self.loan_id,
            number=self.number,
            action=self.action.key,
            generation=self.generation,
            seen=self.seen,
        )
