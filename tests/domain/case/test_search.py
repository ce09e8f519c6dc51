"""Cases are found by words of their text and notes, in scripts with and without gaps."""

from dataclasses import replace

import pytest

from domain.case.case import NOTES_MOST, Case, Note
from domain.case.kinds import CaseKind
from domain.case.search import WORD_MOST, asked, case_words, words_of
from tests.support.memory import MemoryBooks

AT = MemoryBooks().at


def is_found(text: str, looked_for: str) -> bool:
    """Whether a text has a word that begins with each that is looked for."""
    words = words_of(text)
    return all(any(word.startswith(begins) for word in words) for begins in asked(looked_for))


@pytest.mark.parametrize(
    ("text", "looked_for", "expected"),
    [
        ("Order L1-48 is in doubt", "l1", True),
        ("Order L1-48 is in doubt", "DOUBT order", True),
        ("Order L1-48 is in doubt", "dou", True),
        ("Order L1-48 is in doubt", "oubt", False),
        ("Order L1-48 is in doubt", "doubt certain", False),
        ("\uff21\uff2d04 of \uff22ank", "am04 bank", True),
        ("扣款失败,余额不足", "余额", True),
        ("扣款失败,余额不足", "款失败", True),
        ("扣款失败,余额不足", "足", True),
        ("扣款失败,余额不足", "失余", False),
        ("扣款AM04失败", "am04 扣款", True),
    ],
)
def test_a_text_is_found_by_beginnings_of_its_words(
    text: str, looked_for: str, *, expected: bool
) -> None:
    """Whatever the case and the width of the letters; of Chinese by any part of a run."""
    assert is_found(text, looked_for) is expected


def test_a_case_is_found_by_its_text_and_every_note() -> None:
    """A word is kept once and no longer than its column."""
    notes = tuple(Note(AT, "operator/ann", f"note {number} " + "x" * 50) for number in range(3))
    case = Case("k", CaseKind.SURPLUS, "a surplus", notes=notes)
    assert case_words(case) == {"a", "surplus", "note", "0", "1", "2", "x" * WORD_MOST}
    assert case_words(replace(case, notes=())) == {"a", "surplus"}
    assert NOTES_MOST == 200


def test_what_has_no_word_names_none() -> None:
    """Signs alone find nothing, and whoever asks is told so."""
    assert asked(" -- !? ") == ()
    assert asked("one ONE two") == ("one", "two")
