"""A journal against checkpoints of it that somebody kept: whatever was done to it is found."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.ledger.chain import (
    GENESIS,
    ChainItem,
    Commanded,
    KnownHead,
    Verification,
    leaf_of,
    next_hash,
    verify,
)
from domain.ledger.merkle import Tree, leaf_hash

Rows = list[tuple[ChainItem, str]]
AT = datetime(2026, 3, 2, 4, tzinfo=UTC)


def journal(length: int, forged: int = 0, text: str = "") -> Rows:
    """A chain of commands; everything from `forged` on is hashed anew after one was altered."""
    rows: Rows = []
    head = GENESIS
    for seq in range(1, length + 1):
        reason = text if seq == forged else ""
        what = Commanded("roll_day", "d" * 64, None, None, None, "{}", None, "L1")
        item = ChainItem(seq, f"c-{seq}", "test", "t", reason, "p@1", AT, date(2026, 3, 2), what)
        head = next_hash(head, item)
        rows.append((item, head))
    return rows


def known(rows: Rows, size: int) -> KnownHead:
    """The checkpoint of a journal at a size."""
    tree = Tree()
    for _, stored in rows[:size]:
        tree.add(leaf_of(stored))
    return KnownHead(size, tree.root(), rows[size - 1][1], f"checkpoint {size}")


def checked(rows: Rows, *heads: KnownHead) -> Verification:
    """What a journal looks like, whose own head row was brought up to date."""
    end = rows[-1]
    return verify(rows, seq=end[0].seq, head=end[1], known=heads)


GOOD = journal(12)
HEADS = [known(GOOD, size) for size in (3, 7, 10)]


def test_a_journal_agrees_with_its_own_checkpoints_and_grows_on() -> None:
    """Older checkpoints stay true however long the journal becomes."""
    found = checked(GOOD, *HEADS)
    assert (found.faults, found.compared, found.agreed, found.disagreed) == ([], 3, 10, [])


def test_the_leaf_of_an_item_is_its_hash() -> None:
    """32 bytes, not their text; so a stranger can compute it from the item and the hash before."""
    item, stored = GOOD[0]
    assert leaf_of(stored) == leaf_hash(bytes.fromhex(next_hash(GENESIS, item)))


def test_a_chain_that_was_hashed_anew_is_found_between_two_checkpoints() -> None:
    """By itself such a journal is faultless; what is named is where its history was changed."""
    forged = journal(12, 5, "forged")
    assert checked(forged).faults == []
    found = checked(forged, *HEADS)
    assert found.faults == [
        "items 4 to 7 are not what checkpoint 7 covers: the journal has another hash there",
        "items 4 to 10 are not what checkpoint 10 covers: the journal has another hash there",
    ]
    assert (found.compared, found.agreed) == (3, 3)
    assert [one.size for one in found.disagreed] == [7, 10]


def test_a_single_item_is_named_as_one() -> None:
    """Two checkpoints beside each other leave no doubt."""
    found = checked(journal(12, 4, "forged"), known(GOOD, 3), known(GOOD, 4))
    assert found.faults == [
        "item 4 is not what checkpoint 4 covers: the journal has another hash there"
    ]


def test_a_journal_that_was_cut_or_restored_is_found() -> None:
    """An old copy is whole by itself, and shorter than what was signed."""
    assert checked(GOOD[:5]).faults == []
    assert checked(GOOD[:5], *HEADS).faults == [
        "items 4 to 7 are not what checkpoint 7 covers: it covers 7 items, the journal has 5",
        "items 4 to 10 are not what checkpoint 10 covers: it covers 10 items, the journal has 5",
    ]


def test_an_old_copy_that_went_its_own_way_is_found() -> None:
    """It is long enough, and what was written after the copy is something else."""
    found = checked(journal(12, 6, "another day"), *HEADS)
    assert found.faults[0].startswith("items 4 to 7 are not what checkpoint 7 covers")


@pytest.mark.parametrize(("name", "value"), [("root", b"r" * 32), ("head", "f" * 64), ("size", 4)])
def test_a_checkpoint_counts_with_its_size_its_root_and_its_hash(name: str, value: object) -> None:
    """One that says something else of any of them disagrees."""
    other = replace(HEADS[0], **{name: value})  # type: ignore[arg-type]
    assert len(checked(GOOD, other).disagreed) == 1


def test_an_altered_item_is_named_and_changes_the_root_even_under_its_old_hash() -> None:
    """The root is of what the items say now, not of the hashes that stand beside them."""
    altered = [*GOOD[:4], (replace(GOOD[4][0], reason="x"), GOOD[4][1]), *GOOD[5:]]
    assert checked(altered, HEADS[1]).faults == [
        "item 5 (command roll_day c-5) is not what was hashed",
        "items 1 to 7 are not what checkpoint 7 covers: the journal has another root there",
    ]
