"""Persons, their logins and keys: implements `ports.access.Persons`."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.access.log import write_event
from adapters.sql.access.secrets import AccessSecrets
from adapters.sql.engine import is_postgres
from adapters.sql.read.looking import look
from adapters.sql.read.reader import Key, cut, page_of
from adapters.sql.schema.tables import api_keys, person_roles, persons
from domain.access.apikey import ApiKey
from domain.access.person import (
    Grant,
    Person,
    PersonKind,
    PersonState,
    Role,
    check_grants,
    check_person_id,
    check_portfolio,
)
from domain.access.rights import Denied, Right
from domain.access.totp import step_of
from domain.errors import InvalidInput
from ports.access import AccessEvent, NewLogin
from ports.paging import Page

FAILURES_MOST = 5
"""Failed logins in a row before the next one has to wait."""
WAIT_MOST = timedelta(minutes=15)
KEYS_MOST = 20
"""Live keys of one person."""
GRANTS_MOST = 50
_KEY: Key = ((persons.c.id, str),)
_LOGIN = Denied("login.refused", "person, password or code is wrong")


class SqlPersons:
    """Every change is one transaction with its line of the log."""

    def __init__(self, engine: AsyncEngine, kept: AccessSecrets) -> None:
        self._engine, self._secrets = engine, kept

    async def person(self, person_id: str) -> Person | None:
        """See the port."""
        async with look(self._engine) as conn:
            return await _person(conn, person_id)

    async def persons(self, after: str, limit: int) -> Page[Person]:
        """See the port."""
        page = page_of("persons", select(persons), _KEY, after, limit)
        async with look(self._engine) as conn:
            found = (await conn.execute(page)).fetchall()
            rows, cursor = cut("persons", found, len(_KEY), limit)
            ids = [row.id for row in rows]
            roles = await conn.execute(
                select(person_roles).where(person_roles.c.person.in_(ids)).order_by(*_ROLE_KEY)
            )
            granted: dict[str, list[Grant]] = {}
            for role in roles:
                granted.setdefault(role.person, []).append(_grant(role))
        return Page(tuple(_read(row, tuple(granted.get(row.id, ()))) for row in rows), cursor)

    async def add(self, person: Person, login: NewLogin | None, event: AccessEvent) -> None:
        """See the port."""
        check_person_id(person.id)
        _check(person.kind, person.grants)
        values = {
            "id": person.id,
            "kind": person.kind.value,
            "state": person.state.value,
            "added_at": event.at,
            "added_by": event.who,
            "password": "" if login is None else await self._secrets.hash(login.password),
            "second_factor": None if login is None else self._secrets.seal(login.second_factor),
            "code_step": -1,
            "failures": 0,
        }
        async with self._engine.begin() as conn:
            if await _person(conn, person.id) is not None:
                raise InvalidInput("person", person.id, "an id that is free")
            await conn.execute(insert(persons).values(**values))
            await _put_grants(conn, person.id, person.grants, event)
            await write_event(conn, event)

    async def change(
        self,
        person_id: str,
        event: AccessEvent,
        *,
        grants: tuple[Grant, ...] | None = None,
        state: PersonState | None = None,
    ) -> Person:
        """See the port."""
        async with self._engine.begin() as conn:
            known = await _person(conn, person_id, lock=is_postgres(self._engine))
            if known is None:
                raise InvalidInput("person", person_id, "a person that was added")
            if grants is not None:
                _check(known.kind, grants)
                await conn.execute(delete(person_roles).where(person_roles.c.person == person_id))
                await _put_grants(conn, person_id, grants, event)
            if state is not None:
                changed = update(persons).where(persons.c.id == person_id)
                await conn.execute(changed.values(state=state.value))
            await write_event(conn, event)
            found = await _person(conn, person_id)
        assert found is not None  # noqa: S101  (it was read and locked above)
        return found

    async def prove(
        self, person_id: str, password: str, code: str, at: datetime
    ) -> Person | Denied:
        """See the port."""
        async with look(self._engine) as conn:
            row = (await conn.execute(select(persons).where(persons.c.id == person_id))).first()
        matches = await self._secrets.matches("" if row is None else row.password, password)
        if row is None or not row.password:
            return _LOGIN
        async with self._engine.begin() as conn:
            person = await _person(conn, person_id, lock=is_postgres(self._engine))
            row = (await conn.execute(select(persons).where(persons.c.id == person_id))).one()
            if row.locked_until is not None and at < row.locked_until:
                return Denied("login.throttled", "too many failures; wait and try again")
            secret = self._secrets.unseal(row.second_factor)
            step = step_of(secret, code, at.timestamp(), row.code_step)
            known = update(persons).where(persons.c.id == person_id)
            if not matches or step is None or person is None:
                failures = row.failures + 1
                until = at + _wait(failures) if failures >= FAILURES_MOST else None
                await conn.execute(known.values(failures=failures, locked_until=until))
                return _LOGIN
            await conn.execute(known.values(failures=0, locked_until=None, code_step=step))
        if not person.is_active:
            return Denied("person.disabled", f"{person.id} is disabled")
        return person

    async def key(self, key_id: str) -> tuple[ApiKey, Person] | None:
        """See the port."""
        async with look(self._engine) as conn:
            row = (await conn.execute(select(api_keys).where(api_keys.c.id == key_id))).first()
            person = None if row is None else await _person(conn, row.person)
        return None if row is None or person is None else (_read_key(row), person)

    async def keys(self, person_id: str) -> tuple[ApiKey, ...]:
        """See the port."""
        mine = select(api_keys).where(api_keys.c.person == person_id)
        newest = mine.order_by(api_keys.c.made_at.desc(), api_keys.c.id).limit(1_000)
        async with look(self._engine) as conn:
            return tuple(_read_key(row) for row in await conn.execute(newest))

    async def keep_key(
        self, key: ApiKey, event: AccessEvent, replaces: ApiKey | None = None
    ) -> None:
        """See the port."""
        live = sum(one.is_live(event.at) for one in await self.keys(key.person))
        if live >= KEYS_MOST:
            raise InvalidInput("person", key.person, f"at most {KEYS_MOST} live keys")
        values = {
            "id": key.id,
            "person": key.person,
            "digest": key.digest,
            "scopes": " ".join(sorted(key.scopes)),
            "made_at": key.made_at,
            "made_by": event.who,
            "ends_at": key.ends_at,
        }
        async with self._engine.begin() as conn:
            await conn.execute(insert(api_keys).values(**values))
            if replaces is not None:
                old = update(api_keys).where(api_keys.c.id == replaces.id)
                await conn.execute(old.values(ends_at=replaces.ends_at))
            await write_event(conn, event)

    async def revoke(self, key_id: str, event: AccessEvent) -> None:
        """See the port."""
        live = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
        async with self._engine.begin() as conn:
            done = await conn.execute(update(api_keys).where(live).values(revoked_at=event.at))
            if not done.rowcount:
                raise InvalidInput("key", key_id, "the id of a key that was not revoked")
            await write_event(conn, event)


_ROLE_KEY = (person_roles.c.person, person_roles.c.role, person_roles.c.portfolio)


def _check(kind: PersonKind, grants: tuple[Grant, ...]) -> None:
    check_grants(kind, grants)
    if len(grants) > GRANTS_MOST:
        raise InvalidInput("role", len(grants), f"at most {GRANTS_MOST} roles")
    for grant in grants:
        check_portfolio(grant.portfolio)


async def _put_grants(
    conn: AsyncConnection, person_id: str, grants: tuple[Grant, ...], event: AccessEvent
) -> None:
    rows = [
        {
            "person": person_id,
            "role": grant.role.value,
            "portfolio": grant.portfolio,
            "given_at": event.at,
            "given_by": event.who,
        }
        for grant in sorted(set(grants))
    ]
    if rows:
        await conn.execute(insert(person_roles), rows)


async def _person(conn: AsyncConnection, person_id: str, *, lock: bool = False) -> Person | None:
    asked = select(persons).where(persons.c.id == person_id)
    row = (await conn.execute(asked.with_for_update() if lock else asked)).first()
    if row is None:
        return None
    mine = select(person_roles).where(person_roles.c.person == person_id).order_by(*_ROLE_KEY)
    return _read(row, tuple(_grant(role) for role in await conn.execute(mine)))


def _read(row: Row[Any], grants: tuple[Grant, ...]) -> Person:
    return Person(row.id, PersonKind(row.kind), PersonState(row.state), grants)


def _grant(row: Row[Any]) -> Grant:
    return Grant(Role(row.role), row.portfolio)


def _read_key(row: Row[Any]) -> ApiKey:
    scopes = frozenset(Right(name) for name in row.scopes.split())
    return ApiKey(row.id, row.person, row.digest, scopes, row.made_at, row.ends_at, row.revoked_at)


def _wait(failures: int) -> timedelta:
    """How long a login waits after so many failures: a minute, then twice as long each time."""
    doublings = min(failures - FAILURES_MOST, 10)
    return min(WAIT_MOST, timedelta(minutes=1 << doublings))
