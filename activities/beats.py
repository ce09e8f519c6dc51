"""What a driver hands to an activity: one beat of one installment, as the driver saw it."""

from dataclasses import dataclass

from domain.loan.aggregate import Actor
from domain.loan.view import Beat

DRIVER = Actor("workflow", "installment")
"""Who acts when a driver performs a beat."""


@dataclass(frozen=True, slots=True)
class BeatOrder:
    """Perform `beat` of an installment; `seen` is the view version that the driver decided on."""

    loan_id: str
    number: int
    generation: int
    seen: int
    beat: Beat

    @property
    def command_id(self) -> str:
        """Id of the command that performs this beat: the same for every try of it."""
        return f"{self.loan_id}/{self.number}/g{self.generation}/{self.beat.key}"
