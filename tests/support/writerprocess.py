"""A program that writes to shared books: `python -m tests.support.writerprocess URL NAME LOANS`.

Boards the same loans as its rivals, then rolls days and holds over all of them, in its own order;
prints what it was answered as JSON.
"""

import asyncio
import json
import random
import sys
from datetime import date, timedelta

from adapters.sql.books import SqlBooks
from adapters.sql.engine import books_engine
from domain.loan.change import Applied
from tests.support.booksbench import StillClock, roll
from tests.support.doors import AnyCommand, Hold, Unhold
from tests.support.memory import RULES, TESTER, board

ROUNDS = 6


def orders(name: str, loan_id: str, turn: int) -> list[AnyCommand]:
    """A hold and its end, with ids of this name's own."""
    key = f"{name}/{loan_id}/{turn}"
    why = "rivals at work"
    return [
        Hold(id=f"h/{key}", actor=TESTER, reason=why, loan_id=loan_id, number=1),
        Unhold(id=f"u/{key}", actor=TESTER, reason=why, loan_id=loan_id, number=1),
    ]


async def _main(url: str, name: str, loans: int) -> None:
    names = [f"L{index:02}" for index in range(loans)]
    dice = random.Random(name)
    engine = books_engine(url)
    clock = StillClock()
    clock.to(date(2026, 3, 10))
    told = {"applied": 0, "replayed": 0, "refused": 0, "failed": 0, "retries": 0}
    async with SqlBooks(engine, clock, RULES, group_max=17) as books:
        for turn in range(ROUNDS):
            dice.shuffle(names)
            commands: list[AnyCommand] = [board(loan_id) for loan_id in names]
            commands += [roll(loan_id, date(2026, 3, 10) + timedelta(turn)) for loan_id in names]
            commands += [order for loan_id in names for order in orders(name, loan_id, turn)]
            for result in await books.apply_many(commands):
                if isinstance(result, Applied):
                    told["replayed" if result.replayed else "applied"] += 1
                elif isinstance(result, Exception):
                    told["failed"] += 1
                    sys.stderr.write(f"{result!r}\n")
                else:
                    told["refused"] += 1
        told["retries"] = books.counters.retries
    await engine.dispose()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
