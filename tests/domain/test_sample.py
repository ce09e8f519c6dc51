"""A sample is drawn by seed and head alone: the same for everybody, and nobody's choice."""

from collections import Counter

import pytest

from domain.audit.sample import SIZE_MOST, Draw, Risk
from domain.errors import InvalidInput

HEAD = "a" * 64


def drawn(size: int, seed: str = "s", head: str = HEAD, *, names: range = range(100)) -> list[str]:
    draw = Draw(size, seed, head)
    for name in names:
        draw.take(f"L{name}")
    assert draw.population == len(names)
    return [one.loan_id for one in draw.drawn()]


def test_the_same_seed_and_head_draw_the_same_loans() -> None:
    """In whatever order they come; another seed or head draws others."""
    first = drawn(10)
    assert drawn(10, names=range(99, -1, -1)) == first
    assert len(set(first)) == 10
    assert drawn(10, "t") != first
    assert drawn(10, head="b" * 64) != first
    assert drawn(5) == first[:5]


def test_a_sample_larger_than_the_books_is_all_of_them() -> None:
    """Each loan once."""
    assert sorted(drawn(50, names=range(7))) == [f"L{name}" for name in range(7)]


def test_every_loan_has_its_chance() -> None:
    """Over many seeds none is left out and none preferred."""
    counts = Counter(name for seed in range(300) for name in drawn(1, str(seed), names=range(5)))
    assert set(counts) == {f"L{name}" for name in range(5)}
    assert max(counts.values()) < 2 * min(counts.values())


def test_a_heavier_loan_comes_more_often() -> None:
    """Weight 4 against four of weight 1 is drawn first in half of the draws."""
    hits = 0
    for seed in range(400):
        draw = Draw(1, str(seed), HEAD)
        draw.take("heavy", 4)
        for name in range(4):
            draw.take(f"L{name}")
        (one,) = draw.drawn()
        hits += (one.loan_id, one.weight) == ("heavy", 4)
    assert 150 < hits < 250


def test_the_weight_grows_with_the_risk() -> None:
    """From 1 to 16, whatever the counts are."""
    assert Risk().weight == 1
    assert Risk(cases=1).weight == 2
    assert Risk(failed_debits=2).weight == 3
    assert Risk(returns=9).weight == 4
    assert Risk(open_cases=1).weight == 7
    assert Risk(99, 99, 99, 99).weight == 16


@pytest.mark.parametrize(
    ("size", "seed"), [(0, "s"), (SIZE_MOST + 1, "s"), (1, ""), (1, "s" * 201)]
)
def test_size_and_seed_have_limits(size: int, seed: str) -> None:
    """Refused by field and rule."""
    with pytest.raises(InvalidInput, match=r"size|seed"):
        Draw(size, seed, HEAD)
