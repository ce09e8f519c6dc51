"""The authority to debit a payer's account: its terms, and the root that loans share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from domain.debit.outcome import OutcomeClass
from domain.kernel.canonical import ADDED_LATER
from domain.kernel.lifecycle import move, table
from domain.kernel.subject import Subject

MANDATE = "mandate"
"""The kind of the subject; its key is the mandate's reference."""
LOANS_MOST = 200
"""Loans under one mandate: as many as one transaction changes."""


BARRING = frozenset(
    {
        OutcomeClass.ACCOUNT,
        OutcomeClass.MANDATE,
        OutcomeClass.DECEASED,
        OutcomeClass.DISPUTE,
    }
)
"""Reasons of a refusal or a return that are about the authority, the account or the payer, and not
about one debit: whatever is debited under the mandate next would be refused as well."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The hard refusal, or return, of one order, after which nothing is debited under a mandate."""

    outcome_class: OutcomeClass
    code: str
    order_no: str

    @property
    def of_account(self) -> bool:
        """Whether it is about the account, whatever mandate it is debited under."""
        return self.outcome_class is OutcomeClass.ACCOUNT

    @property
    def of_payer(self) -> bool:
        """Whether it is about the payer, whatever account and mandate are used."""
        return self.outcome_class is OutcomeClass.DECEASED

    def __str__(self) -> str:
        """The reason in words."""
        return f"{self.outcome_class} {self.code}".strip() + f" of order {self.order_no}"


@dataclass(frozen=True, slots=True)
class Mandate:
    """What the payer agreed to: payee, account, cap in minor units per debit, term.

    `account_token` stands for the account in a vault outside; the number itself never enters here.
    `bars` are why nothing may be debited under it for now: of each class the first that was
    reported, in the order of their coming. `cleared_at`: when people have ended bars of it last.
    """

    ref: str
    rail: str
    merchant_id: str
    account_token: str
    valid_from: date
    valid_to: date | None = None
    cap_minor: int | None = None
    attempts_max: int | None = None
    ended_on: date | None = None
    bars: tuple[Bar, ...] = field(default=(), metadata=ADDED_LATER)
    cleared_at: datetime | None = field(default=None, metadata=ADDED_LATER)

    @property
    def bar(self) -> Bar | None:
        """The first of the bars; None: debits may go out."""
        return self.bars[0] if self.bars else None

    def allows(self, day: date) -> bool:
        """Whether a debit value-dated `day` is within the mandate's term."""
        if day < self.valid_from or (self.valid_to is not None and day > self.valid_to):
            return False
        return self.ended_on is None or day < self.ended_on


class MandateState(StrEnum):
    """Where a mandate stands."""

    ACTIVE = "ACTIVE"
    """Debits may go out under it within its term."""
    ENDED = "ENDED"
    """No debit is value-dated on or after `ended_on`.

    An ended mandate never becomes active again.
    """


class MandateEvent(StrEnum):
    """What can happen to a mandate."""

    REGISTERED = "mandate_registered"
    JOINED = "mandate_joined"
    """A loan came under it. This event, LEFT and APPLIED change no state."""
    LEFT = "mandate_left"
    APPLIED = "mandate_applied"
    """The terms that a loan keeps of its mandate have changed."""
    BARRED = "mandate_barred"
    """A hard refusal: nothing is debited under it until a person clears it. No state is left."""
    CLEARED = "mandate_cleared"
    ENDED = "mandate_ended"


_S, _E = MandateState, MandateEvent
MANDATE_MOVES: Mapping[tuple[MandateState, MandateEvent], MandateState] = table(
    [((_S.ACTIVE, _S.ENDED), _E.ENDED, _S.ENDED)]
)
"""A mandate that has ended ends again when it is known to have ended on an earlier day."""


@dataclass(frozen=True, slots=True)
class MandateRoot:
    """A mandate as the books hold and lock it; each loan under it keeps a copy of its terms.

    `payer` is who gave it, `loans` how many loans are under it. `code` and `source` say why and by
    whom it was reported as ended; empty before.
    """

    terms: Mandate
    payer: str
    loans: int = 0
    version: int = 0
    state: MandateState = MandateState.ACTIVE
    code: str = ""
    source: str = ""

    @property
    def ref(self) -> str:
        """The reference that the rail knows it by."""
        return self.terms.ref

    @property
    def subject(self) -> Subject:
        """Its name in the journal."""
        return Subject(MANDATE, self.ref)

    def ended(self, day: date, code: str, source: str) -> "MandateRoot":
        """The mandate once it has ended on a day; the earliest day that is known counts."""
        known = self.terms.ended_on
        first = day if known is None else min(day, known)
        state = move(MANDATE_MOVES, self.state, MandateEvent.ENDED)
        terms = replace(self.terms, ended_on=first)
        return replace(self, terms=terms, state=state, code=code, source=source)
