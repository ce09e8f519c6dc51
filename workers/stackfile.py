"""Keeps a record of the stack used last, so that other commands find it: `stack.json` in the home.

It holds addresses and paths only. Secrets lie beside it in `secrets.json`, readable by its owner
alone.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from pydantic import TypeAdapter, ValidationError

from adapters.inputfile import read_text
from domain.errors import InvalidInput

STACK_FILE = "stack.json"
SECRETS_FILE = "secrets.json"
VERSION = 1
_MOST_BYTES = 1024 * 1024
_SQLITE = "sqlite+aiosqlite:///"
_MEANING = "%?#"
"""Characters that mean something else in an address; `%` comes first, for it escapes the others."""


def file_url(path: Path) -> str:
    """The address of books in a SQLite file, whatever characters its path holds."""
    text = str(path.absolute())
    for char in _MEANING:
        text = text.replace(char, quote(char))
    return f"{_SQLITE}{text}"


@dataclass(frozen=True, slots=True)
class RailRecord:
    """A rail of a stack: its kind, how it knows us, and its base addresses by the kind's names."""

    kind: str
    merchant_id: str
    addresses: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """Where the parts of a stack are.

    Attributes:
        mode: sandbox (virtual clock, simulated bank) or production.
        database_url: SQLAlchemy URL of the books; its password is kept with the secrets.
        simulator_url: the simulator that plays the bank, its rails and the carrier of messages.
        rails: every rail by name; without addresses in a copy.
        smtp: `host:port` of the mail server, if any.
        logs: log file of each part, by the part's name.
        secrets: never written to `stack.json`.
        home: absolute path of the folder that this stack was started in.
        copied_from: that folder, when the record was read in another one; never written.
    """

    mode: Literal["sandbox", "production"]
    database_url: str
    temporal_address: str
    temporal_namespace: str = "default"
    temporal_ui: str | None = None
    simulator_url: str | None = None
    rails: dict[str, RailRecord] = field(default_factory=dict)
    smtp: str | None = None
    started_at: str = ""
    home: str = ""
    copied_from: str = ""
    logs: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def must_be_of_this_home(self) -> None:
        """Refuse to use the servers of a stack whose home this one was copied from.

        Raises:
            InvalidInput: the record was read in a copy.
        """
        if self.copied_from:
            rule = "a stack of this home, which is a copy: start one here with `acquit up`"
            raise InvalidInput("stack", self.copied_from, rule)


def write_stack(home: Path, record: StackRecord) -> None:
    """Remember a stack in `home`; each file is replaced whole or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    content = asdict(record)
    secrets = dict(content.pop("secrets"))
    content.pop("copied_from")
    password = urlsplit(record.database_url).password
    if password:
        secrets["database_url"] = record.database_url
        content["database_url"] = _without_password(record.database_url)
    _replace(home / SECRETS_FILE, secrets, mode=0o600)
    _replace(home / STACK_FILE, {"version": VERSION, **content}, mode=0o644)


def read_stack(home: Path) -> StackRecord | None:
    """The stack used last in `home`, secrets included; None when there was none.

    A home that was copied or moved keeps its own books, and knows no servers: those of the record
    belong to the folder that it was copied from.

    Raises:
        InvalidInput: the file is damaged, or of a later version.
    """
    path = home / STACK_FILE
    if not os.path.lexists(path):
        return None
    content = _load(path)
    if content.pop("version", None) != VERSION:
        raise InvalidInput(str(path), "version", f"version {VERSION}; remove the file to go on")
    secrets_path = home / SECRETS_FILE
    secrets = _load(secrets_path) if os.path.lexists(secrets_path) else {}
    database_url = secrets.pop("database_url", content.get("database_url"))
    known = {item.name for item in fields(StackRecord)}
    content = {name: value for name, value in content.items() if name in known}
    content = {**content, "database_url": database_url, "secrets": secrets}
    try:
        record = TypeAdapter(StackRecord).validate_python(content)
    except ValidationError as error:
        wrong = ", ".join(sorted({str(fault["loc"][0]) for fault in error.errors()}))
        raise InvalidInput(str(path), wrong, "written by `acquit up`; remove the file") from None
    return record if record.home in {"", str(home.resolve())} else _of_a_copy(record, home)


def _of_a_copy(record: StackRecord, home: Path) -> StackRecord:
    """A record as it holds in another folder than its own."""
    url = record.database_url
    file = Path(unquote(url.removeprefix(_SQLITE)))
    if url.startswith(_SQLITE) and file.parent.resolve() == Path(record.home):
        url = file_url(home.resolve() / file.name)
    rails = {name: replace(rail, addresses={}) for name, rail in record.rails.items()}
    return replace(
        record,
        database_url=url,
        simulator_url=None,
        rails=rails,
        smtp=None,
        copied_from=record.home,
    )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{user}{parts.hostname or ''}{port}"))


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path, _MOST_BYTES))
    except (ValueError, RecursionError):
        raise InvalidInput(str(path), "content", "JSON; remove the file to go on") from None
    if not isinstance(content, dict):
        raise InvalidInput(str(path), "content", "one JSON object")
    return content


def _replace(path: Path, content: dict[str, Any], mode: int) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    # Created with its final mode: a secret must not be readable even for a moment.
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as output:
        json.dump(content, output, indent=2, sort_keys=True)
        output.write("\n")
    fresh.replace(path)
