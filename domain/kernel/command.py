"""The shape of every command: an idempotency key, who asks and why, and what it touches.

*Evidence* is never refused, *orders* can be. The identity of a command is its pinned kind and its
business content: every field but its id, who asks, why, who approved, by which way it came, and
what the sender had seen. The same content under the same id is therefore the same command, whoever
sends it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, TypeVar

from domain.errors import InvalidInput
from domain.kernel import canonical
from domain.text import PLAIN_RULE, cleaned_copy, unplain


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a workflow, an operator, a rail, upstream, the system; never a personal name."""

    kind: str
    id: str


IDENTITY_VERSION = 2
_NOT_CONTENT = frozenset({"id", "actor", "reason", "approver", "seen", "asked_at", "file"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The references that a command names; the books find and lock what holds them.

    What holds them are mandates, loans, payments, bank lines, payouts, cases and messages of the
    outbox, which are locked in this order.
    """

    mandate_roots: tuple[str, ...] = ()
    """Mandates that the command reads or changes: they themselves, before any loan."""
    under_mandates: tuple[str, ...] = ()
    """Mandates whose loans it is about."""
    accounts: tuple[str, ...] = ()
    """Accounts of payers: a mandate to debit each of them that is barred, if there is one."""
    payers: tuple[str, ...] = ()
    """Payers: the mandates of each of them that are barred for whatever account."""
    orders: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    loans: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    """References of money that may wait on a line: the lines that carry them."""
    payouts: tuple[str, ...] = ()
    """Payouts, by their keys or the order numbers under which they were sent."""
    groups: tuple[str, ...] = ()
    """Groups of lines of one file that may fail alike."""
    cases: tuple[str, ...] = ()
    """Keys of cases, with the loans that they are about."""
    letters: tuple[int, ...] = ()
    """Messages of the outbox by their numbers: how far each has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base: `id` is the idempotency key, `actor` who asks, `reason` why, in words.

    `kind` is pinned by each command and names it in hashes, rows and on the wire: the name of a
    class may change, its kind may not.

    The id begins with the door that the command came through, so that no sender can use up the id
    of another one.
    """

    evidence: ClassVar[bool] = False

    kind: str = ""
    id: str
    actor: Actor
    reason: str = ""

    def identity(self) -> str:
        """Hash of kind and business content: same id with another identity is a conflict."""
        return canonical.digest((IDENTITY_VERSION, self.content()))

    def content(self) -> Mapping[str, object]:
        """The business content: its fields by name."""
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in _NOT_CONTENT
        }

    def dedup_key(self) -> str | None:
        """The dedup key of evidence: one fact that comes by several ways counts once."""
        return None

    def scope(self) -> Scope:
        """The aggregates that this command names."""
        return Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCommand(Command):
    """Evidence that may have come in a report: `raw` is the SHA-256 of its body, empty if not."""

    evidence: ClassVar[bool] = True

    raw: str = ""


C = TypeVar("C", bound=Command)


def admitted(command: C) -> C:
    """The command as the books may hold it: no text in it has control characters or line breaks.

    Evidence is never refused, so its texts are cleaned.

    Raises:
        InvalidInput: any other command with such a text; names the field.
    """
    if command.evidence:
        return cleaned_copy(command)
    for name in unplain(command, ""):
        raise InvalidInput(name, "(not shown)", PLAIN_RULE)
    return command
