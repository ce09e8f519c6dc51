"""Persons with their roles and keys, portfolios, and the log of what was refused or changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access.apikey import ApiKey
from domain.access.person import Grant, Person, PersonState
from domain.access.rights import Denied
from ports.paging import Page


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """One line of the log: a refusal, a decision, or a change of rights.

    Attributes:
        who: the person, or what was said of one that is not proven.
        door: `api` or `cli`.
        what: the right, the endpoint or the change. `about`: the subject, person or key.
        outcome: `denied`, `changed` or `decided`. `rule`: that denied it.
    """

    at: datetime
    who: str
    door: str
    what: str
    about: str
    outcome: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class NewLogin:
    """What a person logs in with: shown once, kept as a hash and encrypted."""

    password: str
    second_factor: bytes


class Persons(Protocol):
    """Persons, their logins and their keys. Every change of them writes its line of the log."""

    async def person(self, person_id: str) -> Person | None:
        """One person."""
        ...

    async def persons(self, after: str, limit: int) -> Page[Person]:
        """All persons by their ids."""
        ...

    async def add(self, person: Person, login: NewLogin | None, event: AccessEvent) -> None:
        """Add a person.

        Raises:
            InvalidInput: the id is taken, or means the same as that of another person.
        """
        ...

    async def change(
        self,
        person_id: str,
        event: AccessEvent,
        *,
        grants: tuple[Grant, ...] | None = None,
        state: PersonState | None = None,
    ) -> Person:
        """Change the roles or the state of a person.

        Raises:
            InvalidInput: there is no such person, or roles that are not held together.
        """
        ...

    async def prove(
        self, person_id: str, password: str, code: str, at: datetime
    ) -> Person | Denied:
        """The person whose password and one-time code these are; a code is used once.

        After five failures in a row a login waits, longer each time. What was wrong is not said.
        """
        ...

    async def key(self, key_id: str) -> tuple[ApiKey, Person] | None:
        """A key with its person."""
        ...

    async def keys(self, person_id: str) -> tuple[ApiKey, ...]:
        """The keys of a person, the newest first, those that have ended as well."""
        ...

    async def keep_key(
        self, key: ApiKey, event: AccessEvent, replaces: ApiKey | None = None
    ) -> None:
        """Keep a new key; `replaces` is the one before it with the end that it has now.

        Raises:
            InvalidInput: the person has as many live keys as one may have.
        """
        ...

    async def revoke(self, key_id: str, event: AccessEvent) -> None:
        """End a key now.

        Raises:
            InvalidInput: there is none of this id.
        """
        ...


class Portfolios(Protocol):
    """Which portfolio a loan belongs to: that of its product."""

    async def of_loan(self, loan_id: str) -> str | None:
        """The portfolio of a loan; None if the books have no such loan."""
        ...

    async def of_product(self, product_id: str) -> str:
        """The portfolio of a product, without its version."""
        ...

    async def put(self, product_id: str, portfolio: str, event: AccessEvent) -> None:
        """Put a product, and so every loan of it, into a portfolio."""
        ...


class AccessLog(Protocol):
    """The log; lines are never changed and never removed."""

    async def record(self, event: AccessEvent) -> None:
        """Write one line."""
        ...

    async def events(self, after: str, limit: int) -> Page[AccessEvent]:
        """All lines, the oldest first."""
        ...
