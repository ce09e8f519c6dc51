"""A text of one word may be a reference, whatever format it came in."""

import pytest

from domain.statement.identity import REFERENCE_MOST, one_word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (" N-1 \n", "N-1"),
        ("x" * REFERENCE_MOST, "x" * REFERENCE_MOST),
        ("x" * (REFERENCE_MOST + 1), None),
        ("two words", None),
        ("NOTPROVIDED", None),
        (" ", None),
    ],
)
def test_a_text_of_one_word_is_a_reference_as_it_is_or_none(text: str, word: str | None) -> None:
    """It is never cut; several words, too long a word and a word for none are no reference."""
    assert one_word(text) == word
