"""Sends notices to the addresses behind their tokens, each message id once per process.

Across restarts the books decide whether a notice was sent; this closes the gap between two tries
that meet in one process, which a mail server would take as two messages.
"""

import asyncio
import hashlib
import json
from abc import ABC, abstractmethod
from collections import OrderedDict

from adapters.notices.wording import NoWording, Wording
from domain.errors import Conflict
from ports.notices import Contacts, Notice, NotSent, Sent


class OnceNotices(ABC):
    """Implements `ports.notices.Notices` for a channel that a subclass hands its messages in to.

    The last `most` messages that were taken are remembered; failures are forgotten.
    """

    def __init__(self, contacts: Contacts, wording: Wording, most: int = 10_000) -> None:
        self._contacts, self._wording, self._most = contacts, wording, most
        self._sent: OrderedDict[str, tuple[str, Sent]] = OrderedDict()
        self._flying: dict[str, tuple[str, asyncio.Task[Sent | NotSent]]] = {}

    @abstractmethod
    async def _hand_in(self, notice: Notice, address: str) -> Sent | NotSent:
        """Put a notice into words and give it to the carrier; `NoWording` is answered for it."""

    async def send(self, message: Notice) -> Sent | NotSent:
        """Deliver, or answer what an earlier delivery of this id answered.

        A caller that is cancelled does not stop the delivery: its answer is still remembered.

        Raises:
            Conflict: the id belongs to a notice with another content.
        """
        content = _digest(message)
        known = self._sent.get(message.message_id)
        if known is not None:
            _same(message, known[0], content)
            return known[1]
        flying = self._flying.get(message.message_id)
        if flying is None:
            task = asyncio.ensure_future(self._remembered(message, content))
            self._flying[message.message_id] = content, task
        else:
            _same(message, flying[0], content)
            task = flying[1]
        return await asyncio.shield(task)

    async def _remembered(self, notice: Notice, content: str) -> Sent | NotSent:
        try:
            answer = await self._deliver(notice)
        finally:
            del self._flying[notice.message_id]
        if isinstance(answer, Sent):
            self._sent[notice.message_id] = content, answer
            while len(self._sent) > self._most:
                self._sent.popitem(last=False)
        return answer

    async def _deliver(self, notice: Notice) -> Sent | NotSent:
        address = await self._contacts.address(notice.to, notice.channel)
        if address is None:
            return NotSent(notice.message_id, "no_address", retryable=False)
        try:
            return await self._hand_in(notice, address)
        except NoWording as error:
            return NotSent(notice.message_id, error.reason, retryable=False)


def _same(notice: Notice, before: str, now: str) -> None:
    if before != now:
        raise Conflict(f"message {notice.message_id} was another notice before")


def _digest(notice: Notice) -> str:
    fields = [notice.channel, notice.to, notice.language, notice.template]
    text = json.dumps([*fields, sorted(notice.values.items())], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
