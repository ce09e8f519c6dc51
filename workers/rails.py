"""The registry of rails: which rails this installation has, by name, and how each is reached.

It comes from one of three sources, whole: the file that `ACQUIT_RAILS` names, else the record of
the stack that `acquit up` has started. Where neither names a rail, one of kind simbank is known
that nobody can reach, so that loans can be read and reckoned on a machine without any rail.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.inputfile import read_text, toml_tables
from adapters.rails.kind import RailKind, RailLogin
from adapters.rails.kinds import KINDS
from adapters.refusals import SourceRefused
from adapters.tapes.loan.loans import USUAL_MERCHANT, ClassOfCode
from adapters.tapes.report.unknowncodes import NearestCodes
from domain.debit.codes import CodeRow
from domain.debit.outcome import OutcomeClass
from domain.errors import InvalidInput
from domain.text import PLAIN_RULE, is_plain, shortened, visible
from workers.secretfile import secret_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from domain.debit.rail import RailProfile
    from workers.settings import Settings
    from workers.stackfile import StackRecord

USUAL_RAIL, USUAL_KIND = "simbank", "simbank"
"""The rail of a sandbox where nothing else is said."""
RAILS_MOST = 100
_FILE_MOST_BYTES = 256 * 1024
_SHOWN = 80
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_NAME_RULE = "1 to 32 of a-z, 0-9 and -, a letter first"
_RESERVED = "transfer"
_MERCHANT = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_ADDRESS_RULE = "http:// or https://, a host and no log-in, query or fragment"


@dataclass(frozen=True, slots=True)
class RailEntry:
    """One rail of this installation.

    Attributes:
        login: how to reach it; None where its source names no address, as in a copied home.
        source: where it is configured, for advice.
    """

    name: str
    kind: str
    login: RailLogin | None = None
    source: str = ""

    @property
    def of_kind(self) -> RailKind:
        """What holds for every rail of its kind."""
        return KINDS[self.kind]

    @property
    def profile(self) -> RailProfile:
        """What this rail can do and when."""
        return self.of_kind.profile_of(self.name)

    @property
    def merchant_id(self) -> str:
        """How the rail knows us."""
        return USUAL_MERCHANT if self.login is None else self.login.merchant_id

    def class_of(self, code: str, returned: bool) -> OutcomeClass:  # noqa: FBT001
        """The class of a code of its answers, or of the reason of a return."""
        return self.of_kind.class_of(code, returned)

    @property
    def url(self) -> str | None:
        """Base address that orders go to; None where it cannot be reached."""
        return None if self.login is None else self.login.addresses[self.of_kind.addresses[0]]


def rails_of(settings: Settings, record: StackRecord | None) -> dict[str, RailEntry]:
    """Every rail of this installation by name, in order of names.

    Raises:
        SourceRefused: the file breaks rules; every fault of it by field, value and rule.
        InvalidInput: the record of the stack lacks an address or a secret, or names another kind.
    """
    if settings.rails is not None:
        return read_rails(settings.rails)
    if record is not None and record.rails:
        return {name: _recorded(name, record) for name in sorted(record.rails)}
    return {USUAL_RAIL: RailEntry(USUAL_RAIL, USUAL_KIND)}


def read_rails(path: Path) -> dict[str, RailEntry]:
    """The rails that a file configures, each in a table `[rails.<name>]`, with their secrets.

    Files of secrets are named in the file, absolutely or from its own folder; one line end after a
    secret is no part of it.

    Raises:
        SourceRefused: the file is none, or breaks rules; every fault by field, value and rule.
    """
    content = _content(path)
    others = [visible(shortened(key, _SHOWN)) for key in content if key != "rails"]
    faults = [InvalidInput(key, "(not shown)", "no such field") for key in others]
    tables = content.get("rails", {})
    if not isinstance(tables, dict) or not 1 <= len(tables) <= RAILS_MOST:
        count = len(tables) if isinstance(tables, dict) else tables
        rule = f"1 to {RAILS_MOST} tables [rails.<name>]"
        raise SourceRefused(str(path), [*faults, InvalidInput("rails", count, rule)])
    found: dict[str, RailEntry] = {}
    for name in sorted(tables):
        table = _Table(path, name, tables[name])
        entry = table.entry()
        faults += table.faults
        if entry is not None:
            faults += _twins(entry, found)
            found[name] = entry
    if faults:
        raise SourceRefused(str(path), faults)
    return found


def _content(path: Path) -> dict[str, Any]:
    """The file as tables; a rail that stands twice is named, which the parser does not do well."""
    try:
        return toml_tables(path, _FILE_MOST_BYTES)
    except SourceRefused as refusal:
        if refusal.faults[0].field != "content":
            raise
        lines = (line.strip() for line in read_text(path, _FILE_MOST_BYTES).splitlines())
        counts = Counter(line for line in lines if line.startswith("[rails.") and line[-1] == "]")
        names = [line[len("[rails.") : -1] for line, count in counts.items() if count > 1]
        if not names:
            raise
        rule = "one table for each rail"
        faults = [InvalidInput(_field(name), shortened(name, _SHOWN), rule) for name in names]
        raise SourceRefused(str(path), faults[:RAILS_MOST]) from None


def _field(name: str, field: str = "") -> str:
    """A field of a rail's table, as faults name it: on one line, whatever the name holds."""
    return f"rails.{visible(shortened(name, _SHOWN))}{field}"


def _twins(entry: RailEntry, others: Mapping[str, RailEntry]) -> Iterator[InvalidInput]:
    """Two names for one rail: each order would have two places, its webhooks only one."""
    for other in others.values():
        if (entry.url, entry.merchant_id) == (other.url, other.merchant_id):
            field = _field(entry.name, f".{entry.of_kind.addresses[0]}")
            rule = f"an address, or a merchant, of its own: it is that of rails.{other.name}"
            yield InvalidInput(field, entry.url, rule)


def must_be_rail_name(field: str, name: str) -> None:
    """See that a rail may have this name: queues, addresses and accounts are called after it.

    Raises:
        InvalidInput: it may not.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(field, shortened(name, _SHOWN), _NAME_RULE)
    if name == _RESERVED:
        raise InvalidInput(field, name, "another name: transfers are cleared under this one")


class _Table:
    """One table of the file while it is read; `faults` are what is wrong with it."""

    def __init__(self, path: Path, name: str, content: object) -> None:
        self._path, self._name, self._content = path, name, content
        self._seen: set[str] = set()
        self.faults: list[InvalidInput] = []

    def entry(self) -> RailEntry | None:
        """The rail; None where its table breaks rules."""
        try:
            must_be_rail_name(_field(self._name), self._name)
        except InvalidInput as fault:
            self.faults.append(fault)
            return None
        if not isinstance(self._content, dict):
            self._fault("", self._content, "a table")
            return None
        word = self._text("kind")
        kind = KINDS.get(word)
        if kind is None:
            if word:
                self._fault(".kind", word, f"one of {', '.join(sorted(KINDS))}")
            return None
        merchant = self._text("merchant_id")
        if merchant and not _MERCHANT.fullmatch(merchant):
            self._fault(".merchant_id", merchant, "1 to 32 of A-Z, a-z, 0-9, _ and -")
        addresses = {name: self._address(name) for name in kind.addresses}
        secrets = {name: self._secret(f"{name}_file") for name in kind.secrets}
        for key in sorted(set(self._content) - self._seen):
            self._fault(f".{visible(shortened(key, _SHOWN))}", "(not shown)", "no such field")
        if self.faults:
            return None
        login = RailLogin(self._name, merchant, addresses, secrets)
        return RailEntry(self._name, word, login, f"[rails.{self._name}] of {self._path}")

    def _fault(self, field: str, value: object, rule: str) -> None:
        shown = shortened(value if isinstance(value, str) else repr(value), _SHOWN)
        self.faults.append(InvalidInput(_field(self._name, field), shown, rule))

    def _text(self, field: str) -> str:
        """A text of the table; empty where it is missing, which is a fault."""
        self._seen.add(field)
        value = self._content.get(field) if isinstance(self._content, dict) else None
        if isinstance(value, str) and value and is_plain(value):
            return value
        self._fault(f".{field}", "" if value is None else value, f"must be given, as {PLAIN_RULE}")
        return ""

    def _address(self, field: str) -> str:
        """A base address; what is wrong with it is said without a log-in that it may hold."""
        value = self._text(field)
        try:
            parts = urlsplit(value)
            fits = parts.scheme in {"http", "https"} and bool(parts.hostname)
            fits = fits and parts.port != 0 and not (parts.query or parts.fragment)
            fits = fits and "@" not in parts.netloc
        except ValueError:
            fits = False
        if value and not fits:
            self._fault(f".{field}", value if "@" not in value else "(not shown)", _ADDRESS_RULE)
        return value.rstrip("/")

    def _secret(self, field: str) -> str:
        """The content of the file that a field names."""
        name = self._text(field)
        if not name:
            return ""
        try:
            return secret_in(self._path.parent, f".{field}", name)
        except InvalidInput as error:
            self._fault(f".{field}", name, error.rule)
            return ""


def merchants_of(registry: Mapping[str, RailEntry]) -> Mapping[str, str]:
    """How each rail knows us."""
    return {name: entry.merchant_id for name, entry in registry.items()}


def classes_of(registry: Mapping[str, RailEntry]) -> ClassOfCode:
    """What the codes of each rail mean; those of a rail that is not here are not known."""

    def class_of(rail: str, code: str, returned: bool) -> OutcomeClass:  # noqa: FBT001
        entry = registry.get(rail)
        return OutcomeClass.UNKNOWN_CODE if entry is None else entry.class_of(code, returned)

    return class_of


def secret_name(rail: str, secret: str) -> str:
    """The name under which the record of a stack keeps a rail's secret."""
    return f"rails.{rail}.{secret}"


def _recorded(name: str, record: StackRecord) -> RailEntry:
    """A rail of the stack that was used last."""
    rail = record.rails[name]
    kind = KINDS.get(rail.kind)
    if kind is None:
        field, rule = f"stack.json/rails/{name}", f"one of {', '.join(sorted(KINDS))}"
        raise InvalidInput(field, rail.kind, f"{rule}; start the stack again")
    if not rail.addresses:
        return RailEntry(name, rail.kind)
    for address in kind.addresses:
        if not rail.addresses.get(address):
            field = f"stack.json/rails/{name}/{address}"
            raise InvalidInput(field, "", "must be there; start the stack again")
    secrets = {}
    for secret in kind.secrets:
        value = record.secrets.get(secret_name(name, secret))
        if not value:
            field = f"secrets.json/{secret_name(name, secret)}"
            raise InvalidInput(field, "", "must be there; start the stack again")
        secrets[secret] = value
    login = RailLogin(name, rail.merchant_id, rail.addresses, secrets)
    return RailEntry(name, rail.kind, login, "the stack: start it again with `acquit up`")


def nearest_of(registry: Mapping[str, RailEntry]) -> NearestCodes:
    """The codes of each rail that are most like one that it does not have."""

    def nearest(rail: str, code: str, returned: bool) -> tuple[CodeRow, ...]:  # noqa: FBT001
        entry = registry.get(rail)
        return () if entry is None else entry.of_kind.nearest(code, returned)

    return nearest
