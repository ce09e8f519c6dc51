"""The page about the ledger names every event that is posted, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests/domain/loan/decide/recorded"
UNRECORDED = {
    "held_for_others",
    "payout_failed",
    "payout_instructed",
    "payout_proven",
    "payout_returned",
    "return_undone",
    "set_off",
    "taken_back",
    "withdrawn",
}
"""Events that no recorded story posts."""


def test_every_event_that_a_story_posts_stands_in_the_table_of_entries() -> None:
    """An event that the page does not explain, or that nothing posts, fails here."""
    page = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
    table = [line for line in page.splitlines() if line.startswith("| ") and "Dr" in line]
    named = {word for line in table for word in re.findall(r"[a-z]+(?:_[a-z]+)+|[a-z]+", line)}
    stories = "".join(path.read_text(encoding="utf-8") for path in RECORDED.glob("*.txt"))
    posted = set(re.findall(r"^ +\$ (\w+),", stories, re.MULTILINE))
    assert not posted & UNRECORDED
    assert (posted | UNRECORDED) - named == set()
    first = {event.strip() for line in table for event in line.split("|")[1].split(",")}
    assert first - posted - UNRECORDED == set()
