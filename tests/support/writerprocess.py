"""Writes to shared books: `python -m tests.support.writerprocess URL NAME LOANS [HOW]`.

Boards the same loans as its rivals, then rolls days and holds over all of them, in its own order;
prints what it was answered as JSON. HOW is `steady` (the default), `jitter` (its clock jumps to and
fro by hours) or `suspend` (it stops itself once, as SIGSTOP does, while it holds the chain's head).
"""

import asyncio
import json
import os
import random
import signal
import sys
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from tests.support.booksbench import StillClock, roll
from tests.support.doors import AnyCommand, Hold, Unhold
from tests.support.memory import RULES, TESTER, board

ROUNDS = 6
JITTER_HOURS = 10


class JitteringClock(StillClock):
    """Every look is up to some hours before or after the instant at which the clock stands."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self._dice = dice

    def now(self) -> datetime:
        """An instant near the one at which it stands."""
        apart = self._dice.uniform(-JITTER_HOURS, JITTER_HOURS)
        return self.at + timedelta(hours=apart)


def suspend_at_head(engine: AsyncEngine) -> None:
    """Stop this process once, right after it has locked the chain's head."""
    left = [signal.SIGSTOP]

    def on_execute(*seen: Any) -> None:
        if left and "FROM chain_head" in seen[2]:
            os.kill(os.getpid(), left.pop())

    event.listen(engine.sync_engine, "after_cursor_execute", on_execute)


def orders(name: str, loan_id: str, turn: int) -> list[AnyCommand]:
    """A hold and its end, with ids of this name's own."""
    key = f"{name}/{loan_id}/{turn}"
    why = "rivals at work"
    return [
        Hold(id=f"h/{key}", actor=TESTER, reason=why, loan_id=loan_id, number=1),
        Unhold(id=f"u/{key}", actor=TESTER, reason=why, loan_id=loan_id, number=1),
    ]


async def _main(url: str, name: str, loans: int, how: str) -> None:
    names = [f"L{index:02}" for index in range(loans)]
    dice = random.Random(name)
    engine = books_engine(url)
    clock = JitteringClock(dice) if how == "jitter" else StillClock()
    if how == "suspend":
        suspend_at_head(engine)
    clock.to(date(2026, 3, 10))
    reported = {"applied": 0, "replayed": 0, "refused": 0, "failed": 0, "retries": 0}
    async with SqlBooks(engine, clock, RULES, group_max=17) as books:
        for turn in range(ROUNDS):
            dice.shuffle(names)
            commands: list[AnyCommand] = [board(loan_id) for loan_id in names]
            commands += [roll(loan_id, date(2026, 3, 10) + timedelta(turn)) for loan_id in names]
            commands += [order for loan_id in names for order in orders(name, loan_id, turn)]
            for result in await books.apply_many(commands):
                if isinstance(result, Applied):
                    reported["replayed" if result.replayed else "applied"] += 1
                elif isinstance(result, Exception):
                    reported["failed"] += 1
                    sys.stderr.write(f"{result!r}\n")
                else:
                    reported["refused"] += 1
        reported["retries"] = books.counters.retries
    await engine.dispose()
    sys.stdout.write(json.dumps(reported))


if __name__ == "__main__":
    given = [*sys.argv[1:], "steady"]
    asyncio.run(_main(given[0], given[1], int(given[2]), given[3]))
