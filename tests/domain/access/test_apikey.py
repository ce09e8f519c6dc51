"""Keys: a digest is kept, scopes narrow, an end is certain, and no key approves."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.access.apikey import (
    LONGEST,
    OVERLAP,
    ApiKey,
    key_may,
    key_text,
    new_key,
    parts_of,
    rotated,
    secret_digest,
)
from domain.access.person import Grant, Person, PersonState, Role
from domain.access.rights import ALLOWED, Denied, Right
from domain.errors import InvalidInput

AT = datetime(2026, 3, 2, tzinfo=UTC)
SECRET = "s" * 43
CORE = Person("core", grants=(Grant(Role.SERVICE, "north"),))
READS = frozenset({Right.READ_LOANS})


def _key(days: int = 30, scopes: frozenset[Right] = READS) -> ApiKey:
    return new_key("abcdefabcdef", SECRET, CORE, scopes, AT, days)


def test_a_key_is_kept_without_its_secret() -> None:
    """What is kept proves the secret and does not hold it."""
    key = _key()
    assert SECRET not in repr(key)
    assert key.digest == secret_digest(SECRET)
    assert key.proves(SECRET)
    assert not key.proves("t" * 43)
    assert parts_of(key_text(key.id, SECRET)) == (key.id, SECRET)


@pytest.mark.parametrize("text", ["", "acq_abc_def", "Bearer x", f"acq_ABCDEFABCDEF_{SECRET}"])
def test_what_is_no_key_has_no_parts(text: str) -> None:
    """It is told apart before anything is looked up."""
    assert parts_of(text) is None


def test_a_key_gives_its_scopes_where_its_person_has_the_right() -> None:
    """The key, its scopes and the person must all allow it."""
    key = _key()
    assert key_may(key, CORE, Right.READ_LOANS, "north", AT) == ALLOWED
    assert _rule(key, CORE, Right.READ_LOANS, "south") == "portfolio.other"
    assert _rule(key, CORE, Right.BOARD, "north") == "key.scope"
    assert _rule(key, CORE, Right.READ_LOANS, "north", AT + timedelta(days=30)) == "key.ended"
    gone = Person("core", state=PersonState.DISABLED, grants=CORE.grants)
    assert _rule(key, gone, Right.READ_LOANS, "north") == "person.disabled"
    revoked = ApiKey(key.id, "core", key.digest, READS, AT, key.ends_at, AT)
    assert _rule(revoked, CORE, Right.READ_LOANS, "north") == "key.ended"


@pytest.mark.parametrize("right", [Right.APPROVE, Right.MANAGE_ACCESS])
def test_no_key_approves_or_gives_rights(right: Right) -> None:
    """Neither when it is made nor when it is used, whoever its person is."""
    somebody = Person("ann", grants=(Grant(Role.APPROVER), Grant(Role.ADMIN)))
    with pytest.raises(InvalidInput, match="a right that a key may give"):
        new_key("abcdefabcdef", SECRET, somebody, frozenset({right}), AT, 1)
    forged = ApiKey("abcdefabcdef", "ann", "", frozenset({right}), AT, AT + LONGEST)
    assert _rule(forged, somebody, right, "north") == "key.never"


@pytest.mark.parametrize("days", [0, LONGEST.days + 1])
def test_a_key_ends(days: int) -> None:
    """There is no key without an end."""
    with pytest.raises(InvalidInput, match="days"):
        _key(days)


def test_a_key_is_for_something_that_its_person_may_do() -> None:
    """No scopes, one that the person has no right to, and a person that is gone are refused."""
    with pytest.raises(InvalidInput, match="at least one"):
        _key(scopes=frozenset())
    with pytest.raises(InvalidInput, match="a right of the person"):
        _key(scopes=frozenset({Right.READ_PAYOUTS}))
    gone = Person("core", state=PersonState.DISABLED, grants=CORE.grants)
    with pytest.raises(InvalidInput, match="an active person"):
        new_key("abcdefabcdef", SECRET, gone, READS, AT, 1)


def test_a_rotated_key_holds_for_the_overlap_and_never_longer_than_before() -> None:
    """Both keys hold for a while; the old one never gains by it."""
    key = _key()
    assert rotated(key, AT, timedelta(days=1)).ends_at == AT + timedelta(days=1)
    late = key.ends_at - timedelta(hours=1)
    assert rotated(key, late, OVERLAP).ends_at == key.ends_at
    with pytest.raises(InvalidInput, match="overlap"):
        rotated(key, AT, OVERLAP + timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="has not ended"):
        rotated(key, key.ends_at, timedelta())


def _rule(key: ApiKey, person: Person, right: Right, portfolio: str, at: datetime = AT) -> str:
    denied = key_may(key, person, right, portfolio, at)
    assert isinstance(denied, Denied)
    return denied.rule
