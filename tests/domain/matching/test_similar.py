"""Likeness of names in whole numbers, and the words by which texts are compared at all."""

import pytest

from domain.matching.similar import blocks, similarity, words


@pytest.mark.parametrize(
    ("one", "other", "percent"),
    [
        ("martha", "MARTHA", 100),
        # The worked examples of Winkler's reports: 0.9611, 0.8400 and 0.8133.
        ("martha", "marhta", 96),
        ("dwayne", "duane", 84),
        ("dixon", "dicksonx", 81),
        ("abc", "xyz", 0),
        ("a", "a", 100),
        ("", "abc", 0),
        ("abc", "", 0),
    ],
)
def test_likeness_agrees_with_published_figures(one: str, other: str, percent: int) -> None:
    """The measure is that of Jaro and Winkler."""
    assert similarity(one, other) == percent


def test_each_word_that_is_expected_counts_in_any_order() -> None:
    """Further words of the line cost nothing; a word that is missing does."""
    assert similarity("Zhang Wei", "Rate Wei Zhang 03/2026") == 100
    assert similarity("Zhang Wei Ltd", "Zhang Wei") < 80


def test_of_several_names_the_likest_counts() -> None:
    """Each line is a name of its own: a payment is called by its reference, or by its payer."""
    assert similarity("B-4711\nZhang Wei", "from zhang wei") == 100
    assert similarity("B-4711\n\nZhang Wei", "b 4711") == 100


def test_words_have_one_form() -> None:
    """Width, case and marks between letters make no other word."""
    assert words("\uff21\uff22\uff23 abc, a-b_c") == ("abc", "a", "b", "c")


def test_blocks_are_beginnings_of_long_words_and_whole_ideographs() -> None:
    """Short Latin words, such as particles, bring no texts together; Chinese names do."""
    assert blocks("van der Margarethe 张伟") == {"marg", "张伟"}
