"""Sign-off of a daily audit: who may answer for which result, and for one that is not clean."""

from dataclasses import dataclass
from datetime import date, datetime

from domain.errors import InvalidInput
from domain.text import PLAIN_RULE, is_plain

ROLES = frozenset({"audit", "finance", "reconciliation"})
"""Roles that may sign a day off."""
NAME_MOST, REASON_MOST = 120, 2_000


@dataclass(frozen=True, slots=True)
class AuditDay:
    """The result of one audit of a day.

    Attributes:
        run: which audit of the day, from 1.
        clean: no finding of the books themselves, and no unexplained difference.
        findings, unexplained: how many of each.
        digest: SHA-256 of everything that the audit found, which is what is signed off.
    """

    day: date
    run: int
    at: datetime
    clean: bool
    findings: int
    unexplained: int
    digest: str


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who answers for the result of an audit; `forced`: it was not clean, and two people agreed."""

    day: date
    run: int
    digest: str
    at: datetime
    role: str
    actor: str
    approver: str
    reason: str
    forced: bool


@dataclass(frozen=True, slots=True)
class SignOrder:
    """What somebody asks for who signs a day off. Ids of people, never their names."""

    role: str
    actor: str
    reason: str
    approver: str = ""
    force: bool = False


def signed_off(audited: AuditDay, order: SignOrder, at: datetime) -> SignOff:
    """The sign-off of a result.

    Raises:
        InvalidInput: the role may not sign; a name or the reason is none; the day is not clean and
            the order is not forced, or is forced by one person alone.
    """
    if order.role not in ROLES:
        raise InvalidInput("role", order.role, f"one of {', '.join(sorted(ROLES))}")
    _must_be_text("actor", order.actor, NAME_MOST)
    _must_be_text("reason", order.reason, REASON_MOST)
    if not audited.clean:
        found = f"{audited.findings} findings, {audited.unexplained} unexplained differences"
        if not order.force:
            raise InvalidInput("day", audited.day, f"a clean one; it has {found}; else --force")
        _must_be_text("approver", order.approver, NAME_MOST)
        if order.approver == order.actor:
            raise InvalidInput("approver", order.approver, "another person than the actor")
    return SignOff(
        audited.day,
        audited.run,
        audited.digest,
        at,
        order.role,
        order.actor,
        order.approver,
        order.reason,
        forced=not audited.clean,
    )


def _must_be_text(field: str, value: str, most: int) -> None:
    if not 0 < len(value.strip()) <= len(value) <= most:
        raise InvalidInput(field, value[:NAME_MOST], f"1 to {most} characters")
    if not is_plain(value):
        raise InvalidInput(field, "(not shown)", PLAIN_RULE)
