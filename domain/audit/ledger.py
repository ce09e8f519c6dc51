"""Checks on the ledger: entries balance, and accounts are the sums of their open items."""

from collections.abc import Iterator

from domain.audit.facts import BooksFacts
from domain.audit.findings import Finding, FindingKind
from domain.audit.tally import Tally
from domain.loan.aggregate import Installment, Loan
from domain.loan.sharing import held
from domain.pricing.amounts import Amounts, Component


def unbalanced(sums: Tally) -> Iterator[Finding]:
    """Entries whose postings do not sum to zero."""
    for (seq, currency), minor in sums.entries.items():
        if minor != 0:
            text = "postings do not sum to zero"
            yield Finding(FindingKind.UNBALANCED, f"entry {seq}", text, minor, currency)


def chain(books: BooksFacts) -> Iterator[Finding]:
    """What recomputing the chain found, and postings that it does not count."""
    for fault in books.chain.faults:
        yield Finding(FindingKind.CHAIN, "journal", fault)
    if books.chain.postings != len(books.postings):
        text = f"{len(books.postings)} postings read, {books.chain.postings} in the chain"
        yield Finding(FindingKind.CHAIN, "journal", text)


def items_differ(books: BooksFacts, sums: Tally) -> Iterator[Finding]:
    """Accounts by item against the aggregates: both signs are looked at, also of unknown items."""
    expected = _Expected()
    for loan in books.loans:
        _expect_loan(loan, expected)
    for name, sides in (
        ("receipt", (expected.by_receipt, sums.by_receipt)),
        ("part", (expected.by_part, sums.by_part)),
    ):
        wanted, found = sides
        for key in sorted(wanted.keys() | found.keys()):
            should, does = wanted.get(key, 0), found.get(key, 0)
            if should != does:
                text = f"{key[0]} is {does} in the journal and {should} by its {name}"
                yield Finding(FindingKind.ITEMS_DIFFER, key[1], text, does - should)
    for loan_id in sorted(expected.payable.keys() | sums.payable.keys()):
        should, does = expected.payable.get(loan_id, 0), sums.payable.get(loan_id, 0)
        if should != does:
            text = f"payable is {does} in the journal and {should} by what was allocated"
            yield Finding(FindingKind.ITEMS_DIFFER, loan_id, text, does - should)
    for (loan_id, number), shares in sorted(sums.payable_by_item.items()):
        for (component, party), minor in sorted(shares.items()):
            if minor > 0:
                subject = f"{loan_id}/{number}/{component}"
                text = f"more than its share was taken from {party}"
                yield Finding(FindingKind.ITEMS_DIFFER, subject, text, minor)


class _Expected:
    """What accounts should hold by the aggregates; credit negative, zeros left out."""

    def __init__(self) -> None:
        self.by_receipt: dict[tuple[str, str], int] = {}
        self.by_part: dict[tuple[str, str], int] = {}
        self.payable: dict[str, int] = {}


def _expect_loan(loan: Loan, expected: _Expected) -> None:
    for receipt in loan.receipts:
        for kind, minor in (
            ("clearing", receipt.clearing_minor),
            ("suspense", -receipt.waiting_minor),
            ("advance", -receipt.advance_minor),
            ("held_by", -sum(held(loan, receipt).values())),
        ):
            if minor != 0:
                expected.by_receipt[(kind, receipt.id)] = minor
    for item in loan.installments:
        for kind, amounts in _parts(item):
            for component in Component:
                if minor := amounts.of(component):
                    part = f"{loan.id}/{item.number}/{component}"
                    expected.by_part[(kind, part)] = minor
    # Collected shares, less what lies with the payee already (direct routing).
    collected = sum(item.allocated.total for item in loan.installments)
    theirs = sum(sum(held(loan, receipt).values()) for receipt in loan.receipts)
    expected.payable[loan.id] = theirs - collected


def _parts(item: Installment) -> Iterator[tuple[str, Amounts]]:
    yield "owed", item.owed
    yield "forgiven", item.forgiven
    yield "written_off", item.written_off
    yield "subrogated", item.subrogated
