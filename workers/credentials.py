"""Addresses of outside services, each with the secrets that belong to it.

A secret goes only to the address that it was given for. Both come from the same source: from the
environment, or from the record of the stack that started the service. A missing secret is refused
when a program starts; no other secret is used in its place. Rails have a registry of their own
(`workers/rails.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.notices.email import SmtpServer
from domain.errors import InvalidInput
from workers.rails import secret_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.rails import RailEntry
    from workers.settings import Settings
    from workers.stackfile import StackRecord

LOCAL_MAIL = "127.0.0.1"
"""Where mail goes when no mail server is named: one that runs beside the worker."""


@dataclass(frozen=True, slots=True)
class SmsLogin:
    """The address of the carrier of text messages, and its bearer token."""

    url: str
    secret: str = field(repr=False)


def sms_login(settings: Settings, record: StackRecord | None) -> SmsLogin | None:
    """How to reach the carrier of text messages; None where there is none.

    Raises:
        InvalidInput: its secret is missing.
    """
    if settings.sms_url is not None:
        return SmsLogin(settings.sms_url, _set(settings, "sms_secret", "sms_url"))
    if record is None or record.simulator_url is None:
        return None
    return SmsLogin(record.simulator_url, _kept(record, "sms_secret"))


def mail_server(settings: Settings, record: StackRecord | None) -> SmtpServer:
    """The mail server. The login of the environment never goes to the server of a stack.

    Raises:
        InvalidInput: the stack names a mail server without a port.
    """
    if settings.smtp_host is None and record is not None and record.smtp:
        host, _, port = record.smtp.partition(":")
        if not port.isdecimal():
            raise InvalidInput("smtp", record.smtp, "host:port, in the record of the stack")
        return SmtpServer(host=host, port=int(port), sender=settings.mail_from)
    password = settings.smtp_password
    return SmtpServer(
        host=settings.smtp_host or LOCAL_MAIL,
        port=settings.smtp_port,
        sender=settings.mail_from,
        username=settings.smtp_user,
        password=None if password is None else password.get_secret_value(),
        start_tls=settings.smtp_starttls,
    )


def needed_secrets(settings: Settings, rails: Mapping[str, RailEntry]) -> dict[str, str]:
    """Every secret that an outside service needs here, by name; a missing one was refused before.

    Rails' secrets are in their registry; that of the carrier is demanded with its address.
    """
    needed = {
        secret_name(name, secret): value
        for name, entry in rails.items()
        if entry.login is not None
        for secret, value in entry.login.secrets.items()
    }
    if settings.sms_url is not None:
        needed["ACQUIT_SMS_SECRET"] = _given(settings, "sms_secret") or ""
    return needed


def _given(settings: Settings, name: str) -> str | None:
    value = getattr(settings, name)
    return None if value is None else str(value.get_secret_value())


def _set(settings: Settings, name: str, address: str) -> str:
    """A secret of the environment; `address` names the setting that it belongs to."""
    value = _given(settings, name)
    if not value:
        belongs = f"must be set with ACQUIT_{address.upper()}; no other secret is used in its place"
        raise InvalidInput(f"ACQUIT_{name.upper()}", "", belongs)
    return value


def _kept(record: StackRecord, name: str) -> str:
    """A secret of the stack that started the service."""
    value = record.secrets.get(name)
    if not value:
        raise InvalidInput(f"secrets.json/{name}", "", "must be there; start the stack again")
    return value
