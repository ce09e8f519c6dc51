"""The legs with which the closure of a loan begins, and those with which it is taken back."""

from dataclasses import replace
from datetime import date, datetime

from domain.loanclosure.certificate import Certificate
from domain.loanclosure.closure import Leg, LoanClosure
from domain.loanclosure.lifecycle import LEG_OUT, LegState
from domain.loanclosure.rules import FORWARD, TAKEN_BACK_BY, ClosingRules, DoneBy, LegKind

_TOLD = LEG_OUT | {LegState.DONE}
"""States of a leg in which whoever does it may know that the loan is settled."""


def begun(rules: ClosingRules, value_on: date, at: datetime) -> tuple[Leg, ...]:
    """The legs of a closure as it begins; what the books do themselves is done at once."""
    proofs = {
        LegKind.STOP_CHARGES: f"no charge after {value_on}",
        LegKind.STOP_COLLECTION: "no order is out and no reminder may leave",
    }
    legs = []
    for kind in FORWARD:
        if kind not in rules.legs:
            legs.append(Leg(kind, LegState.NOT_NEEDED, at, at))
        elif rules.done_by(kind) is DoneBy.BOOKS:
            legs.append(Leg(kind, LegState.DONE, at, at, proof=proofs[kind]))
        else:
            legs.append(_pending(kind, rules, at))
    return tuple(legs)


def taken_back(
    known: LoanClosure, rules: ClosingRules, at: datetime
) -> tuple[tuple[Leg, ...], tuple[Certificate, ...]]:
    """The legs that take a closure back, and its certificates, of which none stands any more."""
    why = "a payment went back, or its proof was undone"
    legs = []
    for leg in known.legs:
        back = TAKEN_BACK_BY.get(leg.kind)
        if back is None or leg.state not in _TOLD:
            continue
        if rules.done_by(back) is DoneBy.BOOKS:
            if known.certificate is not None:
                proof = f"certificate {known.certificate.code} revoked"
                legs.append(Leg(back, LegState.DONE, at, at, proof=proof))
        else:
            legs.append(_pending(back, rules, at))
    certificates = tuple(
        one if one.revoked_at is not None else replace(one, revoked_at=at, why=why)
        for one in known.certificates
    )
    return tuple(legs), certificates


def _pending(kind: LegKind, rules: ClosingRules, at: datetime) -> Leg:
    """A leg that is to be done; one that tells the borrower has its time from its first message."""
    told = rules.done_by(kind) is DoneBy.NOTICE
    due_at = None if told else at + rules.rule(kind).within
    return Leg(kind, LegState.PENDING, at, at, due_at)
