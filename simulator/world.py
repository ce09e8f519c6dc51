"""What every part of the simulator shares: state, time, calendar, seed, profile and settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TypeAlias

from simulator.clock import BankDays, Clock
from simulator.profiles import QUIET, Profile
from simulator.store import Store

SETTINGS = ("sms_secret",)
RAIL_SETTINGS = ("merchant_id", "api_secret", "webhook_url", "webhook_secret", "account")


class Mismatch(ValueError):
    """The database belongs to a run with another seed or profile."""


Happening: TypeAlias = Callable[["World", str, int], None]
"""Makes one event happen: the world, what it is about, and its instant."""


@dataclass(frozen=True, slots=True)
class RailSettings:
    """One rail: its merchant, the secrets shared with it, and where its money arrives.

    `account` is the stem of the bank accounts that the rail settles on, one for each currency;
    several rails may settle on the same.
    """

    name: str
    merchant_id: str = ""
    api_secret: str = field(default="", repr=False)
    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    account: str = "ACCT-FUNDER-1"


@dataclass(slots=True)
class World:
    """One simulated world; everything that must survive a kill is in `db`.

    `happen` makes what falls due happen, by kind of event.
    """

    db: Store
    days: BankDays
    seed: int
    profile: Profile
    happen: Mapping[str, Happening]
    clock: Clock = field(default_factory=Clock)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    rails: dict[str, RailSettings] = field(default_factory=dict)
    _settings: dict[str, str] = field(default_factory=dict)
    _calm: bool = False

    def open(self, offset_ms: int = 0) -> None:
        """Take up an earlier run of this database, or begin one; raise Mismatch for another's.

        A new database starts `offset_ms` milliseconds ahead of the wall.
        """
        with self.db.tx():
            if self.db.get("offset_ms") is None:
                self.db.put("offset_ms", str(offset_ms))
            for key, value in (("seed", str(self.seed)), ("profile", self.profile.name)):
                stored = self.db.get(key)
                if stored is None:
                    self.db.put(key, value)
                elif stored != value:
                    msg = f"the database was made with {key} {stored}, not {value}"
                    raise Mismatch(msg)
            self.clock.offset_ms = int(self.db.get("offset_ms") or 0)
            self._calm = self.db.get("calm") is not None
            self._settings = {name: self.db.get(name) or "" for name in SETTINGS}
            for row in self.db.all("SELECT * FROM rails ORDER BY name"):
                self.rails[row["name"]] = RailSettings(*row)

    def setting(self, name: str) -> str:
        """Return one of SETTINGS, empty where it is not set."""
        return self._settings[name]

    def configure(self, name: str, value: str) -> None:
        """Keep one of SETTINGS."""
        self.db.put(name, value)
        self._settings[name] = value

    def configure_rail(self, name: str, settings: dict[str, str]) -> None:
        """Keep any of RAIL_SETTINGS of a rail; one that is new begins with the others empty."""
        rail = replace(self.rails.get(name, RailSettings(name)), **settings)
        self.db.run("DELETE FROM rails WHERE name = ?", name)
        self.db.insert("rails", asdict(rail))
        self.rails[name] = rail

    @property
    def rates(self) -> Profile:
        """Return the profile in force: the chosen one, or the quiet one after calm."""
        return QUIET if self._calm else self.profile

    def calm_down(self) -> None:
        """End every fault from now on, also after a restart."""
        self.db.put("calm", "1")
        self._calm = True
