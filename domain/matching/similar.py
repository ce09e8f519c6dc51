"""How alike two texts are, in percent, and which words two texts must share to be compared."""

import re
import unicodedata
from collections.abc import Sequence

BLOCK_LENGTH = 4
"""Letters at the beginning of a word: texts with no such beginning in common are not compared."""
_WORD = re.compile(r"[^\W_]+")
_PREFIX_MOST = 4
_BONUS = 100_000
_WHOLE = 1_000_000
_TEXT_MOST = 400


def words(text: str) -> tuple[str, ...]:
    """The words of a text in one form of letters and without case, each once, in their order."""
    plain = unicodedata.normalize("NFKC", text[:_TEXT_MOST]).casefold()
    return tuple(dict.fromkeys(_WORD.findall(plain)))


def blocks(text: str) -> frozenset[str]:
    """The beginnings of the words of a text; a word of ideographs is its own, however short."""
    return frozenset(
        word[:BLOCK_LENGTH]
        for word in words(text)
        if len(word) >= BLOCK_LENGTH or not word.isascii()
    )


def similarity(expected: str, said: str) -> int:
    """How far the words of `expected` are found in `said`: 0 to 100.

    Each word counts with its likest counterpart, by the measure of Jaro and Winkler. Where
    `expected` has several lines, each is a name of its own, and the likest of them counts.
    """
    found = words(said)
    return max((_found_in(words(name), found) for name in expected.splitlines()), default=0)


def _found_in(wanted: Sequence[str], found: Sequence[str]) -> int:
    if not wanted or not found:
        return 0
    best = sum(max(_alike(one, other) for other in found) for one in wanted)
    whole = _WHOLE * len(wanted)
    return (best * 100 + whole // 2) // whole


def _alike(one: str, other: str) -> int:
    """Likeness of two words after Jaro and Winkler, 0 to a million, in whole numbers."""
    jaro = _jaro(one, other)
    pairs = zip(one[:_PREFIX_MOST], other[:_PREFIX_MOST], strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    prefix = min(same, _PREFIX_MOST)
    return jaro + prefix * _BONUS * (_WHOLE - jaro) // _WHOLE


def _jaro(one: str, other: str) -> int:
    """Letters in common, not far from each other, less those in another order; 0 to a million."""
    reach = max(max(len(one), len(other)) // 2 - 1, 0)
    taken: set[int] = set()
    mine: list[str] = []
    for place, letter in enumerate(one):
        near = range(max(0, place - reach), min(len(other), place + reach + 1))
        found = next((at for at in near if at not in taken and other[at] == letter), None)
        if found is not None:
            taken.add(found)
            mine.append(letter)
    if not mine:
        return 0
    theirs = [other[at] for at in sorted(taken)]
    common = len(mine)
    moved = sum(a != b for a, b in zip(mine, theirs, strict=True)) // 2
    parts = (
        _WHOLE * common // len(one),
        _WHOLE * common // len(other),
        _WHOLE * (common - moved) // common,
    )
    return sum(parts) // len(parts)
