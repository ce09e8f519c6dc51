"""Messages about cases against a real SMTP server: each address once, nothing personal."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.notices.dispatcher import NotTaken
from adapters.notices.email import SmtpNotices, SmtpServer
from adapters.notices.teams import TeamContacts, TeamDispatcher
from adapters.notices.wording import Wording
from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.notice import CASE_NOTICE, notice
from ports.outbox import OutboxRow

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASE = Case(
    "surplus/R-1",
    CaseKind.SURPLUS,
    "Ms Example paid twice",
    loan_id="L1",
    amount_minor=12_345,
    currency="CNY",
    opened_at=NOON - timedelta(hours=26),
    owner="operations",
)
ADDRESSES = {"operations": ("ann@team.example", "ben@team.example")}


@dataclass
class Mailbox:
    """Takes mail but for some addresses, to which it gives an answer of its own."""

    answers: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name that the server asks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = cast("bytes", envelope.content)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def dispatcher(mailbox: Mailbox, unused_port: int) -> Iterator[TeamDispatcher]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=unused_port)
    controller.start()
    server = SmtpServer("127.0.0.1", unused_port, "Acquit <noreply@lender.example>", timeout_s=5)
    email = SmtpNotices(server, TeamContacts(ADDRESSES), Wording())
    yield TeamDispatcher(email, ADDRESSES, {"lender": "Lender A", "contact": "c@lender.example"})
    controller.stop()


def row(case: Case = CASE, level: str = "escalated-1") -> OutboxRow:
    message = notice(case, level, NOON)
    return OutboxRow(1, message.topic, message.stream, asdict(message.payload), None, 0)


async def test_each_address_of_the_owner_gets_the_message_once(
    mailbox: Mailbox, dispatcher: TeamDispatcher
) -> None:
    """Key, kind, age, amount and how to look at it; not the text of the case, nor its loan."""
    assert dispatcher.topic == CASE_NOTICE.name
    await dispatcher.deliver(row())
    await dispatcher.deliver(row())
    assert [mail["To"] for mail in mailbox.mails] == list(ADDRESSES["operations"])
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 2
    assert mailbox.mails[0]["Subject"] == "Case escalated: surplus, 26 h, operations"
    for kind in ("plain", "html"):
        part = mailbox.mails[0].get_body((kind,))
        assert part is not None
        words = part.get_content()
        for shown in ("surplus/R-1", "26 hours", "123.45", "acquit case surplus/R-1"):
            assert shown in words
        assert "Example" not in words
        assert "L1" not in words


async def test_another_level_is_another_message(
    mailbox: Mailbox, dispatcher: TeamDispatcher
) -> None:
    """And so is a case that comes again; one without an amount has none in its message."""
    await dispatcher.deliver(row())
    await dispatcher.deliver(row(level="escalated-2"))
    await dispatcher.deliver(row(replace(CASE, generation=2, amount_minor=0, currency="")))
    assert len(mailbox.mails) == 6
    part = mailbox.mails[-1].get_body(("plain",))
    assert part is not None
    assert "Amount" not in part.get_content()


async def test_an_address_that_is_busy_is_tried_again_and_the_others_are_not(
    mailbox: Mailbox, dispatcher: TeamDispatcher
) -> None:
    """The outbox keeps the message until each address is served, or refused for good."""
    mailbox.answers["ann@team.example"] = "451 busy"
    with pytest.raises(NotTaken):
        await dispatcher.deliver(row())
    assert [mail["To"] for mail in mailbox.mails] == ["ben@team.example"]
    mailbox.answers["ann@team.example"] = "550 nobody here"
    await dispatcher.deliver(row())
    mailbox.answers.clear()
    await dispatcher.deliver(row())
    assert [mail["To"] for mail in mailbox.mails] == ["ben@team.example", "ann@team.example"]


async def test_an_owner_without_addresses_gets_nothing(
    mailbox: Mailbox, dispatcher: TeamDispatcher
) -> None:
    """As where the policy has been changed since the message was left; text messages have none."""
    await dispatcher.deliver(row(replace(CASE, owner="nobody")))
    assert mailbox.mails == []
    assert await TeamContacts(ADDRESSES).address("operations/0", "sms") is None
