"""Codes that a table does not have are compared with those that it has."""

from types import MappingProxyType

import pytest

from domain.debit.codes import CodeRow, CodeTable, LocalText
from domain.debit.outcome import OutcomeClass

TEXT = LocalText(zh="z", en="e")


def row(code: str, outcome_class: OutcomeClass = OutcomeClass.NSF) -> CodeRow:
    """A row of a table of one rail."""
    return CodeRow(
        rail="r",
        product="p",
        code=code,
        text="t",
        text_en="t",
        outcome_class=outcome_class,
        machine_retry=True,
        retry_limit=1,
        retry_within_days=None,
        wait_hours=0,
        finality="f",
        action="retry",
        borrower=TEXT,
        can_do=TEXT,
        source="s",
    )


TABLE = CodeTable(
    "r",
    "p",
    MappingProxyType({code: row(code) for code in ("AM04", "AC04", "AC01", "64", "R01", "05")}),
    row("?", OutcomeClass.UNKNOWN_CODE),
)


@pytest.mark.parametrize(
    ("code", "first"),
    [("am-4", "AM04"), ("AM4", "AM04"), ("064", "64"), ("0064", "64"), ("r1", "R01"), ("5", "05")],
)
def test_a_code_that_is_written_otherwise_is_nearest_to_itself(code: str, first: str) -> None:
    """Case, signs and leading zeros differ between systems; three codes are named at most."""
    found = TABLE.nearest(code)
    assert found[0].code == first
    assert len(found) <= 3
    assert TABLE.lookup(code).outcome_class is OutcomeClass.UNKNOWN_CODE


def test_codes_that_are_like_nothing_have_none() -> None:
    """A wrong hint would be worse than none."""
    assert TABLE.nearest("QQQQ") == ()
    assert {near.code for near in TABLE.nearest("AC02")} >= {"AC01", "AC04"}
