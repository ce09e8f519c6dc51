"""Stories of loans are decided as they were recorded, to the last word and unit."""

import pytest

from tests.domain.loan.decide.stories import RECORDED, STORIES, told


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_told_as_it_was_recorded(name: str) -> None:
    """Where a change is right, record anew: `python -m tests.domain.loan.decide.stories`."""
    recorded = (RECORDED / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert list(told(name)) == recorded


def test_every_record_has_a_story() -> None:
    """A record that nobody tells any more would hold nothing."""
    assert {path.stem for path in RECORDED.iterdir()} == set(STORIES)
