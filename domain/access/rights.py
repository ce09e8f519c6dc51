"""What each role may do, in one table; whatever it does not hold is denied."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.access.person import EVERYWHERE, Person, Role


class Right(StrEnum):
    """One thing that somebody may be allowed to do."""

    READ_LOANS = "read_loans"
    """Loans, installments, their schedules, stories and attempts."""
    READ_MONEY = "read_money"
    """Payments and the way of their money."""
    READ_CASES = "read_cases"
    READ_PAYOUTS = "read_payouts"
    READ_STATEMENTS = "read_statements"
    READ_BOOKS = "read_books"
    """Balances, checkpoints and proofs of the whole ledger."""
    READ_EVENTS = "read_events"
    READ_ACCESS = "read_access"
    """Persons, keys and the log of refusals and changed rights."""
    BOARD = "board"
    """Put loans on the books."""
    ORDER = "order"
    """Give orders on installments, mandates and payouts."""
    ORDER_CASES = "order_cases"
    BRING_STATEMENTS = "bring_statements"
    APPROVE = "approve"
    """Agree to an order of somebody else, or refuse it."""
    MANAGE_ACCESS = "manage_access"
    """Add and disable persons, give and take roles and keys."""


_R = Right
_LOOK = frozenset({_R.READ_LOANS, _R.READ_CASES})
_READ = frozenset(right for right in Right if right.startswith("read_"))
RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.VIEWER: _LOOK,
        Role.OPERATOR: _LOOK
        | {
            _R.READ_MONEY,
            _R.READ_PAYOUTS,
            _R.READ_STATEMENTS,
            _R.READ_BOOKS,
            _R.READ_EVENTS,
            _R.ORDER,
            _R.ORDER_CASES,
            _R.BRING_STATEMENTS,
        },
        Role.APPROVER: _LOOK | {_R.READ_MONEY, _R.READ_PAYOUTS, _R.READ_STATEMENTS, _R.APPROVE},
        Role.AUDITOR: _READ,
        Role.SERVICE: frozenset(
            {
                _R.READ_LOANS,
                _R.READ_MONEY,
                _R.READ_STATEMENTS,
                _R.READ_EVENTS,
                _R.BOARD,
                _R.ORDER,
                _R.BRING_STATEMENTS,
            }
        ),
        Role.BORROWER: frozenset(),
        Role.ADMIN: frozenset({_R.READ_ACCESS, _R.MANAGE_ACCESS}),
    }
)
"""The rights of each role."""
NEVER_BY_KEY = frozenset({Right.APPROVE, Right.MANAGE_ACCESS})
"""What no key gives: a person is present for it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be done."""


@dataclass(frozen=True, slots=True)
class Denied:
    """It may not be done; `rule` names why, `reason` says it in words."""

    rule: str
    reason: str


ALLOWED = Allowed()


def may(person: Person, right: Right, portfolio: str) -> Allowed | Denied:
    """Whether a person may do something in a portfolio.

    Args:
        portfolio: of what it is done to; `EVERYWHERE` for what belongs to no single one, which
            needs a role that holds everywhere.
    """
    if not person.is_active:
        return Denied("person.disabled", f"{person.id} is disabled")
    holding = [grant for grant in person.grants if right in RIGHTS[grant.role]]
    if not holding:
        return Denied("role.none", f"no role of {person.id} may {right}")
    if not any(grant.covers(portfolio) for grant in holding):
        return Denied("portfolio.other", f"{person.id} may {right}, and not in this portfolio")
    return ALLOWED


def portfolios(person: Person, right: Right) -> frozenset[str]:
    """The portfolios in which a person has a right; `EVERYWHERE` alone where it is in all."""
    if not person.is_active:
        return frozenset()
    found = frozenset(grant.portfolio for grant in person.grants if right in RIGHTS[grant.role])
    return frozenset({EVERYWHERE}) if EVERYWHERE in found else found
