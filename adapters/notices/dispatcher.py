"""Delivers the outbox's messages to borrowers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.kernel.command import Actor
from domain.loan.agenda import reminder_bar
from domain.loan.commands import RecordDeliveryReport
from ports.books import Books
from ports.clock import Clock
from ports.notices import Channel, Language, Notice, Notices, NotSent, Template
from ports.outbox import OutboxRow
from ports.queries import Queries


class NotTaken(Exception):
    """The carrier did not take a message for now: it is tried again."""


class _Body(BaseModel):
    """What the books write for a message; see `domain.loan.decide.driving`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message_id: str
    channel: Channel
    to: str
    language: Language
    template: Template
    values: Mapping[str, str]
    not_after: datetime


class NoticeDispatcher:
    """Sends a queued message if the reminder is still allowed and its hours have not ended.

    Otherwise the books record it as failed, so that the next channel follows. So a message that we
    delayed is not sent in quiet hours, and none is sent to a borrower who has paid since it was
    queued, or whom we may no longer contact.

    Args:
        sender: name and contact of the lender, shown in every message.
    """

    topic: Literal["notice"] = "notice"

    def __init__(
        self,
        notices: Notices,
        books: Books,
        queries: Queries,
        clock: Clock,
        sender: Mapping[str, str],
    ) -> None:
        self._notices, self._books, self._queries = notices, books, queries
        self._clock, self._sender = clock, sender

    async def deliver(self, row: OutboxRow) -> None:
        """Send one message.

        Raises:
            NotTaken: try again later.
        """
        body = _Body.model_validate(row.body)
        if self._clock.now() >= body.not_after:
            await self._failed(body, "too late for today")
            return
        if bar := await self._bar(body):
            await self._failed(body, f"not sent: {bar}")
            return
        notice = Notice(
            message_id=body.message_id,
            channel=body.channel,
            to=body.to,
            language=body.language,
            template=body.template,
            values={**self._sender, **body.values},
        )
        said = await self._notices.send(notice)
        if isinstance(said, NotSent):
            if said.retryable:
                raise NotTaken(said.reason)
            await self._failed(body, said.reason)

    async def _bar(self, body: _Body) -> str:
        """Why a message may not be sent any more; empty when it may."""
        loan = await self._queries.loan(body.values["loan"])
        if loan is None:
            return ""
        item = loan.installment(int(body.values["installment"]))
        if item.due_on.isoformat() != body.values["due_on"]:
            return f"the due date has moved to {item.due_on}"
        return reminder_bar(loan, item)

    async def _failed(self, body: _Body, reason: str) -> None:
        await self._books.apply(
            RecordDeliveryReport(
                id=f"notice/{body.message_id}/not-sent",
                actor=Actor("system", "notices"),
                reason=reason,
                message_id=body.message_id,
                channel=body.channel,
                delivered=False,
            )
        )
