"""The clock of a sandbox: every day that passes is rolled, and a lost clock is not begun anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from domain.loan.aggregate import Actor, HoldKind
from tests.journeys.program import Program, acquit, start
from tests.journeys.whole import loans, whole
from tests.support.base import base
from tests.support.doors import PlaceHold
from workers.clock import CLOCK_FILE
from workers.console import Exit
from workers.sandbox import advance

CLERK = Actor("operator", "clerk-1")


async def test_every_day_that_an_advance_passes_is_rolled(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Three days at a time, each by a command of its own: a day of penalty for each of them."""
    assert temporal_binary.is_file()
    async with whole(tmp_path / "home") as run:
        (loan,) = loans(1)
        await run.board([loan])
        held = PlaceHold(
            id="hold-1",
            at=run.sandbox.now,
            actor=CLERK,
            reason="a question",
            loan_id=loan.loan_id,
            number=1,
            hold=HoldKind.ALL,
        )
        await run.stack.books.apply(held)
        await advance(run.stack, run.sandbox.now + timedelta(days=40))
        days = [await penalty_days(run.stack, loan.loan_id)]
        for _ in range(2):
            await advance(run.stack, run.sandbox.now + timedelta(days=3))
            days.append(await penalty_days(run.stack, loan.loan_id))
    assert days[0] > 0
    assert [later - first for first, later in zip(days, days[1:], strict=False)] == [3, 3]
