"""Cells of CSV files begin no formula, and stand for the text that was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.csvcells import cell_of, text_of

SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "'", "''"])
def test_what_a_spreadsheet_would_work_out_has_an_apostrophe_before_it(
    sign: str, before: str
) -> None:
    """Also behind spaces and behind apostrophes of the text's own."""
    text = f"{before}{sign}HYPERLINK(1)"
    assert cell_of(text) == f"'{text}"
    assert text_of(cell_of(text)) == text


@pytest.mark.parametrize("text", ["", "R 7", "'quoted'", "a=b", "7", "O'Hara", "''"])
def test_other_text_is_written_as_it_is(text: str) -> None:
    """An apostrophe alone begins no formula, so it stays in both directions."""
    assert cell_of(text) == text == text_of(text)


@given(st.text(alphabet=st.sampled_from([*SIGNS, "'", " ", "a"]), max_size=6))
def test_whatever_is_written_is_read_back_the_same(text: str) -> None:
    """The one is the inverse of the other, for any row of signs and apostrophes."""
    assert text_of(cell_of(text)) == text
    assert cell_of(text)[:1] not in SIGNS
