"""The shape of every command: an idempotency key, who asks and why, and what it touches.

*Evidence* is never refused, *orders* can be. The identity of a command is every field but
`id`, `seen`, `asked_at` and `from_driver`, so the same news under the same id is the same command,
whoever retries it.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

from domain import canonical
from domain.loan.aggregate import Actor

IDENTITY_VERSION = 1
_NOT_CONTENT = frozenset({"id", "seen", "asked_at", "from_driver"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The aggregates that a command names; the door locks them in the order of these fields."""

    mandates: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    loans: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """References of money that may wait on a line: the lines that carry them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base: `id` is the idempotency key, `actor` who asks, `reason` why, in words.

    The id begins with the door that the command came through, so that no sender can use up the id
    of another one. `from_driver` is set by the activities of a driver and by nobody else: a driver
    is given the new view as the answer and needs no message about it.
    """

    evidence: ClassVar[bool] = False

    id: str
    actor: Actor
    reason: str = ""
    from_driver: bool = False

    def identity(self) -> str:
        """Hash of the business content: same id with another identity is a conflict."""
        content = {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in _NOT_CONTENT
        }
        return canonical.digest((IDENTITY_VERSION, type(self).__name__, content))

    def says(self) -> str | None:
        """A key for what evidence says, so that one fact by many ways counts once."""
        return None

    def scope(self) -> Scope:
        """The aggregates that this command names."""
        return Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCommand(Command):
    """Evidence that may have come in a report: `raw` is the SHA-256 of its body, empty if not."""

    evidence: ClassVar[bool] = True

    raw: str = ""


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
class OrderCommand(InstallmentCommand):
    """An override: always with id, actor and reason; `approver` is checked by a later rule."""

    approver: str | None = None
