"""Shuts down a background sender within a time limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

CLOSE_S = 5.0
"""Seconds that a process waits, when it ends, for data that is not sent yet."""


async def close_within(seconds: float, shut: Callable[[], object], name: str) -> None:
    """Run `shut` in a thread of its own; go on after so many seconds even if it has not ended."""
    closing = threading.Thread(target=shut, name=name, daemon=True)
    closing.start()
    await asyncio.to_thread(closing.join, seconds)
