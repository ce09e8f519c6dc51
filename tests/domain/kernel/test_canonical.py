"""One encoding for ever: equal values agree, different values never share it."""

from dataclasses import dataclass, field, make_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvariantBroken
from domain.kernel.canonical import ADDED_LATER, NAME_MOST, bounded, canonical, digest


class Colour(StrEnum):
    """A member is written as its value."""

    RED = "red"


@dataclass(frozen=True)
class Point:
    """A value without a kind: its fields are all there is to it."""

    x: int
    y: int


@dataclass(frozen=True)
class Grown:
    """A point that got another field when points were hashed already."""

    x: int
    y: int
    name: str | None = field(default=None, metadata=ADDED_LATER)


@dataclass(frozen=True)
class Kinded:
    """Named by its kind."""

    kind: str = "point"


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"n0:"),
        (True, b"b1:1"),
        (False, b"b1:0"),
        (Colour.RED, b"s3:red"),
        (-12, b"i3:-12"),
        ("é", b"s2:\xc3\xa9"),
        (b"\x00", b"y1:\x00"),
        (datetime(2026, 3, 10, 1, tzinfo=UTC), b"t32:2026-03-10T01:00:00.000000+00:00"),
        (date(2026, 3, 10), b"d10:2026-03-10"),
        (time(9, 30), b"d8:09:30:00"),
        (timedelta(seconds=1), b"u7:1000000"),
        (Decimal("0.50"), b"f3:1/2"),
        (Fraction(1, 2), b"f3:1/2"),
        ((1, 2), b"l8:i1:1i1:2"),
        ([1, 2], b"l8:i1:1i1:2"),
        (frozenset({2, 1}), b"l8:i1:1i1:2"),
        ({"b": 1, "a": 2}, b"m16:s1:ai1:2s1:bi1:1"),
        (Point(1, 2), b"o19:s0:s1:xi1:1s1:yi1:2"),
        (Kinded(), b"o23:s5:points4:kinds5:point"),
    ],
)
def test_the_bytes_of_each_kind_of_value(value: object, written: bytes) -> None:
    """Written down, so that no later build changes a hash that is already in a chain."""
    assert canonical(value) == written


def test_an_instant_is_the_same_in_every_zone() -> None:
    """Noon in Shanghai is four in the morning in UTC."""
    there = datetime(2026, 3, 10, 12, tzinfo=timezone(timedelta(hours=8)))
    assert canonical(there) == canonical(datetime(2026, 3, 10, 4, tzinfo=UTC))


@given(first=VALUES, second=VALUES)
def test_two_values_share_an_encoding_only_if_they_are_equal(first: object, second: object) -> None:
    """Lengths make it prefix-free: nothing can be moved from one field to the next."""
    if canonical(first) == canonical(second):
        assert repr(first) == repr(second) or first == second
    assert len(digest(first)) == 64


@pytest.mark.parametrize("value", [1.5, object(), Point])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    """No float, no object, no class enters a hash."""
    with pytest.raises(InvariantBroken, match="no canonical encoding"):
        canonical(value)


def test_the_name_of_a_class_is_in_no_hash() -> None:
    """A class may be renamed: what was hashed before stays what it was."""
    renamed = make_dataclass("Place", [("x", int), ("y", int)], frozen=True)
    assert digest(renamed(1, 2)) == digest(Point(1, 2))


def test_a_field_added_later_changes_no_hash_while_it_says_nothing() -> None:
    """Products and commands hashed by an older release are recognised; a value does count."""
    assert digest(Grown(1, 2)) == digest(Point(1, 2))
    assert digest(Grown(1, 2, "home")) != digest(Grown(1, 2))
    assert digest(Grown(1, 2, "home")) != digest(Grown(1, 2, "work"))


def test_a_name_that_is_too_long_keeps_its_beginning_and_is_still_one_of_its_own() -> None:
    """Names that differ only behind what a column holds do not become the same."""
    most = "a" * NAME_MOST
    assert bounded(most) == most
    one, other = bounded(f"{most}/1"), bounded(f"{most}/2")
    assert one != other
    assert (len(one), one[:200]) == (NAME_MOST, most[:200])
