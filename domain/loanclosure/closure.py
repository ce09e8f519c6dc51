"""The closure of a loan: its legs, what proves each of them, and the certificates it gave out."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from domain.kernel import canonical
from domain.kernel.change import Answer
from domain.kernel.driver import DriverRecord
from domain.kernel.lifecycle import move
from domain.kernel.subject import Subject
from domain.loanclosure.certificate import Certificate
from domain.loanclosure.lifecycle import (
    LEG_MOVES,
    LEG_OVER,
    ClosureState,
    LegEvent,
    LegState,
)
from domain.loanclosure.rules import LegKind

LOAN_CLOSURE = "loan_closure"
"""The kind of subject."""
REFERENCE_LETTERS = 24


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a closure.

    Attributes:
        reference: our number of its request: letters and digits, the same for every send of it.
        since: when it came into its state. `began_at`: from when its time counts.
        due_at: by when it is to be done.
        tries: how often it was asked for; `inquiries`: how often its last request was asked about.
        asked_at: when it was last asked for or about.
        code: of the last rejection. `may_retry`: the reason allows a machine to ask again.
        proof: what proves it, in a few words without personal data.
    """

    kind: LegKind
    state: LegState
    since: datetime
    began_at: datetime
    due_at: datetime | None = None
    reference: str = ""
    tries: int = 0
    inquiries: int = 0
    asked_at: datetime | None = None
    code: str = ""
    may_retry: bool = False
    proof: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is missing."""
        return self.state in LEG_OVER

    def after(self, event: LegEvent, at: datetime) -> "Leg":
        """The leg after an event.

        Raises:
            IllegalTransition: the table does not hold the pair.
        """
        state = move(LEG_MOVES, self.state, event)
        return replace(self, state=state, since=self.since if state is self.state else at)

    def can(self, event: LegEvent) -> bool:
        """Whether the table holds the move."""
        return (self.state, event) in LEG_MOVES


@dataclass(frozen=True, slots=True)
class LegOrdered(Answer):
    """A leg was asked for: send exactly this reference to its channel."""

    leg: LegKind
    reference: str
    kind: Literal["leg_ordered"] = "leg_ordered"


@dataclass(frozen=True, slots=True)
class LoanClosure:
    """The closure of one loan; a loan that is paid anew goes on with it under a higher generation.

    Attributes:
        value_on: the value date at which nothing was owed any more.
        legs: the legs of its present course, in the order in which they are shown.
        certificates: every certificate that it gave out, the newest last.
        sealed_by: size and root of the checkpoint that covers it; empty while none does.
        held: why a person has stopped its actions; empty while nobody has.
        needs_operator: why a person is asked; empty when nobody is.
        revoked: how often it was revoked.
    """

    loan_id: str
    value_on: date
    since: datetime
    legs: tuple[Leg, ...]
    state: ClosureState = ClosureState.RUNNING
    generation: int = 1
    version: int = 0
    certificates: tuple[Certificate, ...] = ()
    sealed_by: str = ""
    held: str = ""
    needs_operator: str = ""
    revoked: int = 0
    closed_at: datetime | None = None
    driver: DriverRecord = DriverRecord(opened=True)

    @property
    def subject(self) -> Subject:
        """The subject that it is."""
        return Subject(LOAN_CLOSURE, self.loan_id)

    def leg(self, kind: LegKind) -> Leg | None:
        """A leg of its present course."""
        return next((leg for leg in self.legs if leg.kind is kind), None)

    def of_reference(self, reference: str) -> Leg | None:
        """The leg whose last request has a reference."""
        named = (leg for leg in self.legs if leg.reference)
        return next((leg for leg in named if leg.reference == reference), None)

    def with_leg(self, leg: Leg) -> "LoanClosure":
        """The closure with one of its legs replaced."""
        legs = tuple(leg if known.kind is leg.kind else known for known in self.legs)
        return replace(self, legs=legs)

    @property
    def undone(self) -> tuple[Leg, ...]:
        """The legs of which something is missing."""
        return tuple(leg for leg in self.legs if not leg.is_over)

    @property
    def certificate(self) -> Certificate | None:
        """The certificate that stands, if one does."""
        return next((one for one in self.certificates if one.revoked_at is None), None)


def reference_of(closure: LoanClosure, kind: LegKind, tries: int) -> str:
    """The reference of a leg's request: letters and digits, by what is asked for alone."""
    named = (LOAN_CLOSURE, closure.loan_id, closure.generation, kind.value, tries)
    digest = bytes.fromhex(canonical.digest(named))
    return "LC" + base64.b32encode(digest).decode()[: REFERENCE_LETTERS - 2]


def in_words(legs: Iterable[Leg]) -> str:
    """Legs with their states, for a journal."""
    return ", ".join(f"{leg.kind} {leg.state}" for leg in legs)
