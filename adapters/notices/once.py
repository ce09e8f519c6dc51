"""Sends each message id once per process, however often and however concurrently it is asked for.

Across restarts the books decide whether a notice was sent; this closes the gap between two tries
that meet in one process, which a mail server would take as two messages.
"""

import asyncio
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from domain.errors import Conflict
from ports.notices import Notice, NotSent, Sent


class Once:
    """Remembers the last `most` messages that were taken; failures are forgotten."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._sent: OrderedDict[str, tuple[str, Sent]] = OrderedDict()
        self._flying: dict[str, tuple[str, asyncio.Task[Sent | NotSent]]] = {}

    async def send(
        self, notice: Notice, deliver: Callable[[Notice], Awaitable[Sent | NotSent]]
    ) -> Sent | NotSent:
        """Deliver, or answer what an earlier delivery of this id answered.

        A caller that is cancelled does not stop the delivery: its answer is still remembered.

        Raises:
            Conflict: the id belongs to a notice with another content.
        """
        content = _digest(notice)
        known = self._sent.get(notice.message_id)
        if known is not None:
            _same(notice, known[0], content)
            return known[1]
        flying = self._flying.get(notice.message_id)
        if flying is None:
            task = asyncio.ensure_future(self._deliver(notice, content, deliver))
            self._flying[notice.message_id] = content, task
        else:
            _same(notice, flying[0], content)
            task = flying[1]
        return await asyncio.shield(task)

    async def _deliver(
        self,
        notice: Notice,
        content: str,
        deliver: Callable[[Notice], Awaitable[Sent | NotSent]],
    ) -> Sent | NotSent:
        try:
            answer = await deliver(notice)
        finally:
            del self._flying[notice.message_id]
        if isinstance(answer, Sent):
            self._sent[notice.message_id] = content, answer
            while len(self._sent) > self._most:
                self._sent.popitem(last=False)
        return answer


def _same(notice: Notice, before: str, now: str) -> None:
    if before != now:
        raise Conflict(f"message {notice.message_id} was another notice before")


def _digest(notice: Notice) -> str:
    fields = [notice.channel, notice.to, notice.language, notice.template]
    text = json.dumps([*fields, sorted(notice.values.items())], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
