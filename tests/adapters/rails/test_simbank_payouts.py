"""Payouts through the simulated bank over HTTP: sent once, asked about, declined, sent back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from adapters.rails.http import HttpLimits, RailHttp
from adapters.rails.simbank.calls import SimbankCalls
from adapters.rails.simbank.payouts import UNSAYABLE, SimbankPayouts
from domain.debit.outcome import NO_ANSWER, OutcomeClass, OutcomeStatus
from domain.payout.payout import PayoutOrder
from ports.rail import RailUnavailable
from tests.adapters.rails.bank import API_SECRET, MERCHANT, SimulatedBank, running_bank
from tests.adapters.rails.test_simbank_faults import LIMITS, Script, answering, cut, silent

ACCOUNT = "ACCT-FUNDER-1-CNY"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatedBank]:
    """A calm bank at ten in the morning."""
    async with running_bank(tmp_path_factory.mktemp("payouts")) as bank:
        await bank.to_hour(10)
        yield bank


@pytest.fixture
def channel(bank: SimulatedBank) -> SimbankPayouts:
    """Give the channel of payouts of the running bank."""
    return over(bank.at_bank, bank)


def over(http: RailHttp, bank: SimulatedBank) -> SimbankPayouts:
    """A channel over a connection."""
    calls = SimbankCalls(http, {MERCHANT: API_SECRET}, bank.now)
    return SimbankPayouts(calls, MERCHANT, bank.now)


def order(bank: SimulatedBank, order_no: str, **changes: Any) -> PayoutOrder:
    """An order of 100.00 whose lease still runs."""
    fields: dict[str, Any] = {
        "payout": "funder-1/CNY/K/20260310/1",
        "order_no": order_no,
        "channel": "simbank",
        "account": ACCOUNT,
        "beneficiary": "acct-of-funder-1",
        "amount_minor": 10_000,
        "currency": "CNY",
        "send_until": bank.now() + timedelta(seconds=60),
    }
    return PayoutOrder(**(fields | changes))


async def movements(bank: SimulatedBank, order_no: str) -> list[tuple[str, int]]:
    """What the bank booked under an order number, by its own log."""
    return [
        (row["kind"], row["amount_minor"])
        for row in await bank.truth("movements")
        if row["order_no"] == order_no
    ]


async def test_an_order_is_executed_once_however_often_it_comes(
    bank: SimulatedBank, channel: SimbankPayouts
) -> None:
    """The same number with the same content is the same order; with another it is refused."""
    sent = order(bank, "PO-ONCE")
    first, again = await channel.send(sent), await channel.send(sent)
    assert (first.status, first.executed_minor) == (OutcomeStatus.CONFIRMED, 10_000)
    assert again == first == await channel.inquire("PO-ONCE")
    other = await channel.send(order(bank, "PO-ONCE", amount_minor=5))
    assert other.outcome_class is OutcomeClass.DUPLICATE
    assert await movements(bank, "PO-ONCE") == [("payout", -10_000)]


async def test_an_order_that_the_bank_does_not_know_is_not_found(channel: SimbankPayouts) -> None:
    """It says so, and nothing else."""
    said = await channel.inquire("PO-NOBODY-SENT")
    assert said.status is OutcomeStatus.NOT_FOUND


async def test_an_account_that_is_none_is_declined(
    bank: SimulatedBank, channel: SimbankPayouts
) -> None:
    """No money moves."""
    said = await channel.send(order(bank, "PO-NOBODY", beneficiary="nobody-1"))
    assert (said.status, said.executed_minor) == (OutcomeStatus.DECLINED, 0)
    assert await movements(bank, "PO-NOBODY") == []


async def test_a_closed_account_sends_the_money_back(
    bank: SimulatedBank, channel: SimbankPayouts
) -> None:
    """Executed first; a banking day later a credit with the same order number."""
    said = await channel.send(order(bank, "PO-CLOSED", beneficiary="closed-1"))
    assert said.status is OutcomeStatus.CONFIRMED
    await bank.to_hour(12, days=4)
    assert await movements(bank, "PO-CLOSED") == [("payout", -10_000), ("payout_return", 10_000)]


async def test_what_the_bank_cannot_be_told_is_never_sent(
    bank: SimulatedBank, channel: SimbankPayouts
) -> None:
    """A number out of shape, a currency that the account has not, a lease that is over."""
    said = await channel.send(order(bank, "PO WITH SPACES"))
    assert (said.outcome_class, said.code) == (OutcomeClass.DATA_ERROR, UNSAYABLE)
    said = await channel.send(order(bank, "PO-EUR", currency="EUR"))
    assert said.outcome_class is OutcomeClass.DATA_ERROR
    with pytest.raises(RailUnavailable, match="lease_over"):
        await channel.send(order(bank, "PO-LATE", send_until=bank.now()))


@pytest.mark.parametrize("script", [cut, silent, answering(500, b"upstream")])
async def test_a_missing_answer_is_unknown_when_sending_and_asked_again_when_asking(
    bank: SimulatedBank, script: Script
) -> None:
    """The order may have left; an inquiry changes nothing."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, RailHttp(url, LIMITS) as http:
        lost = over(http, bank)
        assert await lost.send(order(bank, "PO-LOST")) == NO_ANSWER
        with pytest.raises(RailUnavailable):
            await lost.inquire("PO-LOST")


def test_limits_are_those_of_rails() -> None:
    """No exchange outlives a sender's lease."""
    assert HttpLimits().total_s < 60
