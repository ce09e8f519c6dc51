"""What an entry says of itself: keys in the order of passes, and words, within limits."""

from dataclasses import replace
from datetime import date

from domain.matching.model import Key, Pass
from domain.matching.reference import creditor_reference, virtual_account
from domain.statement.said import KEY_MOST, KEYS_MOST, TEXT_MOST, keys_of, text_of
from domain.statement.statement import LineItem, Party, StatementLine

DAY = date(2026, 3, 10)
LINE = StatementLine("A/1", "A", DAY, DAY, 100, "CNY", "SR-1", text="rate\nmarch")
ITEM = LineItem(
    "E2E", "MANDATE", "TX", 100, remittance=("R-1",), counterparty=Party(name="Zhang Wei")
)


def test_an_item_has_a_key_for_each_pass_that_it_names() -> None:
    """Each reference is a key of its own pass; what the bank leaves out is none."""
    assert keys_of(LINE, ITEM) == (
        Key(Pass.END_TO_END, "E2E"),
        Key(Pass.BANK_REFERENCE, "TX"),
        Key(Pass.BANK_REFERENCE, "SR-1"),
        Key(Pass.MANDATE, "MANDATE"),
        Key(Pass.STRUCTURED, "R-1"),
    )
    assert keys_of(replace(LINE, servicer_ref="NONREF"), LineItem(None, None, None, 1)) == ()


def test_the_reference_of_a_loan_is_known_wherever_it_stands() -> None:
    """Creditor reference and virtual account are found by their check digits in any reference."""
    rf, number = creditor_reference("L1"), virtual_account("L1")
    spaced = LineItem(f"{rf[:4]} {rf[4:].lower()}", None, None, 1)
    assert Key(Pass.LOAN_REFERENCE, rf) in keys_of(LINE, spaced)
    other = LineItem(None, None, None, 1, other_refs=(("account", f"62280{number}"),))
    assert Key(Pass.VIRTUAL_ACCOUNT, number) in keys_of(LINE, other)


def test_an_entry_without_items_has_only_the_banks_reference() -> None:
    """Nothing else of it is known; its text is what the bank printed."""
    assert keys_of(LINE, None) == (Key(Pass.BANK_REFERENCE, "SR-1"),)
    assert text_of(LINE, None) == "rate march"


def test_name_and_text_are_on_one_line_within_limits() -> None:
    """The name comes first; a nameless party adds nothing; long keys and texts are cut."""
    assert text_of(LINE, ITEM) == "Zhang Wei rate march"
    assert text_of(LINE, replace(ITEM, counterparty=Party(account="X"))) == "rate march"
    assert len(text_of(replace(LINE, text="x" * 999), ITEM)) == TEXT_MOST
    many = replace(ITEM, remittance=tuple(f"R-{at}" for at in range(99)))
    assert len(keys_of(LINE, many)) == KEYS_MOST
    assert len(keys_of(LINE, replace(ITEM, end_to_end_id="E" * 999))[0].text) == KEY_MOST
