"""Counting numbers in bounded memory: right for any number, anew where it is cleared."""

import threading
from collections import Counter
from random import Random

from adapters.statements.counts import Counts


def test_it_counts_as_a_dictionary_does() -> None:
    """Thirty thousand numbers of 64 bits, among them the least, the greatest and many twice."""
    dice, seen = Random(7), Counter[int]()
    few = [dice.randrange(-(2**63), 2**63) for _ in range(20_000)]
    with Counts() as counts:
        for key in [-(2**63), 2**63 - 1, 0, -1, *dice.choices(few, k=30_000)]:
            seen[key] += 1
            assert counts.count(key) == seen[key]
    assert max(seen.values()) > 2


def test_it_begins_anew_when_it_is_cleared() -> None:
    """The next statement's first line is no second one."""
    with Counts() as counts:
        assert [counts.count(5), counts.count(5)] == [1, 2]
        counts.clear()
        assert counts.count(5) == 1


def test_it_is_used_by_one_thread_after_another() -> None:
    """Each page of a file may be read in another thread."""
    found: list[int] = []
    with Counts() as counts:
        for _ in range(3):
            thread = threading.Thread(target=lambda: found.append(counts.count(1)))
            thread.start()
            thread.join()
    assert found == [1, 2, 3]
