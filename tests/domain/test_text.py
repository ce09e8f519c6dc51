"""Text from outside: refused, cleaned, or written so that it cannot forge what people read."""

import pytest

from domain.errors import InvalidInput
from domain.statement.statement import LineItem
from domain.text import cleaned, cleaned_copy, is_plain, plain, shortened, unplain, visible

HOSTILE = (
    "a\rb",
    "a\nb",
    "a\tb",
    "a\x1b[2Jb",
    "a\x9bb",
    "a\u2028b",
    "a\u202eb",
    "a\x00b",
    "a\x7fb",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_control_characters_are_refused_and_shown_escaped(text: str) -> None:
    """Line breaks, escape sequences and turned writing are no part of a reference."""
    assert not is_plain(text)
    with pytest.raises(InvalidInput) as refused:
        plain(text, "reference")
    assert refused.value.field == "reference"
    assert is_plain(str(refused.value))
    assert is_plain(visible(text))
    assert cleaned(text).startswith("a ")


def test_white_space_around_a_text_is_taken_off() -> None:
    """The CR of a list from another system is no part of the reference before it."""
    assert plain(" T-77\r\n", "reference") == "T-77"


def test_names_of_people_in_any_script_are_plain() -> None:
    """Joiners and accents are letters; only control characters are not."""
    for name in ("张伟", "José", "नेपाल\u200d", "ب\u200cب"):
        assert plain(name, "name") == name


def test_escapes_are_short_and_tell_the_character() -> None:
    """People see which character was there."""
    assert visible("a\t\r\n\x1b\u202e") == "a\\t\\r\\n\\x1b\\u202e"


def test_every_text_inside_a_value_is_looked_at() -> None:
    """Fields, items and nested values are named by their path; a plain value stays as it is."""
    item = LineItem("E\r1", None, None, 5, remittance=("R1", "R\n2"))
    assert list(unplain((item, "x\ty"), "")) == ["[0].end_to_end_id", "[0].remittance[1]", "[1]"]
    assert cleaned_copy(item) == LineItem("E 1", None, None, 5, remittance=("R1", "R 2"))
    clean = LineItem("E1", None, None, 5)
    assert cleaned_copy(clean) is clean
    assert cleaned_copy(("a", 5)) == ("a", 5)
    assert cleaned_copy(7) == 7


def test_a_text_is_shortened_to_the_length_asked_for() -> None:
    """A text of just that length stays whole; a longer one shows that something was cut off."""
    assert shortened("abcd", 4) == "abcd"
    assert shortened("abcde", 4) == "abc…"
