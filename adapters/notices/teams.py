"""Delivers the outbox's messages about cases to the teams that have them."""

from collections.abc import Mapping

import structlog

from adapters.notices.dispatcher import NotTaken
from adapters.payloads import read_payload
from domain.case.notice import CASE_NOTICE
from ports.notices import Channel, Notice, Notices, NotSent
from ports.outbox import OutboxRow

_log = structlog.get_logger(__name__)
Addresses = Mapping[str, tuple[str, ...]]


class TeamContacts:
    """Implements `ports.notices.Contacts`: `owner/n` is the n-th address of an owner, from 0."""

    def __init__(self, addresses: Addresses) -> None:
        self._tokens = {
            f"{owner}/{number}": address
            for owner, found in addresses.items()
            for number, address in enumerate(found)
        }

    async def address(self, token: str, channel: Channel) -> str | None:
        """The address behind a token, or None."""
        return self._tokens.get(token) if channel == "email" else None


class TeamDispatcher:
    """Sends a message about a case to each address of its owner, by e-mail.

    One that is delivered again is not sent again to whom the carrier has taken it for; after a
    restart it has the same Message-ID. What a carrier refuses for good is logged.

    Args:
        notices: the carrier; its contacts are `TeamContacts` of the same addresses.
        addresses: of each owner.
        sender: name and contact of the lender.
    """

    topic = CASE_NOTICE.name

    def __init__(self, notices: Notices, addresses: Addresses, sender: Mapping[str, str]) -> None:
        self._notices, self._addresses, self._sender = notices, addresses, sender

    async def deliver(self, row: OutboxRow) -> None:
        """Send one message.

        Raises:
            NotTaken: an address has not been served yet: try again later.
        """
        body = read_payload(CASE_NOTICE, row.body)
        later = ""
        for number in range(len(self._addresses.get(body.to, ()))):
            said = await self._notices.send(
                Notice(
                    message_id=f"{body.message_id}/{number}",
                    channel="email",
                    to=f"{body.to}/{number}",
                    language="en",
                    template="case",
                    values={**self._sender, **body.values},
                )
            )
            if not isinstance(said, NotSent):
                continue
            if said.retryable:
                later = said.reason
            else:
                _log.error("case_notice_not_sent", message_id=body.message_id, reason=said.reason)
        if later:
            raise NotTaken(later)
