"""What every part of the simulator shares: state, time, calendar, seed, profile, settings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from simulator.clock import BankDays, Clock
from simulator.profiles import QUIET, Profile
from simulator.store import Store

SETTINGS = ("webhook_url", "webhook_secret", "api_secret", "sms_secret", "merchant_id")


class Mismatch(ValueError):
    """The database belongs to a run with another seed or profile."""


@dataclass(slots=True)
class World:
    """One simulated world; everything that must survive a kill is in `db`."""

    db: Store
    days: BankDays
    seed: int
    profile: Profile
    clock: Clock = field(default_factory=Clock)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
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

    def setting(self, name: str) -> str:
        """Return one of SETTINGS, empty where it is not set."""
        return self._settings[name]

    def configure(self, name: str, value: str) -> None:
        """Keep one of SETTINGS."""
        self.db.put(name, value)
        self._settings[name] = value

    @property
    def rates(self) -> Profile:
        """Return the profile in force: the chosen one, or the quiet one after calm."""
        return QUIET if self._calm else self.profile

    def calm_down(self) -> None:
        """End every fault from now on, also after a restart."""
        self.db.put("calm", "1")
        self._calm = True
