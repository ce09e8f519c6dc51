"""Delivers the outbox's messages to borrowers."""

from collections.abc import Mapping

from pydantic import TypeAdapter

from adapters.payloads import read_payload
from domain.kernel.command import Actor
from domain.loan.agenda import reminder_bar
from domain.loan.aggregate import NoticeState
from domain.loan.closingnotice import TEMPLATES
from domain.loan.closingnotice import bar as closing_bar
from domain.loan.commands import RecordDeliveryReport
from domain.loan.notice import NOTICE, QueuedNotice
from ports.books import Books
from ports.clock import Clock
from ports.driverqueries import DriverQueries
from ports.notices import Notice, Notices, NotSent
from ports.outbox import OutboxRow

_NOTICE = TypeAdapter(Notice)


class NotTaken(Exception):
    """The carrier did not take a message for now: it is tried again."""


class NoticeDispatcher:
    """Sends a queued message if the reminder is still allowed and its hours have not ended.

    Otherwise the books record it as failed, so that the next channel follows. So a message that we
    delayed is not sent in quiet hours, and none is sent to a borrower who has paid since it was
    queued, or whom we may no longer contact. One that the books have as ended is left alone: the
    next channel has followed it.

    Args:
        sender: name and contact of the lender, shown in every message.
    """

    topic = NOTICE.name

    def __init__(
        self,
        notices: Notices,
        books: Books,
        queries: DriverQueries,
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
        body = read_payload(NOTICE, row.body)
        if await self._has_ended(body):
            return
        if self._clock.now() >= body.not_after:
            await self._failed(body, "too late for today")
            return
        if bar := await self._bar(body):
            await self._failed(body, f"not sent: {bar}")
            return
        notice = _NOTICE.validate_python(
            {
                "message_id": body.message_id,
                "channel": body.channel,
                "to": body.to,
                "language": body.language,
                "template": body.template,
                "values": {**self._sender, **body.values},
            }
        )
        said = await self._notices.send(notice)
        if isinstance(said, NotSent):
            if said.retryable:
                raise NotTaken(said.reason)
            await self._failed(body, said.reason)

    async def _has_ended(self, body: QueuedNotice) -> bool:
        """Whether the books know already what became of it."""
        loan = await self._queries.loan(body.values["loan"])
        items = () if loan is None else loan.installments
        known = (notice for item in items for notice in item.notices)
        ended = (one for one in known if one.message_id == body.message_id)
        return any(one.state is not NoticeState.QUEUED for one in ended)

    async def _bar(self, body: QueuedNotice) -> str:
        """Why a message may not be sent any more; empty when it may."""
        loan = await self._queries.loan(body.values["loan"])
        if loan is None:
            return ""
        if body.template in TEMPLATES.values():
            return closing_bar(loan, body.message_id)
        item = loan.installment(int(body.values["installment"]))
        if item.due_on.isoformat() != body.values["due_on"]:
            return f"the due date has moved to {item.due_on}"
        return reminder_bar(loan, item)

    async def _failed(self, body: QueuedNotice, reason: str) -> None:
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
