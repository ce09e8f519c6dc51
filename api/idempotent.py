"""Carries a write out once for each key of a caller, however often it is sent."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Header

from api.caller import Caller
from api.problems import Problem
from ports.clock import Clock
from ports.idempotency import AtWork, Held, IdempotencyKeys, OtherBody

T = TypeVar("T")
KEY_MOST = 80
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{1,80}$",
        description="A key of your own: the same request under it is carried out once.",
    ),
]


class Once:
    """Holds the key of a write while it is carried out."""

    def __init__(self, keys: IdempotencyKeys, clock: Clock) -> None:
        self._keys, self._clock = keys, clock

    async def do(
        self,
        caller: Caller,
        key: str | None,
        request: object,
        resource: str,
        work: Callable[[str], Awaitable[T]],
    ) -> T:
        """Carry `work` out under a key; it gets the key and finds again what it did before.

        What ends with a problem of the caller's gives the key back; what ends with one of ours
        leaves it held for a minute, for nobody knows how far it came.

        Raises:
            Problem: no key, a key of another request, or one that is at work.
        """
        if key is None:
            raise Problem("idempotency.missing", field="Idempotency-Key")
        who, digest = caller.person.id, digest_of(resource, request)
        match await self._keys.hold(who, key, digest, self._clock.now()):
            case OtherBody():
                raise Problem("idempotency.other_body", field="Idempotency-Key")
            case AtWork(seconds):
                raise Problem("idempotency.at_work", retry_after_s=seconds)
            case Held() as held:
                pass
        try:
            done = await work(key)
        except Problem as problem:
            if problem.code == "order.refused":  # an answer of the books, which keep it
                await self._keys.keep(who, key, held, resource, self._clock.now())
            elif problem.status < 500:
                await self._keys.give_back(who, key, held)
            raise
        await self._keys.keep(who, key, held, resource, self._clock.now())
        return done


def digest_of(resource: str, request: object) -> str:
    """SHA-256 of what is asked for; the order of fields makes no difference."""
    text = json.dumps([resource, request], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
