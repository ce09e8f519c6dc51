"""Addresses of outside services, each with the secrets that belong to it.

A secret goes only to the address that it was given for. Both come from the same source: from the
environment, or from the record of the stack that started the service. A missing secret is refused
when a program starts; no other secret is used in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.notices.email import SmtpServer
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from workers.settings import Settings
    from workers.stackfile import StackRecord

LOCAL_MAIL = "127.0.0.1"
"""Where mail goes when no mail server is named: one that runs beside the worker."""


@dataclass(frozen=True, slots=True)
class RailLogin:
    """The address of a rail, the merchant that we are there, and both shared secrets."""

    url: str
    merchant_id: str
    api_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmsLogin:
    """The address of the carrier of text messages, and its bearer token."""

    url: str
    secret: str = field(repr=False)


def rail_login(settings: Settings, record: StackRecord | None) -> RailLogin | None:
    """How to reach the rail; None where none is configured.

    Raises:
        InvalidInput: a secret is missing.
    """
    if settings.simulator_url is not None:
        return RailLogin(
            settings.simulator_url,
            settings.merchant_id,
            _set(settings, "rail_api_secret", "simulator_url"),
            _set(settings, "webhook_secret", "simulator_url"),
        )
    if record is None or record.simulator_url is None:
        return None
    return RailLogin(
        record.simulator_url,
        record.merchant_id or settings.merchant_id,
        _kept(record, "rail_api_secret"),
        _kept(record, "webhook_secret"),
    )


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


def needed_secrets(settings: Settings, record: StackRecord | None) -> dict[str, str | None]:
    """Every secret that an outside service needs here, by name; None where it is missing."""
    if settings.simulator_url is None and record is not None:
        rail: dict[str, str | None] = {
            name: record.secrets.get(name) for name in ("rail_api_secret", "webhook_secret")
        }
    else:
        rail = {name: _given(settings, name) for name in ("rail_api_secret", "webhook_secret")}
    if settings.sms_url is not None:
        return {**rail, "sms_secret": _given(settings, "sms_secret")}
    return rail


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
