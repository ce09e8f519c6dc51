"""Who calls: a person proven by its key, and what it may do; what it may not is written down."""

from dataclasses import dataclass
from datetime import datetime

from domain.access.apikey import ApiKey, key_may, parts_of
from domain.access.person import EVERYWHERE, Person
from domain.access.rights import Allowed, Denied, Right, portfolios
from domain.kernel.command import Actor
from ports.access import AccessEvent, AccessLog, Persons
from ports.clock import Clock

_SCHEME = "bearer "
_HEADER_MOST = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """A person with the key by which it came in."""

    person: Person
    key: ApiKey

    @property
    def actor(self) -> Actor:
        """The actor of its commands, which names the person and not the key."""
        return Actor("operator" if self.person.kind == "human" else "upstream", self.person.id)

    @property
    def door(self) -> str:
        """The beginning of the ids of its commands: nobody uses up the ids of another."""
        return f"api:{self.person.id}"

    def may(self, right: Right, portfolio: str, at: datetime) -> Allowed | Denied:
        """Whether it may do something in a portfolio."""
        return key_may(self.key, self.person, right, portfolio, at)

    def seen(self, right: Right) -> frozenset[str]:
        """The portfolios in which it has a right by this key."""
        return portfolios(self.person, right) if right in self.key.scopes else frozenset()


class Doorkeeper:
    """Proves callers, and writes down whom it turned away."""

    def __init__(self, persons: Persons, log: AccessLog, clock: Clock) -> None:
        self._persons, self._log, self._clock = persons, log, clock

    @property
    def now(self) -> datetime:
        """The wall's time: keys end by it, never by the clock of a sandbox."""
        return self._clock.now()

    async def caller(self, header: str) -> Caller | None:
        """The caller whose key the header carries; None where it proves nobody.

        A known key that is refused is written down; what is no key at all is not, or anybody could
        fill the log.
        """
        if len(header) > _HEADER_MOST or not header.lower().startswith(_SCHEME):
            return None
        parts = parts_of(header[len(_SCHEME) :].strip())
        found = None if parts is None else await self._persons.key(parts[0])
        if parts is None or found is None:
            return None
        key, person = found
        if not key.proves(parts[1]):
            await self.note(person.id, "log in", f"key {key.id}", "key.secret")
            return None
        if not key.is_live(self.now) or not person.is_active:
            rule = "person.disabled" if key.is_live(self.now) else "key.ended"
            await self.note(person.id, "log in", f"key {key.id}", rule)
            return None
        return Caller(person, key)

    async def note(self, who: str, what: str, about: str, rule: str) -> None:
        """Write down a refusal."""
        await self._log.record(AccessEvent(self.now, who, "api", what, about, "denied", rule))

    async def denies(
        self, caller: Caller, right: Right, portfolio: str | None, about: str
    ) -> Denied | None:
        """Why a caller may not do something to what is of a portfolio; None where it may.

        What is not there (None) and what is in a portfolio that it does not see are one answer.
        """
        found = caller.may(right, EVERYWHERE if portfolio is None else portfolio, self.now)
        if isinstance(found, Allowed) and portfolio is not None:
            return None
        denied = found if isinstance(found, Denied) else Denied("portfolio.other", "unknown")
        if denied.rule != "portfolio.other" or portfolio is not None:
            await self.note(caller.person.id, right, about, denied.rule)
        return denied
