"""Of several versions of one statement its neighbours say which counts, not the order of coming."""

from dataclasses import replace

from domain.statement.statement import Fault, FaultRule
from domain.statement.versions import Version, counting

FIRST = Version("a" * 64, 0, 100, 1, 100)
AGAIN = Version("b" * 64, 0, 130, 2, 130)
WRONG = replace(FIRST, own=(Fault(FaultRule.BALANCE_DIFFERS, "S", 100, 90),))


def test_the_version_that_the_next_statement_goes_on_from_counts() -> None:
    """Whichever came first, and whichever counts now."""
    for now in (FIRST, AGAIN):
        assert counting((FIRST, AGAIN), now, 0, 130) == (AGAIN, True)
        assert counting((FIRST, AGAIN), now, None, 100) == (FIRST, True)


def test_before_the_next_statement_is_known_what_counts_stays() -> None:
    """A later version is no better for being later."""
    assert counting((FIRST, AGAIN), FIRST, 0, None) == (FIRST, False)
    assert counting((FIRST, AGAIN), AGAIN, 0, None) == (AGAIN, False)


def test_where_no_version_or_several_fit_nothing_changes() -> None:
    """A person decides."""
    twin = replace(AGAIN, sha256="c" * 64, lines=3)
    assert counting((FIRST, AGAIN), FIRST, 0, 999) == (FIRST, False)
    assert counting((FIRST, AGAIN, twin), FIRST, 0, 130) == (FIRST, False)
    assert counting((FIRST, AGAIN), FIRST, 7, 130) == (FIRST, False)


def test_a_version_that_adds_up_takes_the_place_of_one_that_does_not() -> None:
    """At once, but not for certain; it never counts the other way round."""
    assert counting((WRONG, AGAIN), WRONG, 0, None) == (AGAIN, False)
    assert counting((WRONG, AGAIN), AGAIN, 0, None) == (AGAIN, False)
    assert counting((WRONG, AGAIN), WRONG, 0, 100) == (AGAIN, False)
    assert counting((WRONG,), WRONG, 0, None) == (WRONG, False)
