"""Workers that remember nothing between two tasks: every task replays its history."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.whole import loans, whole


async def test_a_run_without_any_cached_workflow_ends_clean(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """The code is deterministic: rebuilt from its history at every task, it does the same."""
    assert temporal_binary.is_file()
    async with whole(tmp_path / "home", profile="rough", cache=0) as run:
        await run.board(loans(3))
        report = await run.to_the_end()
        assert report.clean, report.findings
        assert sum(report.installments.values()) == 3
