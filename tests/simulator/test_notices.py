"""Notice providers: SMS and mail, delivery reports by webhook."""

from __future__ import annotations

from email.message import EmailMessage

import aiosmtplib

from tests.simulator.conftest import Starter
from tests.simulator.driver import SMS_SECRET, Bank, until
from tests.simulator.receiver import Receiver

BEARER = {"Authorization": f"Bearer {SMS_SECRET}"}


async def _report(bank: Bank, receiver: Receiver, message_id: str) -> str:
    """Return the status that the delivery report of a message names."""
    await bank.go_on(minutes=3)
    found: list[str] = []

    async def came() -> bool:
        found.extend(
            str(message.body["status"])
            for message in receiver.messages
            if message.body.get("message_id") == message_id and message.genuine
        )
        return bool(found)

    await until(came)
    return found[0]


async def test_an_sms_is_kept_once_and_reported(bank: Bank, receiver: Receiver) -> None:
    """A repeat of a message id answers the same provider id; other content is refused."""
    sms = {"message_id": "sms-1", "to": "tok-9", "text": "Due on Monday: 100.00", "lang": "en"}
    answers = [await bank.http.post("/sms/v1/messages", json=sms, headers=BEARER) for _ in (1, 2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    other = await bank.http.post("/sms/v1/messages", json=sms | {"text": "?"}, headers=BEARER)
    assert other.status_code == 409
    kept = (await bank.http.get("/notices/control/messages?to=tok-9")).json()["messages"]
    assert [(row["text"], row["posts"]) for row in kept] == [(sms["text"], 3)]
    assert await _report(bank, receiver, "sms-1") in {"delivered", "failed"}


async def test_an_sms_without_the_secret_is_refused(bank: Bank) -> None:
    """No bearer token, or a wrong one: 401, nothing kept."""
    sms = {"message_id": "sms-2", "to": "tok-8", "text": "x", "lang": "en"}
    for headers in ({}, {"Authorization": "Bearer guess"}):
        answer = await bank.http.post("/sms/v1/messages", json=sms, headers=headers)
        assert answer.status_code == 401
    assert (await bank.http.get("/notices/control/messages?to=tok-8")).json()["messages"] == []


async def test_a_mail_is_kept_by_its_message_id_and_reported(
    bank: Bank, receiver: Receiver
) -> None:
    """X-Message-Id names the mail; its text arrives whole, in any script."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@lender.test", "b@home.test", "还款提醒"
    mail["X-Message-Id"] = "mail-1"
    mail.set_content("您的还款日是星期一。\n")
    host, port = bank.smtp.split(":")
    for _ in (1, 2):
        await aiosmtplib.send(mail, hostname=host, port=int(port), start_tls=False)
    (kept,) = (await bank.http.get("/notices/control/messages?to=b@home.test")).json()["messages"]
    assert (kept["subject"], kept["text"].strip()) == ("还款提醒", "您的还款日是星期一。")
    assert (kept["channel"], kept["posts"], kept["message_id"]) == ("email", 2, "mail-1")
    assert await _report(bank, receiver, "mail-1") in {"delivered", "failed"}


async def test_mail_trouble_passes(start: Starter) -> None:
    """A hostile provider answers 451 at times; whoever tries again gets the mail in, once."""
    bank = await start(profile="hostile", seed=2)
    host, port = bank.smtp.split(":")
    refused = 0
    for n in range(30):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["X-Message-Id"] = "a@x.test", "b@x.test", f"m-{n}"
        mail.set_content("Hello\n")
        for _ in range(8):
            try:
                await aiosmtplib.send(mail, hostname=host, port=int(port), start_tls=False)
                break
            except aiosmtplib.SMTPDataError as error:
                refused += error.code == 451
    kept = (await bank.http.get("/notices/control/messages?to=b@x.test")).json()["messages"]
    assert len(kept) == 30
    assert refused > 0
