"""The settings of statement sources: where each bank account's files come from, and by when.

They come whole from the file that `ACQUIT_SOURCES` names. An account without a table there is
fetched from the bank that its rails settle on, where it has any, and else handed in; nothing is
expected of it by a certain hour.
"""

from __future__ import annotations

import os
import posixpath
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field

from adapters.calendars import load_calendar
from adapters.refusals import SourceRefused
from adapters.sources.folder import Folder
from adapters.validation import read_toml
from domain.errors import InvalidInput
from domain.statement.expected import AFTER_MOST, Expected
from domain.text import PLAIN_RULE, is_plain, shortened, visible
from workers.secretfile import secret_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.sources.sftp import Server
    from domain.ledger.bankaccount import BankAccount

SOURCES_MOST = 1000
NAME_MOST = 60
_FILE_MOST_BYTES = 1024 * 1024
_SHOWN = 80
_Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[_Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Settle = Annotated[int, Field(ge=1, le=86_400)]


class _Expected(BaseModel):
    """The table `[sources.<name>.expected]`."""

    model_config = ConfigDict(extra="forbid")

    calendar: str
    by: time
    timezone: str
    since: date
    after_days: Annotated[int, Field(ge=0, le=AFTER_MOST)] = 1
    weekdays: Annotated[list[_Day], Field(min_length=1, max_length=7)] = list(_DAYS)
    on_holidays: Annotated[bool, Field(strict=True)] = False


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    account: _Text
    expected: _Expected | None = None


class _Elsewhere(_Table):
    """Handed in, or fetched by way of a rail: only what is expected is said here."""

    kind: Literal["upload", "rail"]


class _Watched(_Table):
    done: _Text | None = None
    aside: _Text | None = None
    settle_s: _Settle = 60
    renamed_in: Annotated[bool, Field(strict=True)] = False

    @property
    def settled_after(self) -> float:
        return 0.0 if self.renamed_in else float(self.settle_s)


class _FolderTable(_Watched):
    kind: Literal["folder"]
    path: _Text


class _SftpTable(_Watched):
    kind: Literal["sftp"]
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9._@-]{1,120}$")]
    folder: _Text
    host_keys: Annotated[list[_Text], Field(min_length=1, max_length=10)]
    key_file: _Text | None = None
    password_file: _Text | None = None
    timeout_s: Annotated[int, Field(ge=1, le=600)] = 30


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sources: Annotated[
        dict[
            str,
            Annotated[_Elsewhere | _FolderTable | _SftpTable, Field(discriminator="kind")],
        ],
        Field(min_length=1, max_length=SOURCES_MOST),
    ]


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """Where the files of one account come from, and what is expected of them.

    `at` is a folder or a server; None where the files are handed in or come by way of a rail.
    """

    name: str
    account: str
    kind: str
    at: Folder | Server | None = None
    expected: Expected | None = None


def sources_of(path: Path | None, accounts: Mapping[str, BankAccount]) -> Mapping[str, SourceEntry]:
    """The sources of this installation by account; none where no file is named.

    Raises:
        SourceRefused: the file breaks rules; every fault of it by field, value and rule.
    """
    return {} if path is None else read_sources(path, accounts)


def read_sources(path: Path, accounts: Mapping[str, BankAccount]) -> Mapping[str, SourceEntry]:
    """The sources that a file configures, each in a table `[sources.<name>]`, by account.

    Files of secrets and folders are named absolutely or from the file's own folder; one line end
    after a secret is no part of it.

    Raises:
        SourceRefused: the file is none, or breaks rules; every fault by field, value and rule.
    """

    def checked(content: dict[str, Any]) -> dict[str, SourceEntry]:
        read = _File.model_validate(content).sources
        found: dict[str, SourceEntry] = {}
        faults: list[InvalidInput] = []
        for name in sorted(read):
            table = read[name]
            faults += _faults(name, table, accounts, found)
            try:
                found[table.account] = _entry(path.parent, name, table)
            except InvalidInput as fault:
                faults.append(fault)
        faults += _shared(found)
        if faults:
            raise SourceRefused(str(path), faults)
        return found

    return read_toml(path, _FILE_MOST_BYTES, checked)


def _faults(
    name: str,
    table: _Table,
    accounts: Mapping[str, BankAccount],
    others: Mapping[str, SourceEntry],
) -> Iterator[InvalidInput]:
    """The rules that one table breaks, besides those of single values."""
    field = _field(name)
    if not 1 <= len(name) <= NAME_MOST or not is_plain(name):
        yield InvalidInput(field, shortened(name, _SHOWN), f"1 to {NAME_MOST} of {PLAIN_RULE}")
    if table.account not in accounts:
        rule = "a registered account (docs/operations.md, section 3)"
        yield InvalidInput(f"{field}.account", shortened(table.account, _SHOWN), rule)
    if table.account in others:
        rule = f"an account of its own: sources.{others[table.account].name} has it"
        yield InvalidInput(f"{field}.account", shortened(table.account, _SHOWN), rule)
    if isinstance(table, _SftpTable) and (table.key_file is None) == (table.password_file is None):
        yield InvalidInput(f"{field}.key_file", "", "key_file or password_file, one of them")


def _shared(entries: Mapping[str, SourceEntry]) -> Iterator[InvalidInput]:
    """Folders that two sources watch, or that one watches and moves its own files into.

    A file in it would be taken again and again, or for two accounts.
    """
    watched: dict[tuple[str, ...], str] = {}
    for entry in entries.values():
        if (at := entry.at) is None:
            continue
        where = _place(at, None)
        if (holder := watched.setdefault(where, entry.name)) != entry.name:
            rule = f"a folder of its own: sources.{holder} watches it"
            yield InvalidInput(f"{_field(entry.name)}.folder", where[-1], rule)
    for entry in entries.values():
        for name in ("done", "aside"):
            to = None if entry.at is None else getattr(entry.at, name)
            if entry.at is None or to is None:
                continue
            other = watched.get(_place(entry.at, to))
            if other is not None:
                rule = f"a folder that is not watched: sources.{other} watches it"
                yield InvalidInput(f"{_field(entry.name)}.{name}", shortened(str(to), 80), rule)


def _place(at: Folder | Server, to: Path | str | None) -> tuple[str, ...]:
    """What names a folder of a machine, or of a user of a server; links and dots are resolved."""
    if isinstance(at, Folder):
        return ("", os.path.realpath(at.path if to is None else to))
    folder = at.folder if to is None else str(to)
    return (at.host.lower(), str(at.port), at.user, posixpath.normpath(folder))


def _field(name: str) -> str:
    return f"sources.{visible(shortened(name, _SHOWN))}"


def _entry(home: Path, name: str, table: _Elsewhere | _FolderTable | _SftpTable) -> SourceEntry:
    """The source of a table.

    Raises:
        InvalidInput: a key is none, a secret cannot be read, or a time zone is not known.
    """
    field = _field(name)
    at: Folder | Server | None = None
    if isinstance(table, _FolderTable):
        at = Folder(
            home / table.path,
            None if table.done is None else home / table.done,
            home / (table.aside or f"{table.path}.refused"),
            table.settled_after,
        )
    elif isinstance(table, _SftpTable):
        at = _server(home, field, table)
    expected = _expected(field, table)
    return SourceEntry(name, table.account, table.kind, at, expected)


def _server(home: Path, field: str, table: _SftpTable) -> Server:
    from adapters.sources.sftp import (  # noqa: PLC0415  (loads the library)
        Server,
        must_be_private_key,
        must_be_public_key,
    )

    for number, text in enumerate(table.host_keys, start=1):
        must_be_public_key(f"{field}.host_keys[{number}]", text)
    key = _secret(home, f"{field}.key_file", table.key_file)
    if key is not None:
        must_be_private_key(f"{field}.key_file", key)
    return Server(
        table.host,
        table.port,
        table.user,
        tuple(table.host_keys),
        table.folder,
        key,
        _secret(home, f"{field}.password_file", table.password_file),
        table.done,
        table.aside,
        float(table.timeout_s),
        table.settled_after,
    )


def _secret(home: Path, field: str, name: str | None) -> str | None:
    """The content of the file that a field names."""
    return None if name is None else secret_in(home, field, name)


def _expected(field: str, table: _Table) -> Expected | None:
    said = table.expected
    if said is None:
        return None
    try:
        ZoneInfo(said.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        rule = "a name of the IANA time zone database"
        shown = shortened(said.timezone, _SHOWN)
        raise InvalidInput(f"{field}.expected.timezone", shown, rule) from None
    if said.by.tzinfo is not None:
        raise InvalidInput(f"{field}.expected.by", str(said.by), "a local time without offset")
    try:
        calendar = load_calendar(said.calendar)
    except InvalidInput as fault:
        shown = shortened(said.calendar, _SHOWN)
        raise InvalidInput(f"{field}.expected.calendar", shown, fault.rule) from None
    weekdays = frozenset(_DAYS.index(day) for day in said.weekdays)
    return Expected(
        table.account,
        calendar,
        said.by,
        said.timezone,
        said.since,
        said.after_days,
        weekdays,
        said.on_holidays,
    )


def secrets_of(path: Path) -> list[str]:
    """Every secret that the files named in a file of sources hold, whatever else is wrong there.

    Raises:
        SourceRefused: the file is none.
    """

    def found(content: dict[str, Any]) -> list[str]:
        tables = content.get("sources", {})
        names = [
            table.get(field)
            for table in (tables.values() if isinstance(tables, dict) else ())
            if isinstance(table, dict)
            for field in ("key_file", "password_file")
        ]
        secrets = []
        for name in names:
            with suppress(InvalidInput, OSError):
                secret = _secret(path.parent, "", name if isinstance(name, str) else None)
                secrets.append(secret or "")
        return [secret for secret in secrets if secret]

    return read_toml(path, _FILE_MOST_BYTES, found)
