"""What production has and a sandbox has not: encryption, builds, one sweep for each time zone."""

from dataclasses import replace

import pytest

from adapters.products.files import read_products
from adapters.temporal.client import connect
from adapters.temporal.codec import EncryptionCodec, new_key
from domain.errors import InvalidInput
from domain.ledger.bankaccount import BankAccount, Purpose
from workers.accounts import accounts_of
from workers.production import answering, build_of, data_converter, sweep_orders
from workers.rails import rails_of
from workers.settings import Settings, temporal_config
from workers.stackfile import StackRecord

SANDBOX = StackRecord(mode="sandbox", database_url="sqlite+aiosqlite:///b", temporal_address="x:1")
PRODUCTION = replace(SANDBOX, mode="production")


def settings(**more: object) -> Settings:
    return Settings.model_validate(more)


@pytest.mark.parametrize("record", [None, PRODUCTION])
def test_production_encrypts_and_pins_where_it_is_asked_to(record: StackRecord | None) -> None:
    """Keys switch encryption on, a build id pins drivers; without them neither happens."""
    given = settings(payload_keys=new_key("k1"), build_id="2026.11.1")
    assert isinstance(data_converter(given, record).payload_codec, EncryptionCodec)
    assert build_of(given, record) == "2026.11.1"
    assert data_converter(settings(), record).payload_codec is None
    assert build_of(settings(), record) is None


def test_sandbox_is_in_clear_and_unversioned_whatever_is_set() -> None:
    """Histories of a sandbox are there to be read."""
    given = settings(payload_keys=new_key("k1"), build_id="b")
    assert data_converter(given, SANDBOX).payload_codec is None
    assert build_of(given, SANDBOX) is None


def test_faulty_keyring_stops_the_worker() -> None:
    """A worker that cannot encrypt does not start in clear."""
    with pytest.raises(InvalidInput, match="payload_keys"):
        data_converter(settings(payload_keys="nonsense"), None)


def test_each_time_zone_has_a_sweep_and_each_account_one_reader() -> None:
    """Days begin at a product's midnight; two products on one account fetch its files once.

    An account that no product names is read as well; one on which no rail settles is not.
    """
    products = read_products(settings().products)
    rails = rails_of(settings(), None)
    accounts = accounts_of(settings(), rails, products)
    own = BankAccount("A-PAYOUT", "us", Purpose.PAYOUT, "CNY", frozenset({"simbank"}))
    silent = BankAccount("A-COSTS", "us", Purpose.OPERATING, "CNY")
    more = {it.name: it for it in (own, silent)}
    orders = sweep_orders("main", products, accounts | more)
    zones = {file.product.timezone for file in products.values()}
    assert [order.timezone for order in orders] == sorted(zones)
    collected = [account for order in orders for account in order.accounts]
    assert sorted(collected) == sorted([own.name, *accounts])
    assert {order.day for order in orders} == {None}


@pytest.mark.parametrize("address", ["a b:7233", "1.2.3.4.5:7233"])
async def test_an_address_that_is_none_is_refused_by_its_variable(address: str) -> None:
    """It is a mistake of whoever set it, not a server that is away."""
    config = temporal_config(None, {"TEMPORAL_ADDRESS": address})
    with pytest.raises(InvalidInput) as refused, answering(config):
        await connect(config)
    assert (refused.value.field, refused.value.value) == ("TEMPORAL_ADDRESS", address)
