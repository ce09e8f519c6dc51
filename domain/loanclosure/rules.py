"""Which legs the closure of a loan needs, who does each, and by when: said by the product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from domain.errors import InvalidInput


class LegKind(StrEnum):
    """The legs of a closure, and those that take them back once money went back."""

    STOP_CHARGES = "stop_charges"
    """Interest and penalty end at the value date of the money that paid the last of the debt."""
    END_MANDATE = "end_mandate"
    """The authority to debit ends at the rail."""
    STOP_COLLECTION = "stop_collection"
    """Nobody reminds or collects any more; an agency gives the loan back."""
    RELEASE_GUARANTOR = "release_guarantor"
    """The guarantor learns that the guarantee has ended."""
    TELL_BUREAU = "tell_bureau"
    """The credit bureau learns that the loan is settled."""
    ISSUE_CERTIFICATE = "issue_certificate"
    """The borrower gets a signed certificate of settlement."""
    TELL_BORROWER = "tell_borrower"
    """The borrower is told that nothing is owed any more."""
    REVOKE_CERTIFICATE = "revoke_certificate"
    """The certificate says no more what is true."""
    CORRECT_BUREAU = "correct_bureau"
    """The credit bureau learns that the loan is not settled."""
    RECALL_GUARANTOR = "recall_guarantor"
    """The guarantor learns that the guarantee has not ended."""
    TELL_REVOKED = "tell_revoked"
    """The borrower is told that a payment went back and the loan is open again."""


_K = LegKind
TAKEN_BACK_BY: Mapping[LegKind, LegKind] = {
    _K.ISSUE_CERTIFICATE: _K.REVOKE_CERTIFICATE,
    _K.TELL_BUREAU: _K.CORRECT_BUREAU,
    _K.RELEASE_GUARANTOR: _K.RECALL_GUARANTOR,
    _K.TELL_BORROWER: _K.TELL_REVOKED,
}
"""By which leg each of some is taken back; the others are undone by what reopens the loan."""
TAKES_BACK: Mapping[LegKind, LegKind] = {back: leg for leg, back in TAKEN_BACK_BY.items()}
FORWARD = tuple(kind for kind in LegKind if kind not in TAKES_BACK)
"""The legs that a product may ask for, in the order in which they are shown."""


class DoneBy(StrEnum):
    """Who does a leg."""

    BOOKS = "books"
    """The books, in the commit that begins it."""
    RAIL = "rail"
    """The rail of the loan."""
    CHANNEL = "channel"
    """A counterparty that is asked, such as a bureau."""
    ISSUER = "issuer"
    """Whoever signs certificates here."""
    NOTICE = "notice"
    """A carrier of messages to borrowers."""
    HAND = "hand"
    """A person, who says what proves it."""


_ALWAYS: Mapping[LegKind, DoneBy] = {
    _K.STOP_CHARGES: DoneBy.BOOKS,
    _K.END_MANDATE: DoneBy.RAIL,
    _K.ISSUE_CERTIFICATE: DoneBy.ISSUER,
    _K.REVOKE_CERTIFICATE: DoneBy.BOOKS,
    _K.TELL_BORROWER: DoneBy.NOTICE,
    _K.TELL_REVOKED: DoneBy.NOTICE,
}
_WITHOUT_CHANNEL: Mapping[LegKind, DoneBy] = {_K.STOP_COLLECTION: DoneBy.BOOKS}


@dataclass(frozen=True, slots=True)
class LegRule:
    """How one leg is done.

    Attributes:
        within: by when it is to be done, counted from the beginning of the leg.
        channel: name of the counterparty that is asked, where it is one.
        tries: how often a machine asks at most, where the reason of a rejection allows it.
        channels: over which the borrower is told, the next one where one fails.
    """

    within: timedelta
    channel: str = ""
    tries: int = 3
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosingRules:
    """What the closure of a loan of a product needs. Legs that are not named are not needed.

    Attributes:
        seals: a signed head of the ledger must cover the closure before it is final.
    """

    legs: Mapping[LegKind, LegRule] = field(default_factory=dict)
    seals: bool = False

    def __post_init__(self) -> None:
        for kind, rule in self.legs.items():
            if broken := _broken(kind, rule):
                raise InvalidInput(f"closing.{kind}", "", broken)

    def rule(self, kind: LegKind) -> LegRule:
        """The rule of a leg; one that takes another back follows the rule of that one."""
        return self.legs[TAKES_BACK.get(kind, kind)]

    def done_by(self, kind: LegKind) -> DoneBy:
        """Who does a leg."""
        if (always := _ALWAYS.get(kind)) is not None:
            return always
        if self.rule(kind).channel:
            return DoneBy.CHANNEL
        return _WITHOUT_CHANNEL.get(kind, DoneBy.HAND)


def _broken(kind: LegKind, rule: LegRule) -> str:
    """What is wrong with the rule of a leg; empty where nothing is."""
    if kind in TAKES_BACK:
        return f"it follows {TAKES_BACK[kind]} by itself"
    if rule.within <= timedelta(0) or rule.tries < 1:
        return "within and tries are more than zero"
    if (kind is _K.TELL_BORROWER) != bool(rule.channels):
        return "channels are of tell_borrower, which names at least one"
    if rule.channel and kind in _ALWAYS:
        return "no counterparty is asked"
    return "" if rule.channel or kind is not _K.TELL_BUREAU else "a bureau is named as channel"
