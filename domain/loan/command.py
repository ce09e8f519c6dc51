"""Commands on a loan and on one installment, and operators' orders on an installment."""

from dataclasses import dataclass
from typing import ClassVar

from domain.kernel.command import Command, Scope
from domain.kernel.order import OperatorOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanCommand(Command):
    """A command on one loan."""

    loan_id: str

    def scope(self) -> Scope:
        """Its loan."""
        return Scope(loans=(self.loan_id,))


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallmentCommand(LoanCommand):
    """A command on one installment."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCommand(OperatorOrder, InstallmentCommand):
    """An operator's order on an installment."""

    subject: ClassVar[tuple[str, ...]] = ("loan_id", "number")
