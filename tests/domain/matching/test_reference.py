"""References of loans have check digits by ISO 11649 and ISO 7064, and are always the same."""

import pytest

from domain.matching.reference import (
    creditor_reference,
    is_creditor_reference,
    plain_reference,
    spaced,
    virtual_account,
    virtual_part,
)

LOANS = [f"LC{number:05d}" for number in range(500)]


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        # Published examples of ISO 11649.
        ("RF18539007547034", True),
        ("RF18 5390 0754 7034", True),
        ("rf712348231", True),
        ("RF18539007547035", False),
        ("RF18", False),
        ("RFAB539007547034", False),
        ("XX18539007547034", False),
        ("RF18" + "0" * 22, False),
        ("RF18-39007547034", False),
        ("RF18\uff1539007547034", False),
    ],
)
def test_check_digits_of_a_creditor_reference(text: str, is_right: bool) -> None:
    """Length, shape and check digits are looked at, however it is spaced."""
    assert is_creditor_reference(text) is is_right


def test_the_reference_of_a_loan_is_valid_and_its_own() -> None:
    """No two loans of a portfolio share one, each passes the check, and it never changes."""
    made = [creditor_reference(name) for name in LOANS]
    assert all(is_creditor_reference(text) for text in made)
    assert len(set(made)) == len(LOANS)
    assert creditor_reference("LC00001") == "RF96996R6JP7DPN9SK3"


def test_one_wrong_character_or_two_that_changed_places_are_noticed() -> None:
    """What a person mistypes is no reference of another loan."""
    right = creditor_reference("LC00001")
    for at in range(4, len(right) - 1):
        wrong = right[:at] + ("7" if right[at] != "7" else "3") + right[at + 1 :]
        assert not is_creditor_reference(wrong)
        if right[at] != right[at + 1]:
            turned = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
            assert not is_creditor_reference(turned)


def test_a_virtual_account_is_known_by_its_check_digits() -> None:
    """Behind whatever prefix of the bank; a number that is none is not taken for one."""
    made = [virtual_account(name) for name in LOANS]
    assert len(set(made)) == len(LOANS)
    number = made[0]
    assert virtual_part(f"6228 48{number}") == number
    assert virtual_part(number) == number
    last = str((int(number[-1]) + 1) % 10)
    assert virtual_part(number[:-1] + last) is None
    assert virtual_part(number[1:]) is None
    assert virtual_part("X" + number[1:]) is None


def test_a_reference_is_printed_in_groups() -> None:
    """In groups of four, and read back without them."""
    assert spaced("RF18539007547034") == "RF18 5390 0754 7034"
    assert plain_reference(" rf18 5390\n0754 7034") == "RF18539007547034"
