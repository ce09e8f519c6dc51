"""Ending what sends in the background: what hangs is left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

CLOSE_S = 5.0
"""How long a process that ends waits for what it has not yet sent."""


async def close_within(seconds: float, shut: Callable[[], object], name: str) -> None:
    """Run `shut` in a thread of its own; go on after so many seconds even if it has not ended."""
    closing = threading.Thread(target=shut, name=name, daemon=True)
    closing.start()
    await asyncio.to_thread(closing.join, seconds)
