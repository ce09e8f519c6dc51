"""A person with the roles that it holds, and which roles may not be held together.

A person is who acts: a human being or a program. Accounts, keys and logins belong to one person, so
that two accounts of one human never count as two people.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import InvalidInput

EVERYWHERE = "*"
"""In place of a portfolio: all of them, and what belongs to none."""
USUAL_PORTFOLIO = "main"
"""Of loans whose product was put into no other portfolio."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_ID_RULE = "1 to 60 characters: lower-case letters, digits and ._-, the first one no sign"


class Role(StrEnum):
    """What somebody does for the lender."""

    VIEWER = "viewer"
    """Looks at loans and cases."""
    OPERATOR = "operator"
    """Works on loans, cases and statements, and gives orders."""
    APPROVER = "approver"
    """Agrees to the orders of others, or refuses them."""
    AUDITOR = "auditor"
    """Looks at everything, and changes nothing."""
    SERVICE = "service"
    """A program upstream: boards loans, gives orders, brings statements."""
    BORROWER = "borrower"
    """Sees its own loans by the portal, and nothing here."""
    ADMIN = "admin"
    """Gives and takes roles and keys, and does nothing else."""


class PersonKind(StrEnum):
    """Whether a person is a human being."""

    HUMAN = "human"
    PROGRAM = "program"


class PersonState(StrEnum):
    """Whether a person may do anything at all."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One role in one portfolio, or in every one (`EVERYWHERE`)."""

    role: Role
    portfolio: str = EVERYWHERE

    def covers(self, portfolio: str) -> bool:
        """Whether it holds in a portfolio; what belongs to none asks for `EVERYWHERE`."""
        return self.portfolio in {EVERYWHERE, portfolio}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts, by an id that is never a name of a human being."""

    id: str
    kind: PersonKind = PersonKind.HUMAN
    state: PersonState = PersonState.ACTIVE
    grants: tuple[Grant, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether it may do anything."""
        return self.state is PersonState.ACTIVE

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that it holds anywhere."""
        return frozenset(grant.role for grant in self.grants)


APART: tuple[tuple[frozenset[Role], frozenset[Role], str], ...] = (
    (
        frozenset({Role.ADMIN}),
        frozenset(Role) - {Role.ADMIN},
        "who gives rights uses none",
    ),
    (
        frozenset({Role.AUDITOR}),
        frozenset({Role.OPERATOR, Role.APPROVER, Role.SERVICE, Role.BORROWER}),
        "who audits changes nothing",
    ),
    (
        frozenset({Role.SERVICE}),
        frozenset(Role) - {Role.SERVICE},
        "a program upstream is no person of the lender",
    ),
    (
        frozenset({Role.BORROWER}),
        frozenset(Role) - {Role.BORROWER},
        "a borrower does no work for the lender",
    ),
)
"""Roles that nobody holds together, in whatever portfolios, with the reason."""
_OF_KIND = {
    PersonKind.HUMAN: frozenset(Role) - {Role.SERVICE},
    PersonKind.PROGRAM: frozenset({Role.SERVICE, Role.VIEWER, Role.AUDITOR}),
}


def check_person_id(person_id: str) -> str:
    """The id of a person.

    Raises:
        InvalidInput: it is none.
    """
    if not _ID.fullmatch(person_id):
        raise InvalidInput("person", person_id[:60], _ID_RULE)
    return person_id


def check_portfolio(portfolio: str) -> str:
    """The name of a portfolio, or `EVERYWHERE`.

    Raises:
        InvalidInput: it is none.
    """
    if portfolio != EVERYWHERE and not _ID.fullmatch(portfolio):
        raise InvalidInput("portfolio", portfolio[:60], f"{EVERYWHERE}, or {_ID_RULE}")
    return portfolio


def check_grants(kind: PersonKind, grants: Iterable[Grant]) -> None:
    """Refuse roles that may not be held together, or not by such a person.

    Raises:
        InvalidInput: names the role and the reason.
    """
    for fault in _faults(kind, frozenset(grant.role for grant in grants)):
        raise fault


def _faults(kind: PersonKind, roles: frozenset[Role]) -> Iterator[InvalidInput]:
    for role in sorted(roles - _OF_KIND[kind]):
        allowed = ", ".join(sorted(_OF_KIND[kind]))
        yield InvalidInput("role", str(role), f"one that a {kind} may hold: {allowed}")
    for one, others, why in APART:
        if roles & one and (both := roles & others):
            rule = f"not held together with {', '.join(sorted(both))}: {why}"
            yield InvalidInput("role", str(min(roles & one)), rule)
