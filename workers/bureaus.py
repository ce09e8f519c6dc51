"""Which bureaus and others are told about loans here, by the file of `ACQUIT_BUREAUS`.

    [bureaus.bureau-1]
    url = "https://bureau.example"
    client_id = "lender-7"
    secret_file = "bureau-1.secret"

Products name them as channels of legs (`[[closing.legs]]`). A sandbox has those of the simulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from adapters.bureaus.http import HttpBureau
from adapters.rails.http import RailHttp
from adapters.rails.simbank.calls import SimbankCalls
from adapters.refusals import SourceRefused
from adapters.validation import read_toml
from domain.errors import InvalidInput
from workers.secretfile import secret_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    from ports.bureaus import Bureau
    from ports.clock import Clock
    from workers.rails import RailEntry
    from workers.settings import Settings

BUREAUS_MOST = 50
SIMULATED = ("bureau-1", "guarantor-1")
"""Whom a sandbox can tell: the simulator plays both."""
_FILE_MOST_BYTES = 64 * 1024
_BANK, _BUREAU = "/bank", "/bureau"
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]


class BureauLogin(BaseModel):
    """One table of the file, with its secret read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s@]{1,1000}$")]
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")]
    secret_file: Annotated[str, Field(min_length=1, max_length=4096)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bureaus: Annotated[dict[_Name, BureauLogin], Field(min_length=1, max_length=BUREAUS_MOST)]


async def open_bureaus(
    settings: Settings, registry: Mapping[str, RailEntry], clock: Clock, closing: AsyncExitStack
) -> Mapping[str, Bureau]:
    """Whoever can be told about loans, by name; closed with `closing`.

    Raises:
        SourceRefused: the file, or one that it names, breaks rules.
    """
    opened: dict[str, Bureau] = {}
    logins = _simulated(registry) if settings.bureaus is None else read_bureaus(settings.bureaus)
    for name, (url, client_id, secret) in logins.items():
        http = await closing.enter_async_context(RailHttp(url))
        opened[name] = HttpBureau(SimbankCalls(http, {client_id: secret}, clock.now), client_id)
    return opened


def read_bureaus(path: Path) -> dict[str, tuple[str, str, str]]:
    """Address, client and secret of each bureau of a file.

    Raises:
        SourceRefused: the file is none, or breaks rules; every fault by field, value and rule.
    """

    def checked(content: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
        read = _File.model_validate(content).bureaus
        found: dict[str, tuple[str, str, str]] = {}
        faults: list[InvalidInput] = []
        for name, login in sorted(read.items()):
            try:
                field = f"bureaus.{name}.secret_file"
                secret = secret_in(path.parent, field, login.secret_file)
            except InvalidInput as fault:
                faults.append(fault)
            else:
                found[name] = (login.url, login.client_id, secret)
        if faults:
            raise SourceRefused(str(path), faults)
        return found

    return read_toml(path, _FILE_MOST_BYTES, checked)


def _simulated(registry: Mapping[str, RailEntry]) -> dict[str, tuple[str, str, str]]:
    """Those of the simulator, where a rail of this installation is one of its own."""
    for url, client_id, secret in _banks(registry):
        return dict.fromkeys(SIMULATED, (url.removesuffix(_BANK) + _BUREAU, client_id, secret))
    return {}


def _banks(registry: Mapping[str, RailEntry]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(registry):
        entry = registry[name]
        if entry.login is not None and entry.of_kind.simulated:
            login = entry.login
            yield login.addresses["bank_url"], login.merchant_id, login.secrets["api_secret"]
