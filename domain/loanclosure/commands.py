"""What drivers, counterparties and people say about the closure of a loan."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from domain.kernel.command import Command, Scope
from domain.kernel.order import OperatorOrder
from domain.kernel.subject import Subject
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.rules import LegKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureCommand(Command):
    """A command on the closure of one loan."""

    loan_id: str

    def scope(self) -> Scope:
        """The loan, in which its closure lies."""
        return Scope(loans=(self.loan_id,))

    def about(self) -> Subject:
        """The closure."""
        return Subject(LOAN_CLOSURE, self.loan_id)


# --- the driver's actions ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureActionCommand(ClosureCommand):
    """An action being performed. `action` is its key; one that has changed is answered Superseded.

    `seen` is the view version that the driver saw (not part of the identity).
    """

    action: str
    generation: int = 1
    seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginLeg(ClosureActionCommand):
    """Book that a leg is asked for, before the request leaves; the answer has its reference."""

    kind: Literal["begin_leg"] = "begin_leg"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLeg(ClosureActionCommand):
    """A leg was not done in time: open a case, or tell the borrower over the next channel."""

    kind: Literal["review_leg"] = "review_leg"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSealed(ClosureActionCommand):
    """A signed head of the ledger covers the closure: its size, and its root in hexadecimal."""

    kind: Literal["record_sealed"] = "record_sealed"
    size: int
    root: str


# --- evidence ------------------------------------------------------------------------------------


class LegStatus(StrEnum):
    """What whoever does a leg says about it."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    DONE = "done"
    NOT_NEEDED = "not_needed"
    UNKNOWN = "unknown"
    """No usable answer came."""


@dataclass(frozen=True, slots=True)
class LegNews:
    """What became of a request. `code`: why it was rejected; `proof`: what shows that it is done.

    `may_retry`: the reason allows the same request to be made again.
    """

    status: LegStatus
    code: str = ""
    proof: str = ""
    may_retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLegNews(ClosureCommand):
    """What a counterparty said about the request with a reference."""

    evidence: ClassVar[bool] = True

    kind: Literal["record_leg_news"] = "record_leg_news"
    reference: str
    news: LegNews


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCertificate(ClosureCommand):
    """A certificate was signed: its text, and the key and signature in hexadecimal."""

    evidence: ClassVar[bool] = True

    kind: Literal["record_certificate"] = "record_certificate"
    generation: int
    text: str
    key: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseClosure(ClosureCommand):
    """Ask for a person: the driver of a closure cannot go on by itself."""

    evidence: ClassVar[bool] = True

    kind: Literal["raise_closure"] = "raise_closure"


# --- orders --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOrderOnClosure(OperatorOrder, ClosureCommand):
    """An operator's order on the closure of a loan."""

    subject: ClassVar[tuple[str, ...]] = ("loan_id",)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLeg(AnyOrderOnClosure):
    """Ask for a leg again: its reason of rejection is put right, or nothing was heard of it."""

    story: ClassVar[str] = "leg of the closure ordered again"

    kind: Literal["retry_leg"] = "retry_leg"
    leg: LegKind


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLegDone(AnyOrderOnClosure):
    """Say that a leg is done, and what proves that; two people do."""

    story: ClassVar[str] = "leg of the closure stated as done"

    kind: Literal["state_leg_done"] = "state_leg_done"
    leg: LegKind
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveLeg(AnyOrderOnClosure):
    """Decide that a leg is not to be done; two people do."""

    story: ClassVar[str] = "leg of the closure waived"

    kind: Literal["waive_leg"] = "waive_leg"
    leg: LegKind


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldClosure(AnyOrderOnClosure):
    """Stop the actions of the closure; news is taken in all the same."""

    story: ClassVar[str] = "closure put on hold"

    kind: Literal["hold_closure"] = "hold_closure"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeClosure(AnyOrderOnClosure):
    """Let the closure go on."""

    story: ClassVar[str] = "hold of the closure ended"

    kind: Literal["resume_closure"] = "resume_closure"


AnyClosureOrder = RetryLeg | StateLegDone | WaiveLeg | HoldClosure | ResumeClosure
CLOSURE_ORDERS: Mapping[str, type[AnyClosureOrder]] = MappingProxyType(
    {item.pinned(): item for item in get_args(AnyClosureOrder)}
)
"""Every order on the closure of a loan by its kind."""
