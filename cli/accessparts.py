"""What the commands about persons, keys and approvals share."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.access.person import Grant
    from ports.access import AccessEvent

ByOption = Annotated[str, typer.Option("--actor", help="Who does it: an id, never a name.")]
PersonArgument = Annotated[str, typer.Argument(metavar="PERSON", help="The id of a person.")]
GrantsOption = Annotated[
    list[str] | None,
    typer.Option("--role", help="ROLE or ROLE@PORTFOLIO; repeat it. Without one: everywhere."),
]
_SECRET_MOST = 200


def read_grants(texts: Sequence[str]) -> tuple[Grant, ...]:
    """Roles as they are typed, `ROLE` or `ROLE@PORTFOLIO`.

    Raises:
        InvalidInput: no such role, or no name of a portfolio.
    """
    from domain.access.person import EVERYWHERE, Grant, Role, check_portfolio  # noqa: PLC0415

    found = []
    for text in texts:
        role, _, portfolio = text.partition("@")
        if role not in set(Role):
            raise InvalidInput("role", role, f"one of {', '.join(Role)}")
        found.append(Grant(Role(role), check_portfolio(portfolio or EVERYWHERE)))
    return tuple(found)


def grant_text(grant: Grant) -> str:
    """A role as it is typed."""
    return f"{grant.role}@{grant.portfolio}"


def changed(at: datetime, who: str, what: str, about: str) -> AccessEvent:
    """The line of the log about a change of rights.

    Raises:
        InvalidInput: nobody is named.
    """
    from ports.access import AccessEvent  # noqa: PLC0415

    if not who.strip():
        raise InvalidInput("actor", "", "who does it: an id, never a name")
    return AccessEvent(at, who.strip(), "cli", what, about, "changed")


def ask_secret(label: str) -> str:
    """A secret from the terminal without showing it, or a line of standard input.

    It is never an argument: other users of the machine see those.

    Raises:
        InvalidInput: nothing was given.
    """
    if sys.stdin.isatty():
        found = getpass.getpass(f"{label}: ")
    else:
        found = sys.stdin.readline(_SECRET_MOST).rstrip("\r\n")
    if not found:
        raise InvalidInput(label, "", "given on the terminal, or as a line of standard input")
    return found
