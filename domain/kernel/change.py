"""What a command changes and is answered, in parts that every kind of subject shares."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from domain.kernel.command import Actor
from domain.kernel.subject import Subject
from domain.kernel.view import View


@dataclass(frozen=True, slots=True)
class Transition:
    """One move of a subject, or of an attempt of it (`order_no` set).

    `loan_id` is the loan in whose story it stands, empty where it is about none. `product` is the
    product version by which it was decided.
    """

    subject: Subject
    loan_id: str
    source: str
    target: str
    event: str
    product: str
    order_no: str | None = None
    detail: str = ""


class LetterFate(StrEnum):
    """What an order makes of a dead letter: a message that is not tried any more."""

    RETRIED = "retried"
    """It is tried again, as often as a new one."""
    DROPPED = "dropped"
    """It is never delivered."""


# --- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """Base of the answers: kept in the command log, and given again to the same command.

    Each answer has a pinned `kind`, which tells them apart in rows.
    """


@dataclass(frozen=True, slots=True)
class Done(Answer):
    """The command was applied; `note` says in a few words what it did."""

    kind: Literal["done"] = "done"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Superseded(Answer):
    """The action is no longer what comes next; the view says what is to be done instead."""

    kind: Literal["superseded"] = "superseded"


@dataclass(frozen=True, slots=True)
class Applied:
    """The answer as first given, and the view of the command's subject as the books have it now.

    `replayed`: the command had been applied before; its effects did not happen again.
    """

    answer: Answer
    view: View[Any] | None = None
    replayed: bool = False
    kind: Literal["applied"] = "applied"


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that the rules do not allow; stored, and answered the same way again."""

    rule: str
    reason: str
    view: View[Any] | None = None
    replayed: bool = False
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a handler returns instead of a change when an order is not allowed."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the books add to everything that a command writes: who, why and when (UTC)."""

    command_id: str
    actor: Actor
    reason: str
    at: datetime
    posted_on: date
