"""The simulator's bank over real HTTP: the contract of all rails, and months of bad weather."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from domain.debit.outcome import Outcome, OutcomeStatus
from ports.rail import RailUnavailable
from tests.adapters.rails.bank import SimulatedBank, build_mandate, build_order, running_bank
from tests.adapters.rails.contract import RailContract

ORDERS, ROUNDS = 60, 40


@pytest_asyncio.fixture(scope="session")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatedBank]:
    """A calm bank shared by the tests of this file."""
    async with running_bank(tmp_path_factory.mktemp("simbank")) as running:
        yield running


class TestSimbank(RailContract):
    """The contract of all rails, over the simulator."""


async def test_through_hostile_weather_no_word_contradicts_the_banks_own_truth(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Through cut lines, errors and masks no confirmed order lacks an execution.

    No declined one has any, and whoever keeps asking learns the final outcome of every order.
    """
    async with running_bank(tmp_path_factory.mktemp("hostile"), "hostile", seed=3) as hostile:
        await _until_taken(hostile)
        said = {f"H-{n}": await _present(hostile, f"H-{n}") for n in range(ORDERS)}
        for _ in range(ROUNDS):
            open_orders = [no for no, word in said.items() if not _is_final(word)]
            if not open_orders:
                break
            await hostile.advance(hostile.offset + timedelta(hours=2))
            asked = await asyncio.gather(*(_ask(hostile, no) for no in open_orders))
            said |= {no: word for no, word in zip(open_orders, asked, strict=True) if word}
        truth = {row["order_no"]: row for row in await hostile.truth()}
    for order_no, word in said.items():
        assert word is not None, order_no
        executions = truth[order_no]["executions"] if order_no in truth else []
        match word.status:
            case OutcomeStatus.CONFIRMED:
                assert executions[0]["amount_minor"] == word.executed_minor, order_no
                assert executions[0]["bank_ref"] == word.bank_ref, order_no
            case OutcomeStatus.DECLINED:
                assert executions == [], order_no
            case OutcomeStatus.NOT_FOUND:
                assert order_no not in truth
            case _:
                pytest.fail(f"{order_no} never came to a final outcome: {word}")


def _is_final(word: Outcome | None) -> bool:
    return word is not None and word.status in {OutcomeStatus.CONFIRMED, OutcomeStatus.DECLINED}


async def _until_taken(bank: SimulatedBank) -> None:
    for _ in range(20):
        try:
            return await bank.rail.put_mandate(build_mandate("M-hostile"), "CNY")
        except RailUnavailable:
            continue
    pytest.fail("the bank never took the mandate")


async def _present(bank: SimulatedBank, order_no: str) -> Outcome | None:
    order = build_order(bank.rail.profile, bank.now(), order_no=order_no, mandate_ref="M-hostile")
    try:
        return await bank.rail.present(order)
    except RailUnavailable:
        return None


async def _ask(bank: SimulatedBank, order_no: str) -> Outcome | None:
    try:
        return await bank.rail.inquire(order_no, "M-1")
    except RailUnavailable:
        return None
