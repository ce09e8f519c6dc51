"""Checks that ask no server: settings, secrets, products, calendars."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.calendars import CALENDARS, load_calendar
from adapters.products.files import read_products
from adapters.temporal.codec import Keyring
from adapters.temporal.codecserver import Tokens
from domain.calendar import local_day
from domain.errors import InvalidInput
from domain.loan.accounts import unfit_accounts
from workers.accounts import accounts_of
from workers.credentials import needed_secrets
from workers.doctor.findings import Finding, fail, ok, warn
from workers.production import is_sandbox
from workers.settings import temporal_config, tracing_config

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from adapters.products.translate import ProductFile
    from domain.loan.product import Product
    from workers.rails import RailEntry
    from workers.settings import Settings
    from workers.stackfile import StackRecord

CONFIRMED_AHEAD = timedelta(days=60)
"""Calendars should be confirmed this far ahead; beyond that only weekends are known."""
SECRET_LEAST = 16
_REGISTER = "correct the file that ACQUIT_ACCOUNTS names (docs/operations.md, section 3)"


async def check_settings(settings: Settings, record: StackRecord | None) -> Sequence[Finding]:
    """Whether the settings fit one another; each alone was checked when they were read."""
    faults = list(_misfits(settings, record))
    mode = "sandbox" if is_sandbox(record) else "production"
    home = settings.home.absolute()
    return faults or [ok("settings", f"{mode}, home {home}, Temporal {_address(record)}")]


def _misfits(settings: Settings, record: StackRecord | None) -> Iterator[Finding]:
    tracing_config(settings, "doctor")
    if is_sandbox(record):
        return
    if settings.database_url is None and record is None:
        yield warn(
            "settings",
            "no stack was used in this home and no database is named",
            "run `acquit up` for a sandbox; for an installation set ACQUIT_DATABASE_URL",
        )
    if settings.codec_tokens is not None and settings.payload_keys is None:
        yield fail(
            "settings",
            "ACQUIT_CODEC_TOKENS without ACQUIT_PAYLOAD_KEYS: there is nothing to decrypt with",
            "give the codec server the keys of the workers",
        )
    if settings.smtp_host is None:
        yield warn(
            "settings",
            "mail goes to 127.0.0.1:25",
            "set ACQUIT_SMTP_HOST, or run a mail server beside each worker",
        )
    if settings.sms_url is None:
        yield warn(
            "settings",
            "text messages have nowhere to go",
            "set ACQUIT_SMS_URL, unless no product names the channel sms",
        )


def _address(record: StackRecord | None) -> str:
    return str(temporal_config(record)["target_host"])


async def check_secrets(
    settings: Settings, record: StackRecord | None, rails: Mapping[str, RailEntry]
) -> Sequence[Finding]:
    """Whether the secrets are there and whole; none of them is ever part of a finding."""
    needed = needed_secrets(settings, rails)
    found = list(_short(needed))
    keys, tokens = settings.payload_keys, settings.codec_tokens
    if keys is not None:
        Keyring.parse(keys.get_secret_value())
    elif not is_sandbox(record):
        advice = "set ACQUIT_PAYLOAD_KEYS (docs/operations.md, section 4)"
        found.append(warn("secrets", "histories are written in clear", advice))
    if tokens is not None:
        Tokens.parse(tokens.get_secret_value())
    there = f"{', '.join(needed)} are there, " if needed else ""
    return found or [ok("secrets", f"{there}keys and tokens can be read")]


def _short(needed: Mapping[str, str]) -> Iterator[Finding]:
    for name, held in needed.items():
        if len(held) < SECRET_LEAST:
            advice = f"agree on one of {SECRET_LEAST} characters or more with the other side"
            yield warn("secrets", f"{name} is shorter than {SECRET_LEAST} characters", advice)


async def check_products(settings: Settings, rails: Mapping[str, RailEntry]) -> Sequence[Finding]:
    """Whether the product files can be read and name only rails and calendars that we know."""
    products = _versions(read_products(settings.products))
    known: Sequence[tuple[str, Collection[str]]]
    known = (("rail", rails), ("calendar", CALENDARS)) if rails else (("calendar", CALENDARS),)
    strange = [
        fail("products", f"{it.ref}: no {field} {getattr(it, field)!r}", f"one of {', '.join(of)}")
        for it in products
        for field, of in known
        if getattr(it, field) not in of
    ]
    return strange or [ok("products", ", ".join(it.ref for it in products))]


async def check_accounts(settings: Settings, rails: Mapping[str, RailEntry]) -> Sequence[Finding]:
    """Whether the bank accounts that the products name are registered, and fit them."""
    products = read_products(settings.products)
    accounts = accounts_of(settings, rails, products)
    unfit = [
        fail("accounts", f"{refusal.rule}: {refusal.reason}", _REGISTER)
        for product in _versions(products)
        for refusal in unfit_accounts(product, accounts)
    ]
    return unfit or [ok("accounts", ", ".join(accounts))]


def _versions(products: Mapping[str, ProductFile]) -> Sequence[Product]:
    """Every product version once: the latest of each is listed under its id as well."""
    found = {file.product.ref: file.product for file in products.values()}
    return [found[ref] for ref in sorted(found)]


async def check_calendars(
    products: Mapping[str, ProductFile], now: datetime, *, sandbox: bool = False
) -> Sequence[Finding]:
    """Whether the calendars of the products are confirmed as far as installments reach soon.

    The day of a sandbox may lie in years for which no notice exists: that is no failure.
    """
    make = warn if sandbox else fail
    zones = {it.calendar: it.timezone for it in _versions(products)}
    found = []
    for name, zone in sorted(zones.items()):
        try:
            until = load_calendar(name).confirmed_until
        except InvalidInput:
            continue  # reported with the products
        left = until - local_day(now, zone)
        check, text = f"calendar {name}", f"confirmed until {until}"
        advice = "enter the next year's notice into adapters/calendars, or take a newer release"
        if left < timedelta(0):
            found.append(make(check, text, advice))
        else:
            found.append(warn(check, text, advice) if left < CONFIRMED_AHEAD else ok(check, text))
    return found
