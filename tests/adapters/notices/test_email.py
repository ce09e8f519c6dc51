"""E-mail notices against a real SMTP server in this process."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.notices.channels import ChannelNotices, TokenContacts
from adapters.notices.email import SmtpNotices, SmtpServer
from adapters.notices.wording import Wording
from domain.errors import Conflict
from ports.notices import Channel, Notice, NotSent, Sent

NOTICE = Notice(
    message_id="reminder/L-1:3",
    channel="email",
    to="payer-7",
    language="zh-CN",
    template="reminder",
    values={
        "lender": "某某消费金融",
        "loan": "L-1",
        "contact": "400-000-0000",
        "installment": "3",
        "amount_minor": "123456",
        "currency": "CNY",
        "due_on": "2026-02-05",
    },
)


@dataclass
class Mailbox:
    """Takes mail, or answers what it is set to answer."""

    rcpt: str | None = None
    data: str | None = None
    drop_after_data: bool = False
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name that the server asks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt is not None:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.data is not None:
            return self.data
        content = cast("bytes", envelope.content)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        if self.drop_after_data:
            cast("asyncio.Transport", server.transport).abort()
        return "250 taken"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(mailbox: Mailbox, unused_port: int) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=unused_port)
    controller.start()
    yield unused_port
    controller.stop()


def notices(port: int) -> SmtpNotices:
    server = SmtpServer("127.0.0.1", port, "Repayments <noreply@lender.example>", timeout_s=5)
    return SmtpNotices(server, TokenContacts("people.example"), Wording())


async def test_a_reminder_arrives_as_text_and_html_with_its_id(mailbox: Mailbox, port: int) -> None:
    """One mail, two alternatives of the same words, our id in the header that reports name."""
    assert await notices(port).send(NOTICE) == Sent("reminder/L-1:3")
    (mail,) = mailbox.mails
    assert mail["X-Message-Id"] == "reminder/L-1:3"
    assert mail["Message-ID"] == "<reminder/L-1=3@lender.example>"
    assert mail["To"] == "payer-7@people.example"
    assert mail["Subject"] == "还款提醒\uff1a第 3 期将于 2026年2月5日 到期"
    assert mail["Date"]
    plain = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    for body in (plain.get_content(), html.get_content()):
        assert "¥1,234.56" in body
        assert "2026年2月5日" in body


async def test_the_same_id_is_sent_once_however_often_it_is_asked(
    mailbox: Mailbox, port: int
) -> None:
    """Repeats, at the same time or later, answer what the first one answered."""
    sender = notices(port)
    answers = await asyncio.gather(*(sender.send(NOTICE) for _ in range(5)))
    answers.append(await sender.send(NOTICE))
    assert answers == [Sent("reminder/L-1:3")] * 6
    assert len(mailbox.mails) == 1


async def test_one_id_for_two_notices_is_a_conflict(mailbox: Mailbox, port: int) -> None:
    """An id that changes its content is a fault of the caller and sends nothing."""
    sender = notices(port)
    await sender.send(NOTICE)
    with pytest.raises(Conflict):
        await sender.send(replace(NOTICE, to="payer-8"))
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    ("answer", "reason", "retryable"),
    [
        ("550 no such person payer-7@people.example", "smtp_550", False),
        ("450 mailbox busy payer-7@people.example", "smtp_450", True),
    ],
)
async def test_a_refused_recipient_is_a_reason_without_the_address(
    mailbox: Mailbox, port: int, answer: str, reason: str, *, retryable: bool
) -> None:
    """The server's sentence names the address; our reason keeps only its number."""
    mailbox.rcpt = answer
    assert await notices(port).send(NOTICE) == NotSent(NOTICE.message_id, reason, retryable)


async def test_after_a_refusal_the_same_notice_may_be_tried_again(
    mailbox: Mailbox, port: int
) -> None:
    """What was not sent is not remembered as sent."""
    sender = notices(port)
    mailbox.data = "451 later"
    assert await sender.send(NOTICE) == NotSent(NOTICE.message_id, "smtp_451", retryable=True)
    mailbox.data = None
    assert await sender.send(NOTICE) == Sent(NOTICE.message_id)


async def test_a_lost_answer_counts_as_maybe_sent(mailbox: Mailbox, port: int) -> None:
    """The server took the mail and the line broke: it may be tried again, and may be a double."""
    mailbox.drop_after_data = True
    answer = await notices(port).send(NOTICE)
    assert answer == NotSent(NOTICE.message_id, "smtp_no_answer", retryable=True, maybe_sent=True)
    assert len(mailbox.mails) == 1


async def test_a_server_that_is_not_there_was_sent_nothing(unused_port: int) -> None:
    """No connection, no mail: certain, and worth another try."""
    answer = await notices(unused_port).send(NOTICE)
    assert answer == NotSent(NOTICE.message_id, "smtp_unreachable", retryable=True)


class NoContacts:
    """A payer who left no address."""

    async def address(self, token: str, channel: Channel) -> str | None:
        return None


async def test_without_an_address_or_a_value_nothing_is_sent(mailbox: Mailbox, port: int) -> None:
    """What cannot be sent is a value with its reason, and asks for no retry."""
    server = SmtpServer("127.0.0.1", port, "noreply@lender.example")
    nobody = SmtpNotices(server, NoContacts(), Wording())
    assert await nobody.send(NOTICE) == NotSent(NOTICE.message_id, "no_address", retryable=False)
    gap = replace(NOTICE, values={"lender": "x"})
    assert await notices(port).send(gap) == NotSent(gap.message_id, "value_missing", False)
    assert mailbox.mails == []


async def test_each_channel_has_its_own_sender(mailbox: Mailbox, port: int) -> None:
    """The router hands mail to the mail sender and texts to the text sender."""
    sms: list[str] = []

    class Texts:
        async def send(self, message: Notice) -> Sent | NotSent:
            sms.append(message.message_id)
            return Sent(message.message_id)

    both = ChannelNotices(email=notices(port), sms=Texts())
    await both.send(NOTICE)
    await both.send(replace(NOTICE, channel="sms"))
    assert (len(mailbox.mails), sms) == (1, [NOTICE.message_id])


async def test_a_sandbox_token_that_no_address_can_hold_has_no_address() -> None:
    """A token is never a way to write another header or another recipient."""
    contacts = TokenContacts("people.example")
    assert await contacts.address("payer-7", "sms") == "payer-7"
    assert await contacts.address("a@b.example, c", "email") is None


def test_a_password_is_not_shown() -> None:
    """The settings of the server can be logged."""
    assert "hunter2" not in repr(SmtpServer("h", 25, "s", "u", "hunter2"))
