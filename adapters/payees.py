"""Reads the policy of payees from a TOML file: when and how each party gets its shares.

    tenant = "main"

    [payees.funder-1]
    beneficiary = "acct-of-funder-1"
    channel = "simbank"
    calendar = "CN"
    timezone = "Asia/Shanghai"
    cut_off = 16:00:00
    minimum_minor = 10000
    wait_banking_days = 5
    approve_within_minor = 5000000
    line_within_banking_days = 3
    fees_borne_by = "us"

    [refunds]
    channel = "simbank"
    calendar = "CN"
    timezone = "Asia/Shanghai"
    after_banking_days = 1
    within_banking_days = 5
    approve_within_minor = 100000
    fees_borne_by = "us"

A party that the file does not name is paid nothing, and without a table of refunds nothing is
refunded. Amounts are minor units of whatever currency a
payout has.
"""

from collections.abc import Collection, Iterator
from datetime import time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field

from adapters.refusals import SourceRefused
from adapters.validation import read_toml
from domain.errors import InvalidInput
from domain.kernel.order import AMOUNT_MOST
from domain.ledger.bankaccount import US
from domain.payout.policy import NO_TENANT, PayeePolicy, RefundPolicy, RemittancePolicy
from domain.text import shortened

PAYEES_MOST = 1000
_FILE_MOST_BYTES = 1024 * 1024
_SHOWN = 80
Party = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Amount = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MOST)]
Days = Annotated[int, Field(strict=True, ge=0, le=366)]


class _Payee(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid")

    beneficiary: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:~-]{1,120}$")]
    channel: str
    calendar: str
    timezone: str
    cut_off: time
    minimum_minor: Amount = 0
    wait_banking_days: Days = 5
    approve_within_minor: Amount = 0
    line_within_banking_days: Annotated[int, Field(strict=True, ge=1, le=30)] = 3
    fees_borne_by: Party = US


class _Refunds(BaseModel):
    """The table of refunds."""

    model_config = ConfigDict(extra="forbid")

    channel: str
    calendar: str
    timezone: str
    after_banking_days: Annotated[int, Field(strict=True, ge=0, le=30)] = 1
    within_banking_days: Annotated[int, Field(strict=True, ge=1, le=30)] = 5
    approve_within_minor: Amount = 0
    fees_borne_by: Party = US


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")] = NO_TENANT
    payees: Annotated[dict[Party, _Payee], Field(max_length=PAYEES_MOST)] = {}
    refunds: _Refunds | None = None


def read_payees(
    path: Path, channels: Collection[str], calendars: Collection[str]
) -> RemittancePolicy:
    """The policy in a file; `channels` and `calendars` are those that it may name.

    Raises:
        SourceRefused: the file is none, or breaks rules; every fault by field, value and rule.
    """

    def checked(content: dict[str, Any]) -> RemittancePolicy:
        read = _File.model_validate(content)
        faults = [
            fault
            for name in sorted(read.payees)
            for fault in _faults(f"payees.{name}", read.payees[name], channels, calendars)
        ]
        if read.refunds is not None:
            faults += _faults("refunds", read.refunds, channels, calendars)
        elif not read.payees:
            faults.append(InvalidInput("payees", "", "a table of a payee, or one of refunds"))
        if faults:
            raise SourceRefused(str(path), faults)
        payees = {
            name: PayeePolicy(party=name, **read.payees[name].model_dump())
            for name in sorted(read.payees)
        }
        refunds = None if read.refunds is None else RefundPolicy(**read.refunds.model_dump())
        return RemittancePolicy(payees, read.tenant, refunds)

    return read_toml(path, _FILE_MOST_BYTES, checked)


def _faults(
    field: str, read: _Payee | _Refunds, channels: Collection[str], calendars: Collection[str]
) -> Iterator[InvalidInput]:
    """The rules that one table breaks, besides those of single values."""
    for what, value, known in (
        ("channel", read.channel, channels),
        ("calendar", read.calendar, calendars),
    ):
        if value not in known:
            rule = f"one of {', '.join(sorted(known)) or 'none'}"
            yield InvalidInput(f"{field}.{what}", shortened(value, _SHOWN), rule)
    try:
        ZoneInfo(read.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        rule = "a name of the IANA time zone database"
        yield InvalidInput(f"{field}.timezone", shortened(read.timezone, _SHOWN), rule)
