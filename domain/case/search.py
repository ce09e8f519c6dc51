"""The words by which a case is found: of its text and of its notes.

A word is a run of letters and digits in one form of writing. Scripts that are written without gaps
give their bigrams (every two neighbouring characters), and the last character by itself.
"""

import re
import unicodedata
from collections.abc import Iterator

from domain.case.case import Case

WORD_MOST = 40
"""Longest word that is kept; a longer one is cut."""
ASKED_MOST = 10
"""Words that one search can name."""
_RUNS = re.compile(r"[^\W_]+")
_UNSPACED = "\\u3040-\\u30ff\\u3400-\\u9fff\\uf900-\\ufaff"
_SCRIPTS = re.compile(f"([{_UNSPACED}]+)|[^{_UNSPACED}]+")
"""Its group is a run of Chinese or Japanese; what is in no group is of another script."""


def words_of(text: str) -> frozenset[str]:
    """Every word of a text."""
    return frozenset(word for run in _runs(text) for word in run)


def case_words(case: Case) -> frozenset[str]:
    """Every word of the text and of the notes of a case."""
    notes = (words_of(note.text) for note in case.notes)
    return words_of(case.text).union(*notes)


def asked(text: str) -> tuple[str, ...]:
    """The beginnings of words that a search names: a case has a word for each of them.

    Of a run without gaps these are its pairs, so that it is found inside a longer one.
    """
    return tuple(dict.fromkeys(word for run in _runs(text) for word in run[:-1] or run))


def _runs(text: str) -> Iterator[list[str]]:
    """Yield the words of each run of letters and digits of one way of writing.

    Of a script without gaps these are its pairs, and its last character.
    """
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        for part in _SCRIPTS.finditer(run):
            said = part[0]
            pairs = [said[place : place + 2] for place in range(len(said))]
            yield pairs if part[1] else [said[:WORD_MOST]]
