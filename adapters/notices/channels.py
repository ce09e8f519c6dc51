"""One sender for all channels."""

from typing import assert_never

from ports.notices import Channel, Notice, Notices, NotSent, Sent


class ChannelNotices:
    """Implements `ports.notices.Notices` by handing each notice to its channel's sender.

    A channel without a sender (None) answers that the notice was not sent, so that the next channel
    of the product follows.
    """

    def __init__(self, email: Notices | None, sms: Notices | None) -> None:
        self._email = email
        self._sms = sms

    async def send(self, message: Notice) -> Sent | NotSent:
        """See the port."""
        sender = self._sender(message.channel)
        if sender is None:
            reason = f"{message.channel}_not_configured"
            return NotSent(message.message_id, reason, retryable=False)
        return await sender.send(message)

    def _sender(self, channel: Channel) -> Notices | None:
        match channel:
            case "email":
                return self._email
            case "sms":
                return self._sms
            case _:
                assert_never(channel)


class TokenContacts:
    """Contacts for a sandbox, where a token is its own address and no real person is behind it."""

    def __init__(self, mail_domain: str) -> None:
        self._mail_domain = mail_domain

    async def address(self, token: str, channel: Channel) -> str | None:
        """The token itself, or `token@domain` for e-mail; None for a token no address can hold."""
        if not token or not all(letter.isalnum() or letter in "._-" for letter in token):
            return None
        return token if channel == "sms" else f"{token}@{self._mail_domain}"
