"""Children stop when asked, are killed when deaf, and say why they failed."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from workers.processes import Child, free_port, output_of

if TYPE_CHECKING:
    from pathlib import Path

DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)"
)


async def until_said(child: Child, word: str) -> None:
    """Wait until the child has written a word."""
    async with asyncio.timeout(20):
        while word not in child.tail():
            await asyncio.sleep(0.05)


async def test_child_that_ignores_the_signal_is_killed_after_its_grace(tmp_path: Path) -> None:
    """Stopping always ends: politely first, then not."""
    child = await Child.start([sys.executable, "-c", DEAF], log=tmp_path / "deaf.log")
    await until_said(child, "deaf")
    assert await child.wait(0.05) is None
    assert await child.stop(grace_s=0.2) == -signal.SIGKILL
    assert await child.stop() == -signal.SIGKILL


async def test_failed_child_leaves_its_last_words(tmp_path: Path) -> None:
    """The end of the log is what a failure message needs."""
    words = "import sys; print('one'); print('two'); sys.exit(3)"
    child = await Child.start([sys.executable, "-c", words], log=tmp_path / "words.log")
    assert await child.wait(20) == 3
    assert child.tail(1) == "two"


async def test_missing_program_is_an_error_of_the_caller(tmp_path: Path) -> None:
    """Nothing pretends to have started."""
    with pytest.raises(FileNotFoundError):
        await Child.start([tmp_path / "missing"], log=tmp_path / "missing.log")
    assert await output_of(tmp_path / "missing") is None


async def test_short_programs_are_bounded() -> None:
    """A program asked for its version cannot hold us up, and a failing one gives no answer."""
    assert await output_of(sys.executable, "-c", "print('fine')") == "fine"
    assert await output_of(sys.executable, "-c", "raise SystemExit(1)") is None
    assert (
        await output_of(sys.executable, "-c", "import time; time.sleep(60)", timeout_s=0.2) is None
    )


def test_free_ports_are_free() -> None:
    """Two questions in a row give ports that can be bound."""
    assert 1024 <= free_port() <= 65535


def test_a_port_that_is_wanted_is_given_if_it_is_free() -> None:
    """A stack listens where clients look, and beside it where something else does already."""
    wanted = free_port()
    assert free_port(wanted=wanted) == wanted
    with socket.create_server(("127.0.0.1", wanted)):
        assert free_port(wanted=wanted) not in {0, wanted}
