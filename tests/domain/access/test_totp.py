"""One-time codes: the published values, and each code once."""

import pytest

from domain.access.totp import code_at, enrolment, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("unix_s", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(unix_s: int, code: str) -> None:
    """RFC 6238 appendix B, the last six digits of its SHA-1 column."""
    assert code_at(SECRET, unix_s // 30) == code
    assert step_of(SECRET, code, unix_s, -1) == unix_s // 30


def test_a_code_holds_for_one_step_to_either_side_and_once() -> None:
    """A device may be half a minute off; a code that was used, or one before it, is worth none."""
    code = code_at(SECRET, 100)
    found = {step: step_of(SECRET, code, step * 30, -1) for step in range(98, 103)}
    assert found == {98: None, 99: 100, 100: 100, 101: 100, 102: None}
    assert step_of(SECRET, code, 3000, 100) is None
    assert step_of(SECRET, "000000", 3000, -1) is None


def test_the_enrolment_names_the_person_and_the_secret() -> None:
    """In base 32 without padding, as authenticator programs read it."""
    text = enrolment(SECRET, "ann")
    assert text.startswith("otpauth://totp/Acquit:ann?")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&" in text
