"""Canonical bytes read back: what is shown of a record is what was hashed, and nothing hostile."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.kernel.canonical import canonical
from domain.kernel.canonical_reading import BYTES_MOST, DEPTH_MOST, read_canonical


@dataclass(frozen=True)
class Point:
    """A value without a pinned kind."""

    x: int
    y: str | None


@dataclass(frozen=True)
class Named:
    """A value with a pinned kind, which is a field as well."""

    kind: str = field(default="point", init=False)
    at: Point = Point(1, None)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=20),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_is_read_back(value: object) -> None:
    """Reading is the inverse of writing."""
    assert read_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (Point(-1, None), {"x": -1, "y": None}),
        (Named(), {"kind": "point", "at": {"x": 1, "y": None}}),
        (time(9, 30), time(9, 30)),
        (date(2026, 3, 10), date(2026, 3, 10)),
        (datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)),
        (timedelta(seconds=1), "1000000"),
        (Fraction(1, 2), "1/2"),
    ],
)
def test_dataclasses_become_mappings_of_their_fields(value: object, read: object) -> None:
    """Names of fields are in the bytes, names of classes are not."""
    assert read_canonical(canonical(value)) == read


def nested(depth: int) -> bytes:
    found = b"n0:"
    for _ in range(depth):
        found = b"l%d:%s" % (len(found), found)
    return found


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"n0:n0:",
        b"x",
        b"s5:abc",
        b"s-1:a",
        b"s01:a",
        b"s99999999999:a",
        b"n1:x",
        b"b1:2",
        b"i2:07",
        b"i3:1e5",
        b"s1:\xff",
        b"t3:now",
        b"d3:day",
        b"d3:1:x",
        b"z1:a",
        b"o0:",
        b"o4:i1:1",
        b"o8:s0:s1:xi1:1",
        b"m4:s1:a",
        b"m6:i1:1n0:",
        b"m14:s1:an0:s1:an0:",
        nested(DEPTH_MOST + 1),
        b"y%d:" % BYTES_MOST + bytes(BYTES_MOST),
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_no_canonical_encoding_is_refused(content: bytes) -> None:
    """Broken, ambiguous, too deep or too large: refused by a rule, never by a crash."""
    with pytest.raises(InvalidInput, match="record"):
        read_canonical(content)


def test_a_value_may_be_as_deep_as_the_limit() -> None:
    """The limit is on values beyond it only."""
    assert read_canonical(nested(DEPTH_MOST)) is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Nothing else happens, whatever comes."""
    with suppress(InvalidInput):
        read_canonical(content)
