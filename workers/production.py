"""What only production has: encryption of histories, schedules, builds that drivers stay on.

A sandbox has none of it: its histories are there to be read, and it runs the sweeps itself, because
a Temporal schedule does not move with a virtual clock.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from activities.healing import HealOrder
from activities.sweeps import SweepOrder
from adapters.temporal.client import connect
from adapters.temporal.codec import Keyring, converter
from adapters.temporal.schedules import ensure_schedules
from domain.errors import InvalidInput, Unavailable
from workers.settings import temporal_config
from workers.sources import fetched_accounts
from workers.stackfile import read_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from temporalio.client import Client
    from temporalio.converter import DataConverter
    from temporalio.envconfig import ClientConnectConfig

    from adapters.products.translate import ProductFile
    from domain.ledger.bankaccount import BankAccount
    from workers.settings import Settings
    from workers.stackfile import StackRecord


_REASON = re.compile(r"kind: (\w+)")
"""Finds the operating system's error in a message of the SDK."""


def is_sandbox(record: StackRecord | None) -> bool:
    """Whether this stack lives on a virtual clock."""
    return record is not None and record.mode == "sandbox"


def data_converter(settings: Settings, record: StackRecord | None) -> DataConverter:
    """How histories are written: encrypted where keys are given, in a sandbox always in clear.

    Raises:
        InvalidInput: the keyring is faulty.
    """
    keys = None if is_sandbox(record) else settings.payload_keys
    return converter(None if keys is None else Keyring.parse(keys.get_secret_value()))


def build_of(settings: Settings, record: StackRecord | None) -> str | None:
    """The build that drivers are pinned to; None where any worker may take any task."""
    return None if is_sandbox(record) else settings.build_id


async def client_for(settings: Settings) -> Client:
    """A client that reads and writes histories as the workers of this installation do.

    Raises:
        Unavailable: Temporal does not answer.
    """
    record = read_stack(settings.home)
    config = temporal_config(record)
    with answering(config):
        return await connect(config, data_converter=data_converter(settings, record))


@contextmanager
def answering(config: ClientConnectConfig, advice: str = "") -> Iterator[None]:
    """Connect; a server that does not answer is reported by address and reason, with `advice`.

    Raises:
        Unavailable: it does not answer.
        InvalidInput: its address is none.
    """
    try:
        yield
    except ValueError as error:
        raise InvalidInput(
            "TEMPORAL_ADDRESS", config["target_host"], f"HOST:PORT ({error})"
        ) from error
    except RuntimeError as error:
        said = _REASON.search(str(error))
        why = said[1] if said else str(error)
        where = f"Temporal at {config['target_host']}"
        raise Unavailable(f"{where} does not answer: {why}{advice}") from error


def sweep_orders(
    tenant: str, products: Mapping[str, ProductFile], accounts: Mapping[str, BankAccount]
) -> tuple[SweepOrder, ...]:
    """One daily sweep for each time zone of the products, with the accounts that belong to it.

    Days begin at a product's own midnight. Each registered account that rails settle on is read in
    one zone only, so that no file is fetched twice: in that of the first product that names it,
    else in the first of all.
    """
    zones: dict[str, set[str]] = {}
    left = set(fetched_accounts(accounts))
    for product in sorted((file.product for file in products.values()), key=lambda p: p.id):
        found = zones.setdefault(product.timezone, set())
        found |= product.accounts & left
        left -= found
    if zones:
        zones[min(zones)] |= left
    return tuple(
        SweepOrder(tenant, timezone=zone, accounts=tuple(sorted(accounts)))
        for zone, accounts in sorted(zones.items())
    )


async def keep_schedules(
    client: Client,
    settings: Settings,
    products: Mapping[str, ProductFile],
    accounts: Mapping[str, BankAccount],
) -> None:
    """Have sweeps, healing and checkpoints run; every workflow worker says so when it starts."""
    orders = sweep_orders(settings.tenant, products, accounts)
    seals = settings.signing_key is not None
    await ensure_schedules(client, settings.tenant, orders, HealOrder(), seals=seals)
