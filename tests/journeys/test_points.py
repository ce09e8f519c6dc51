"""A worker that dies at each named point between commit, delivery and completion of a task."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journeys.aborting import FOLDER, POINTS
from tests.journeys.whole import Watched, loans, watched


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ended(
    tmp_path_factory: pytest.TempPathFactory, temporal_binary: Path
) -> AsyncIterator[Watched]:
    """One loan for each point; the worker dies once for each of them, and all loans end."""
    assert temporal_binary.is_file()
    folder = tmp_path_factory.mktemp("points")
    aborts = folder / "aborts"
    aborts.mkdir()
    boarded = loans(len(POINTS))
    for point, loan in zip(POINTS, boarded, strict=True):
        (aborts / f"{point}@{loan.loan_id}").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER, str(aborts))
        async with watched(folder / "home", worker_module="tests.journeys.aborting") as run:
            await run.board(boarded)
            report = await run.to_the_end()
            assert report.clean, report.findings
            assert dict(report.installments) == {"CLOSED": len(POINTS)}
            yield run


@pytest.mark.timeout(170)
@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_that_dies_there_costs_no_second_debit(ended: Watched, point: str) -> None:
    """It died there, and the bank executed that loan's debit exactly once."""
    loan_id = loans(len(POINTS))[POINTS.index(point)].loan_id
    aborts = ended.local.home.parent / "aborts"
    assert (aborts / f"{point}@{loan_id}.done").is_file(), "the worker never came to this point"
    assert ended.local.restarts["worker-1"] >= len(POINTS)
    truth = await ended.truth()
    mandate = f"M-{loan_id.removeprefix('D')}"
    orders = [order for order in truth["orders"] if order["mandate_ref"] == mandate]
    assert sum(len(order["executions"]) for order in orders) == 1
