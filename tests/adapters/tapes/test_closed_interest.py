"""Interest beyond the closed installments, and holds, in the row of a loan in progress."""

from datetime import date
from pathlib import Path

import pytest

from domain.loan.aggregate import HoldKind
from domain.loan.boarding import BoardLoan
from domain.loan.opening import Opening, OpeningHold
from tests.support.progresstapes import PAID, read_openings

BALANCE = {**PAID, "paid_principal": "600", "paid_interest": "42", "balance": "600"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for tapes."""
    return tmp_path


def brought(folder: Path, values: dict[str, str]) -> tuple[BoardLoan, Opening]:
    """The command of one row, and its opening."""
    report = read_openings(folder, values)
    assert report.faults == ()
    (command,) = report.rows
    assert command.opening is not None
    return command, command.opening


def test_interest_of_an_odd_first_period_stands_in_the_closed_rows(folder: Path) -> None:
    """As much as the row that asks for most may be on top: 12.40 more than 42.00."""
    command, _ = brought(folder, {**BALANCE, "paid_interest": "54.40"})
    assert [line.interest for line in command.schedule[:4]] == [1240, 1027, 1033, 2140]


def test_a_row_may_say_that_the_loan_is_on_hold(folder: Path) -> None:
    """With what is stopped, why and since when; the day may be unknown."""
    held = {"hold": "debit", "hold_reason": "insolvency", "hold_since": "2026-05-02"}
    _, opening = brought(folder, {**PAID, **held})
    assert opening.holds == (
        OpeningHold(kind=HoldKind.DEBIT, reason="insolvency", since=date(2026, 5, 2)),
    )
    _, opening = brought(folder, {**BALANCE, "hold": "all", "hold_reason": "x"})
    assert opening.holds[0].since is None


@pytest.mark.parametrize(
    ("row", "field", "value", "rule"),
    [
        (
            {**BALANCE, "paid_interest": "54.41"},
            "paid_interest",
            "54.41",
            "at most 54.40 CNY, as installments 1 to 4 ask for 42.00 CNY; what was paid of later",
        ),
        (
            {**BALANCE, "paid_interest": "", "waived_interest": "54.41"},
            "waived_interest",
            "54.41",
            "with what was waived at most 54.40 CNY",
        ),
        ({**PAID, "unplaced": "5"}, "unplaced", "5", "told by the history, which names the debit"),
        ({**PAID, "barred_by": "ACCOUNT X"}, "barred_by", "ACCOUNT X", "class, code (or -) and"),
        ({**PAID, "barred_by": "GONE 1 X"}, "barred_by", "GONE 1 X", "class, code (or -) and"),
        ({**PAID, "barred_by": "NSF 1 X"}, "barred_by", "NSF", "each once"),
        ({**PAID, "hold": "payout"}, "hold", "payout", "debit, contact, all"),
        ({**PAID, "hold": "all"}, "hold_reason", "", "must be given"),
        ({**PAID, "hold_reason": "x"}, "hold_reason", "(not shown)", "given with what is on hold"),
        ({**PAID, "hold_since": "2026-05-01"}, "hold_since", "2026-05-01", "given with what is on"),
    ],
)
def test_what_contradicts_the_schedule_or_lacks_its_fellow_is_refused(
    folder: Path, row: dict[str, str], field: str, value: str, rule: str
) -> None:
    """By line, field, value and rule."""
    (fault,) = read_openings(folder, {**PAID, "loan_id": "L-0"}, row).faults
    assert (fault.line, fault.field, fault.value, fault.file) == (3, field, value, "tape")
    assert rule in fault.rule
