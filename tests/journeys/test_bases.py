"""Everything with a virtual clock gives the same result from every base date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.base import BASES, ORDINARY

ROOT = Path(__file__).resolve().parents[2]
DATED = (
    "tests/simulator",
    "tests/adapters/rails/test_simbank.py",
    "tests/journeys/test_cost.py",
    "tests/journeys/test_demo.py",
    "tests/journeys/test_commands.py",
    "tests/journeys/test_clock.py",
    "tests/journeys/test_twice.py",
    "tests/journeys/test_uncached.py",
)
"""All but the journeys that kill processes: those depend on moments of the wall."""
LONGEST_S = 1_500


def test_ten_bases_cover_the_days_that_differ() -> None:
    """Ten instants, each with its own day, later than any run of these tests."""
    assert len(BASES) == len({at.date() for at in BASES.values()}) == 10
    assert min(at.year for at in BASES.values()) >= 2061
    days = {name: at.date() for name, at in BASES.items()}
    assert days["weekend"].weekday() == 5
    assert (days["february-28"].month, days["february-28"].day) == (2, 28)
    assert (days["year-end"].month, days["year-end"].day) == (12, 31)
    assert days["month-end"].day == 31


@pytest.mark.slow
@pytest.mark.timeout(LONGEST_S + 30)
@pytest.mark.parametrize("name", [name for name in BASES if name != ORDINARY])
def test_every_base_date_gives_the_same_result(name: str, temporal_binary: Path) -> None:
    """Journeys, cost gates, simulator and rail pass as they do from the ordinary day."""
    assert temporal_binary.is_file()
    argv = [sys.executable, "-m", "pytest", *DATED, "-q", "-m", "not slow", "--base", name]
    done = subprocess.run(
        [*argv, "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    found = re.search(r"(\d+) passed", done.stdout)
    assert found is not None, done.stdout[-2000:]
    assert int(found[1]) > 60
    assert "skipped" not in done.stdout, done.stdout[-2000:]
