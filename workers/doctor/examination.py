"""One round of all checks, side by side where they do not need one another."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING

from adapters.products.files import read_products
from adapters.refusals import SourceRefused
from adapters.telemetry.redaction import Redactor
from domain.errors import InvalidInput
from workers.accounts import accounts_of
from workers.clock import SandboxClock, WallClock
from workers.compose import clock_of
from workers.doctor.books import check_books
from workers.doctor.configuration import (
    check_accounts,
    check_calendars,
    check_products,
    check_secrets,
    check_settings,
)
from workers.doctor.findings import Examiner, Finding, fail, ok
from workers.doctor.rails import check_rails
from workers.doctor.scratch import ADVICE, check_scratch
from workers.doctor.sources import check_sources
from workers.doctor.temporal import check_temporal
from workers.rails import rails_of
from workers.settings import secrets_in
from workers.stackfile import StackRecord, read_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.products.translate import ProductFile
    from domain.ledger.bankaccount import BankAccount
    from ports.clock import Clock
    from workers.rails import RailEntry
    from workers.settings import Settings

_SETTING = "correct the setting that is named (docs/operations.md, section 3)"
_SECRET = "correct it as docs/operations.md, sections 2 and 4, show it"  # noqa: S105  (advice)
_PRODUCT = "correct the product file (docs/products.md), or ACQUIT_PRODUCTS"
_RAILS = "correct the file of rails (docs/operations.md, section 3)"
_ACCOUNTS = "correct the file of bank accounts (docs/operations.md, section 3)"
_STACK = "start the stack again with `acquit up`"
_CLOCK = "bring the clock file back, or begin anew with `acquit up --fresh`"
_CALENDAR = "correct the calendar's file in adapters/calendars"


async def examine(settings: Settings, within_s: float) -> tuple[Finding, ...]:
    """Every finding, in the order in which a person would put things right.

    Args:
        settings: of the installation, read from the environment that its workers have.
        within_s: the longest that one check may take, in seconds.

    Raises:
        InvalidInput: the file that remembers the last stack is damaged.
    """
    record = read_stack(settings.home)
    examiner = Examiner(within_s, Redactor(secrets_in(settings, record)))
    with ExitStack() as closing:
        clock, findings = _clock(settings, record)
        if isinstance(clock, SandboxClock):
            closing.callback(clock.close)
        products, (rails, faults) = _products(settings), _rails(settings, record)
        findings = [*faults, *findings]
        sandbox, accounts = isinstance(clock, SandboxClock), _accounts(settings, rails, products)
        parts = await asyncio.gather(
            examiner.run("settings", _SETTING, lambda: check_settings(settings, record)),
            examiner.run("secrets", _SECRET, lambda: check_secrets(settings, record, rails)),
            examiner.run("products", _PRODUCT, lambda: check_products(settings, rails)),
            examiner.run("accounts", _ACCOUNTS, lambda: check_accounts(settings, rails)),
            examiner.run(
                "calendars",
                _CALENDAR,
                lambda: check_calendars(products, clock.now(), sandbox=sandbox),
            ),
            examiner.run("scratch space", ADVICE, lambda: check_scratch(sandbox=sandbox)),
            check_books(settings, record, examiner, rails),
            check_temporal(settings, record, products, rails, examiner),
            check_rails(rails, products, accounts, clock, examiner, sandbox=sandbox),
            check_sources(settings, accounts, clock, examiner),
        )
        found = [finding for part in parts for finding in part]
        return (*found, *findings)


def _products(settings: Settings) -> dict[str, ProductFile]:
    """What the other checks ask after; faulty files are reported by the check of products."""
    try:
        return dict(read_products(settings.products))
    except (SourceRefused, OSError):
        return {}


def _accounts(
    settings: Settings, rails: Mapping[str, RailEntry], products: Mapping[str, ProductFile]
) -> dict[str, BankAccount]:
    """What the other checks ask after; a faulty file is reported by the check of accounts."""
    try:
        return accounts_of(settings, rails, products)
    except SourceRefused:
        return {}


def _rails(
    settings: Settings, record: StackRecord | None
) -> tuple[dict[str, RailEntry], list[Finding]]:
    """The registry that the other checks ask after, or what is wrong with it."""
    try:
        return rails_of(settings, record), []
    except SourceRefused as error:
        return {}, [
            fail("rails", str(fault), f"{_RAILS}: {error.source}") for fault in error.faults
        ]
    except InvalidInput as error:
        return {}, [fail("rails", str(error), _STACK)]


def _clock(settings: Settings, record: StackRecord | None) -> tuple[Clock, list[Finding]]:
    """The clock that the other checks go by, and what is to be said about a sandbox's."""
    try:
        clock = clock_of(settings, record)
    except InvalidInput as error:
        return WallClock(), [fail("clock sandbox", str(error), _CLOCK)]
    if not isinstance(clock, SandboxClock):
        return clock, []
    return clock, [
        ok("clock sandbox", f"{clock.now():%Y-%m-%d %H:%M} UTC, moved by `acquit clock`")
    ]
