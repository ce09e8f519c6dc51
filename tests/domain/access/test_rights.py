"""Rights: one table, deny by default, roles that nobody holds together."""

from dataclasses import replace
from itertools import product

import pytest

from domain.access.person import (
    APART,
    EVERYWHERE,
    Grant,
    Person,
    PersonKind,
    PersonState,
    Role,
    check_grants,
    check_person_id,
    check_portfolio,
)
from domain.access.rights import NEVER_BY_KEY, RIGHTS, Allowed, Denied, Right, may, portfolios
from domain.errors import InvalidInput

EXPECTED = {
    Role.VIEWER: "read_loans read_cases",
    Role.OPERATOR: "read_loans read_cases read_money read_payouts read_statements read_books"
    " read_events order order_cases bring_statements",
    Role.APPROVER: "read_loans read_cases read_money read_payouts read_statements approve",
    Role.AUDITOR: "read_loans read_cases read_money read_payouts read_statements read_books"
    " read_events read_access",
    Role.SERVICE: "read_loans read_money read_statements read_events board order bring_statements",
    Role.BORROWER: "",
    Role.ADMIN: "read_access manage_access",
}


@pytest.mark.parametrize(("role", "right"), list(product(Role, Right)))
def test_each_role_may_do_what_is_written_down_and_nothing_else(role: Role, right: Right) -> None:
    """Every pair of role and right, in its portfolio, in another one, everywhere, and disabled."""
    held = right in EXPECTED[role].split()
    somebody = Person("p", grants=(Grant(role, "north"),))
    here, there = may(somebody, right, "north"), may(somebody, right, "south")
    assert isinstance(here, Allowed) is held
    assert isinstance(there, Denied)
    assert there.rule == ("portfolio.other" if held else "role.none")
    assert isinstance(may(somebody, right, EVERYWHERE), Denied)
    assert portfolios(somebody, right) == (frozenset({"north"}) if held else frozenset())
    anywhere = Person("p", grants=(Grant(role), Grant(role, "north")))
    assert isinstance(may(anywhere, right, EVERYWHERE), Allowed) is held
    assert isinstance(may(anywhere, right, "south"), Allowed) is held
    assert portfolios(anywhere, right) == (frozenset({EVERYWHERE}) if held else frozenset())
    gone = replace(anywhere, state=PersonState.DISABLED)
    assert may(gone, right, "north") == Denied("person.disabled", "p is disabled")
    assert portfolios(gone, right) == frozenset()


def test_nobody_may_anything_by_default() -> None:
    """A person without roles is denied every right."""
    denied = {may(Person("p"), right, "main") for right in Right}
    assert {one.rule for one in denied if isinstance(one, Denied)} == {"role.none"}
    assert set(RIGHTS) == set(Role)


APART_PAIRS = {
    *(frozenset({Role.ADMIN, other}) for other in Role if other is not Role.ADMIN),
    *(frozenset({Role.SERVICE, other}) for other in Role if other is not Role.SERVICE),
    *(frozenset({Role.BORROWER, other}) for other in Role if other is not Role.BORROWER),
    frozenset({Role.AUDITOR, Role.OPERATOR}),
    frozenset({Role.AUDITOR, Role.APPROVER}),
}


@pytest.mark.parametrize(
    ("one", "other"), [(one, other) for one, other in product(Role, Role) if one < other]
)
def test_roles_that_may_not_be_held_together_are_refused(one: Role, other: Role) -> None:
    """In whatever portfolios they are, and with the reason."""
    grants = (Grant(one, "north"), Grant(other, "south"))
    humans = {one, other} - {Role.SERVICE}
    if {one, other} in APART_PAIRS:
        with pytest.raises(InvalidInput, match=r"not held together|that a human may hold"):
            check_grants(PersonKind.HUMAN, grants)
    else:
        assert len(humans) == 2
        check_grants(PersonKind.HUMAN, grants)


def test_no_program_approves_and_no_human_is_a_service() -> None:
    """What a program may hold is a list of its own."""
    for role in (Role.APPROVER, Role.OPERATOR, Role.ADMIN, Role.BORROWER):
        with pytest.raises(InvalidInput, match="that a program may hold"):
            check_grants(PersonKind.PROGRAM, (Grant(role),))
    with pytest.raises(InvalidInput, match="that a human may hold"):
        check_grants(PersonKind.HUMAN, (Grant(Role.SERVICE),))
    check_grants(PersonKind.PROGRAM, (Grant(Role.SERVICE), Grant(Role.SERVICE, "north")))
    with pytest.raises(InvalidInput, match="a program upstream is no person"):
        check_grants(PersonKind.PROGRAM, (Grant(Role.SERVICE), Grant(Role.VIEWER)))
    assert all(why for _, _, why in APART)
    assert not any(NEVER_BY_KEY & RIGHTS[role] for role in (Role.SERVICE, Role.VIEWER))


def test_roles_of_a_person_are_those_of_its_grants() -> None:
    """One role in two portfolios is one role."""
    found = Person("p", grants=(Grant(Role.VIEWER, "north"), Grant(Role.VIEWER, "south")))
    assert found.roles == {Role.VIEWER}


@pytest.mark.parametrize("text", ["", "A", "-a", "a b", "a" * 61, "a/b", "*"])
def test_ids_of_persons_are_plain(text: str) -> None:
    """An id is no name, no path and no pattern."""
    with pytest.raises(InvalidInput, match="person"):
        check_person_id(text)
    assert check_person_id("ops-7") == "ops-7"


def test_portfolios_are_plain_or_all_of_them() -> None:
    """`*` is all of them; anything else is an id."""
    assert check_portfolio(EVERYWHERE) == EVERYWHERE
    assert check_portfolio("north") == "north"
    with pytest.raises(InvalidInput, match="portfolio"):
        check_portfolio("North")
