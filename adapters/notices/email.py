"""Notices by e-mail over SMTP: text and HTML of the same words, our id in a header."""

from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate, parseaddr

import aiosmtplib

from adapters.notices.once import OnceNotices
from adapters.notices.wording import EmailWords, Wording
from ports.notices import Contacts, Notice, NotSent, Sent

_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Address and login of the mail server.

    Attributes:
        sender: the From address, e.g. `Repayments <noreply@lender.example>`.
        start_tls: True asks for it, False never does, None takes it where it is offered.
        timeout_s: of each step with the server, in seconds.
    """

    host: str
    port: int
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    use_tls: bool = False
    start_tls: bool | None = None
    timeout_s: float = 20.0


class SmtpNotices(OnceNotices):
    """Implements `ports.notices.Notices` for e-mail.

    SMTP itself knows no idempotence: repeats are caught in this process, and a repeat after a
    restart carries the same Message-ID, by which mail programs drop a double.
    """

    def __init__(self, server: SmtpServer, contacts: Contacts, wording: Wording) -> None:
        super().__init__(contacts, wording)
        self._server = server

    async def _hand_in(self, notice: Notice, address: str) -> Sent | NotSent:
        try:
            mail = self._mail(notice, address, self._wording.email(notice))
        except ValueError:  # the library's word for a header that an address would break
            return NotSent(notice.message_id, "bad_address", retryable=False)
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            timeout=server.timeout_s,
        )
        try:
            await client.connect()
        except aiosmtplib.SMTPResponseException as error:
            return _refused(notice, error.code)
        except (aiosmtplib.SMTPException, OSError):
            return NotSent(notice.message_id, "smtp_unreachable", retryable=True)
        try:
            await client.send_message(mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _refused(notice, error.recipients[0].code)
        except aiosmtplib.SMTPResponseException as error:
            return _refused(notice, error.code)
        except (aiosmtplib.SMTPException, OSError):
            # Lost somewhere between the envelope and the last word of the server.
            return NotSent(notice.message_id, "smtp_no_answer", retryable=True, maybe_sent=True)
        finally:
            # A farewell that fails does not undo what the server has taken.
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
            client.close()
        return Sent(notice.message_id)

    def _mail(self, notice: Notice, address: str, words: EmailWords) -> EmailMessage:
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = self._server.sender
        mail["To"] = address
        mail["Subject"] = words.subject
        mail["Date"] = formatdate()
        mail["X-Message-Id"] = notice.message_id
        # A colon has no place in a Message-ID, and "=" none in our ids: no two become one.
        domain = parseaddr(self._server.sender)[1].rpartition("@")[2]
        mail["Message-ID"] = f"<{notice.message_id.replace(':', '=')}@{domain}>"
        mail["Content-Language"] = notice.language
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(words.text)
        mail.add_alternative(words.html, subtype="html")
        return mail


def _refused(notice: Notice, code: int) -> NotSent:
    """The refusal with the number of the server's answer; its text would repeat the address."""
    return NotSent(notice.message_id, f"smtp_{code}", retryable=code < _PERMANENT)
