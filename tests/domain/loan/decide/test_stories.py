"""Stories of loans are decided as they were recorded, to the last word and unit."""

import re

import pytest

from tests.domain.loan.decide.stories import RECORDED, STORIES, lines_of


@pytest.mark.parametrize("name", STORIES)
def test_a_story_reads_as_it_was_recorded(name: str) -> None:
    """Where a change is right, record anew: `python -m tests.domain.loan.decide.stories`."""
    recorded = (RECORDED / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert list(lines_of(name)) == recorded


def test_cases_speak_of_money_as_people_do() -> None:
    """An amount in the text of a case is written with its point and its currency."""
    opened = [line for name in STORIES for line in lines_of(name) if "! OPEN Case(" in line]
    texts = [re.split(r", \w+=", line.partition(", text=")[2])[0] for line in opened]
    assert sum(" CNY" in text for text in texts) > 10
    for text in texts:
        assert not re.search(r"minor|(?<![.\d])\d+ [A-Z]{3}\b", text), text


def test_every_record_has_a_story() -> None:
    """A record that nobody tells any more would hold nothing."""
    assert {path.stem for path in RECORDED.iterdir()} == set(STORIES)
