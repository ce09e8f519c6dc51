"""Keys of programs: made once, kept as a digest, with scopes and an end.

A key reads `acq_ID_SECRET`. The secret has 256 random bits, so that its SHA-256 cannot be searched
for and needs no slow hash.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.access.person import Person
from domain.access.rights import NEVER_BY_KEY, Allowed, Denied, Right, may, portfolios
from domain.errors import InvalidInput

LONGEST = timedelta(days=400)
"""A key ends at the latest so long after it was made."""
OVERLAP = timedelta(days=7)
"""How long a key that was rotated holds beside the new one, at most."""
_KEY = re.compile(r"acq_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: everything but its secret.

    Attributes:
        digest: SHA-256 of the secret, in hexadecimal.
        scopes: what it may be used for, as far as its person has the right.
        ends_at: when it ends by itself. `revoked_at`: when somebody ended it.
    """

    id: str
    person: str
    digest: str
    scopes: frozenset[Right]
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it proves its person at an instant."""
        return self.revoked_at is None and at < self.ends_at

    def proves(self, secret: str) -> bool:
        """Whether the secret is its own; takes the same time whatever is wrong."""
        return hmac.compare_digest(self.digest, secret_digest(secret))


def key_text(key_id: str, secret: str) -> str:
    """The key as its person gets it, once."""
    return f"acq_{key_id}_{secret}"


def parts_of(text: str) -> tuple[str, str] | None:
    """Id and secret of a key as it was sent; None where it cannot be one."""
    found = _KEY.fullmatch(text)
    return (found[1], found[2]) if found else None


def secret_digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key(
    key_id: str, secret: str, person: Person, scopes: frozenset[Right], made_at: datetime, days: int
) -> ApiKey:
    """A key for a person.

    Raises:
        InvalidInput: the person is disabled or has no such right, a scope that no key gives, or an
            end that is out of range.
    """
    if not person.is_active:
        raise InvalidInput("person", person.id, "an active person")
    if not scopes:
        raise InvalidInput("scopes", "", "at least one right")
    for scope in sorted(scopes):
        if scope in NEVER_BY_KEY:
            raise InvalidInput("scopes", str(scope), "a right that a key may give")
        if not portfolios(person, scope):
            raise InvalidInput("scopes", str(scope), "a right of the person")
    if not 1 <= days <= LONGEST.days:
        raise InvalidInput("days", days, f"1 to {LONGEST.days}")
    ends_at = made_at + timedelta(days=days)
    return ApiKey(key_id, person.id, secret_digest(secret), scopes, made_at, ends_at)


def rotated(old: ApiKey, at: datetime, overlap: timedelta) -> ApiKey:
    """The old key beside its successor: it ends after `overlap`, or when it would have ended.

    Raises:
        InvalidInput: it has ended already, or the overlap is out of range.
    """
    if not old.is_live(at):
        raise InvalidInput("key", old.id, "a key that has not ended")
    if not timedelta() <= overlap <= OVERLAP:
        raise InvalidInput("overlap", str(overlap), f"0 to {OVERLAP.days} days")
    return replace(old, ends_at=min(old.ends_at, at + overlap))


def key_may(
    key: ApiKey, person: Person, right: Right, portfolio: str, at: datetime
) -> Allowed | Denied:
    """Whether the holder of a key may do something: the key must be for it, and the person too."""
    if not key.is_live(at):
        return Denied("key.ended", f"key {key.id} has ended")
    if right in NEVER_BY_KEY:
        return Denied("key.never", f"no key may {right}: a person must be present")
    if right not in key.scopes:
        return Denied("key.scope", f"key {key.id} is not for {right}")
    return may(person, right, portfolio)
