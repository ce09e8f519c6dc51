"""Sign-off of a day: which roles, which words, and two people where it is not clean."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.audit.signoff import REASON_MOST, AuditDay, SignOrder, signed_off
from domain.errors import InvalidInput

AT = datetime(2026, 3, 11, 8, tzinfo=UTC)
CLEAN = AuditDay(date(2026, 3, 10), 1, AT, clean=True, findings=0, unexplained=0, digest="d")
UNCLEAN = replace(CLEAN, clean=False, findings=1, unexplained=2)
ORDER = SignOrder("finance", "fin-3", "seen and agreed")


def test_a_clean_day_is_signed_by_one_person() -> None:
    """The sign-off names the result by its digest."""
    found = signed_off(CLEAN, ORDER, AT)
    assert (found.day, found.run, found.digest, found.forced) == (CLEAN.day, 1, "d", False)
    assert (found.role, found.actor, found.approver) == ("finance", "fin-3", "")


def test_a_day_that_is_not_clean_needs_two() -> None:
    """Refused unless forced, and by two different people."""
    with pytest.raises(InvalidInput, match="1 findings, 2 unexplained differences"):
        signed_off(UNCLEAN, ORDER, AT)
    forced = replace(ORDER, force=True)
    with pytest.raises(InvalidInput, match="approver"):
        signed_off(UNCLEAN, forced, AT)
    with pytest.raises(InvalidInput, match="another person"):
        signed_off(UNCLEAN, replace(forced, approver="fin-3"), AT)
    found = signed_off(UNCLEAN, replace(forced, approver="fin-9"), AT)
    assert (found.forced, found.approver) == (True, "fin-9")


def test_a_clean_day_is_never_forced() -> None:
    """Whoever says so nevertheless."""
    assert not signed_off(CLEAN, replace(ORDER, force=True), AT).forced


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "operations"),
        ("actor", ""),
        ("actor", "x" * 121),
        ("reason", "   "),
        ("reason", "x" * (REASON_MOST + 1)),
        ("reason", "two\nlines"),
    ],
)
def test_words_that_say_nothing_are_refused(field: str, value: str) -> None:
    """By field and rule."""
    changed = replace(ORDER, **{field: value})  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=field):
        signed_off(CLEAN, changed, AT)
