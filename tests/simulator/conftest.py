"""Simulators in processes of their own, one per profile and session, and a webhook receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.simulator.driver import Bank
from tests.simulator.receiver import Receiver

Starter = Callable[..., Awaitable[Bank]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook receiver on a port of its own."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    yield receiver
    server.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bank(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[Bank]:
    """A calm bank shared by the session; tests use order numbers and mandates of their own."""
    folder = tmp_path_factory.mktemp("calm")
    bank = await asyncio.to_thread(lambda: Bank.start(folder, hooks=receiver.url))
    yield bank
    assert await bank.stop() == 0, "SIGTERM ends the program cleanly"


@pytest_asyncio.fixture(loop_scope="session")
async def start(tmp_path: Path) -> AsyncIterator[Starter]:
    """Start banks for one test; they are stopped after it."""
    banks: list[Bank] = []

    async def starter(
        *args: str, folder: str = "a", seed: int = 7, profile: str = "calm", hooks: str = ""
    ) -> Bank:
        (tmp_path / folder).mkdir(exist_ok=True)
        bank = await asyncio.to_thread(
            lambda: Bank.start(tmp_path / folder, *args, seed=seed, profile=profile, hooks=hooks)
        )
        banks.append(bank)
        return bank

    yield starter
    for bank in banks:
        if bank.process.poll() is None:
            await bank.stop()
