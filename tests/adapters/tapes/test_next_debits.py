"""The next debit that a tape states is compared with ours, by day and by amount."""

from datetime import date
from pathlib import Path

import pytest

from adapters.tapes.loan.comparing import Due
from tests.support.progresstapes import LOAN, NEW, PAID, event, read_openings

JUNE = date(2026, 6, 10)
"""The fifth installment falls due then, with 108.27."""


@pytest.mark.parametrize(
    ("amount", "agrees"), [("108.27", True), ("108.28", True), ("108.29", False), ("0", False)]
)
def test_the_amount_of_the_next_debit_agrees_within_one_unit(
    tmp_path: Path, amount: str, agrees: bool
) -> None:
    """A difference is listed with line, loan, and both figures; it keeps no loan out."""
    row = {**PAID, "next_due_on": "2026-06-10", "next_due_amount": amount}
    report = read_openings(tmp_path, row)
    assert (report.fault_count, report.next_debits.compared) == (0, 1)
    assert report.next_debits.differ == (0 if agrees else 1)
    if not agrees:
        (found,) = report.next_debits.exceptions
        assert (found.line, found.loan_id, found.computed) == (2, "L-1", Due(10_827, JUNE))


def test_the_first_installment_that_is_owed_is_the_next_one(tmp_path: Path) -> None:
    """The history paid the fifth as well, so the stated day is not the day of our next debit."""
    rows = [
        event("paid", n, principal="100", interest=i)
        for n, i in zip((1, 2), ("12.40", "10.27"), strict=True)
    ]
    row = {**LOAN, "paid_through": "2026-02-10", "next_due_on": "2026-03-10"}
    (found,) = read_openings(tmp_path, row, history=rows).next_debits.exceptions
    assert (found.stated, found.computed) == (
        Due(None, date(2026, 3, 10)),
        Due(11_033, date(2026, 4, 10)),
    )


def test_a_loan_that_owes_nothing_has_no_next_debit(tmp_path: Path) -> None:
    """An amount that is stated for it differs; a loan of which nothing is stated is not counted."""
    done = {**PAID, "paid_principal": "1200", "paid_interest": "42", "balance": "0"}
    figures = read_openings(tmp_path, {**done, "next_due_amount": "5"}).next_debits
    assert (figures.compared, figures.exceptions[0].computed) == (1, Due(None))
    assert read_openings(tmp_path, PAID).next_debits.compared == 0
    (fault,) = read_openings(tmp_path, {**NEW, "next_due_amount": "5"}).faults
    assert fault.field == "next_due_amount"
    (fault,) = read_openings(tmp_path, {**PAID, "next_due_amount": "five"}).faults
    assert fault.field == "next_due_amount"


def test_a_due_date_that_moves_to_a_banking_day_is_the_same_day(tmp_path: Path) -> None:
    """10 May is a Sunday: the former system states it, and we debit on the day after."""
    row = {**LOAN, "as_of": "2026-05-01", "paid_through": "2026-04-10", "next_due_on": "2026-05-10"}
    figures = read_openings(tmp_path, row).next_debits
    assert (figures.compared, figures.agreed) == (1, 1)
