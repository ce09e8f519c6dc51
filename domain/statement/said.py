"""What a booked entry says of itself by which it may be matched later: keys, and words."""

from collections.abc import Iterator

from domain.matching.model import Key, Pass
from domain.matching.reference import is_creditor_reference, plain_reference, virtual_part
from domain.statement.identity import given
from domain.statement.statement import LineItem, StatementLine
from domain.text import cleaned

KEYS_MOST = 20
"""Keys that are remembered of one entry; references beyond them name nothing."""
KEY_MOST = 160
"""Letters of a key that are compared, as many as the books keep of a reference."""
TEXT_MOST = 200
"""Letters of name and free text that are remembered while an entry waits."""


def keys_of(line: StatementLine, item: LineItem | None) -> tuple[Key, ...]:
    """The keys of one transaction, or of an entry without any, in the order of passes.

    A virtual account, or the reference of a loan, is known by its check digits wherever it stands.
    """
    found = (Key(of, text[:KEY_MOST]) for of, text in _keys(line, item) if text)
    return tuple(dict.fromkeys(found))[:KEYS_MOST]


def text_of(line: StatementLine, item: LineItem | None) -> str:
    """The name of the other side and the free text, on one line."""
    other = None if item is None else item.counterparty
    name = other.name if other is not None and other.name else ""
    return cleaned(f"{name} {line.text}")[:TEXT_MOST]


def _keys(line: StatementLine, item: LineItem | None) -> Iterator[tuple[Pass, str | None]]:
    if item is None:
        yield Pass.BANK_REFERENCE, given(line.servicer_ref)
        return
    yield Pass.END_TO_END, item.end_to_end_id
    yield Pass.BANK_REFERENCE, item.tx_id
    yield Pass.BANK_REFERENCE, given(line.servicer_ref)
    yield Pass.MANDATE, item.mandate_ref
    for reference in item.remittance:
        yield Pass.STRUCTURED, reference
    said = (*item.references, *(text for _, text in item.other_refs))
    for reference in said:
        yield Pass.VIRTUAL_ACCOUNT, virtual_part(reference)
    for reference in filter(is_creditor_reference, said):
        yield Pass.LOAN_REFERENCE, plain_reference(reference)
