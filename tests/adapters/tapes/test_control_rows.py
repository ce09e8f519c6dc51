"""Control rows: what they state is what the rows sum to, or the tape is faulty at their line."""

from decimal import Decimal
from pathlib import Path

import pytest

from adapters.tapes.files.mapping import TapeMap
from tests.support.progresstapes import LOAN, NEW, PAID, control, read_openings

SECOND = {
    **LOAN,
    "loan_id": "L-2",
    "paid_through": "2026-02-10",
    "paid_principal": "100",
    "paid_interest": "12.40",
    "paid_penalty": "3",
    "waived_penalty": "1",
    "balance": "1100",
    "advance": "7.77",
    "advance_ref": "R-7",
}
FIRST = {
    **PAID,
    "paid_principal": "400",
    "paid_interest": "42",
    "penalty_accrued": "0",
}
LOST = {
    **LOAN,
    "loan_id": "L-3",
    "balance": "0",
    "written_off_on": "2026-05-01",
    "written_off_principal": "1200",
}
ROWS = (FIRST, SECOND, LOST)
TOTAL = {
    "loan_id": "TOTAL:CNY",
    "loans": "3",
    "principal": "3600",
    "paid_principal": "500",
    "paid_interest": "54.40",
    "paid_penalty": "3",
    "waived_penalty": "1",
    "balance": "1900",
    "penalty_accrued": "0",
    "written_off_principal": "1200",
    "advance": "7.77",
}


def test_a_control_row_states_what_the_rows_sum_to(tmp_path: Path) -> None:
    """It may stand anywhere, is no loan, and the report says that it agrees."""
    report = read_openings(tmp_path, *ROWS, totals=[TOTAL])
    assert (len(report.rows), report.faults, report.controls) == (3, (), {"CNY": True})
    first = read_openings(tmp_path, TOTAL, *ROWS, totals=[])
    assert [row.line for row in first.rows.kept] == [3, 4, 5]
    assert first.controls == {"CNY": True}


@pytest.mark.parametrize("name", sorted(set(TOTAL) - {"loan_id", "loans"}))
def test_a_total_that_is_off_by_one_unit_is_a_fault_of_its_line(tmp_path: Path, name: str) -> None:
    """Each amount by itself, with the value stated and the sum of the rows; loans stay good."""
    wrong = str(Decimal(TOTAL[name]) + Decimal("0.01"))
    report = read_openings(tmp_path, *ROWS, totals=[{**TOTAL, name: wrong}])
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.value) == (5, name, wrong)
    assert fault.rule == f"the rows sum to {Decimal(TOTAL[name]):.2f} CNY"
    assert report.controls == {"CNY": False}
    assert len(report.rows) == 3


def test_a_loan_that_was_lost_on_the_way_is_missed(tmp_path: Path) -> None:
    """The number of loans is a total as well, and so is what the lost one brought."""
    report = read_openings(tmp_path, FIRST, SECOND, totals=[TOTAL])
    said = {fault.field: fault.rule for fault in report.faults}
    assert said["loans"] == "the rows are 2"
    assert said["written_off_principal"] == "the rows sum to 0.00 CNY"


@pytest.mark.parametrize("name", sorted(set(TOTAL) - {"loan_id"}))
def test_a_column_that_rows_fill_is_stated_in_the_control_row(tmp_path: Path, name: str) -> None:
    """A sum that nobody states is compared with nothing."""
    lacking = {key: text for key, text in TOTAL.items() if key != name}
    (fault,) = read_openings(tmp_path, *ROWS, totals=[lacking]).faults
    assert (fault.line, fault.field, fault.rule) == (5, name, "must be given, as rows have it")


def test_each_currency_of_loans_in_progress_has_a_control_row(tmp_path: Path) -> None:
    """One for dollars is missing; loans that begin here alone need none, but may have one."""
    dollars = {**LOAN, "loan_id": "L-9", "product": "us-personal"}
    report = read_openings(tmp_path, *ROWS, dollars, totals=[TOTAL])
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.value) == (1, "loan_id", "TOTAL:USD")
    assert read_openings(tmp_path, NEW, totals=[]).controls == {}
    assert read_openings(tmp_path, NEW).controls == {"CNY": True}
    (wrong,) = read_openings(tmp_path, NEW, totals=[{**control([NEW]), "loans": "2"}]).faults
    assert (wrong.line, wrong.field) == (3, "loans")


@pytest.mark.parametrize(
    ("totals", "line", "field", "value", "rule"),
    [
        ([{**TOTAL, "loan_id": "TOTAL:ZZZ"}], 5, "currency", "ZZZ", "a currency of ISO 4217"),
        ([TOTAL, TOTAL], 6, "loan_id", "TOTAL:CNY", "one control row for each currency; line 5"),
        ([{**TOTAL, "periods": "36"}], 5, "periods", "36", "empty in the control row of CNY"),
        ([{**TOTAL, "currency": "USD"}], 5, "currency", "USD", "empty in the control row"),
        ([{**TOTAL, "balance": "1,100"}], 5, "balance", "1,100", "a plain decimal number"),
        ([{**TOTAL, "loans": "3.0"}], 5, "loans", "3.0", "a whole number"),
    ],
)
def test_a_control_row_that_cannot_be_understood_is_named(
    tmp_path: Path, totals: list[dict[str, str]], line: int, field: str, value: str, rule: str
) -> None:
    """Nothing in it is passed over."""
    found = read_openings(tmp_path, *ROWS, totals=totals).faults
    fault = next(fault for fault in found if fault.line == line)
    assert (fault.field, fault.value) == (field, value)
    assert rule in fault.rule


def test_bad_rows_count_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A loan whose holder is lacking counts; one whose balance is no number leaves it unknown."""
    bad = {**SECOND, "holder": ""}
    counted = read_openings(tmp_path, FIRST, bad, LOST, totals=[TOTAL])
    assert [fault.line for fault in counted.faults] == [3]
    assert counted.controls == {"CNY": True}
    unread = read_openings(tmp_path, FIRST, {**SECOND, "balance": "?"}, LOST, totals=[TOTAL])
    assert [(fault.line, fault.field) for fault in unread.faults] == [
        (3, "balance"),
        (5, "balance"),
    ]
    assert unread.faults[1].rule == (
        "the rows sum to 800.00 CNY, without line 3, which cannot be read"
    )
    strange = {**SECOND, "product": "cn-other"}
    lost = read_openings(tmp_path, FIRST, strange, {**strange, "loan_id": "L-8"}, totals=[TOTAL])
    rules = {fault.field: fault.rule for fault in lost.faults if fault.line == 5}
    assert rules["loans"] == "the rows are 1, without line 3 and 1 lines more, which cannot be read"


def test_a_tape_that_is_not_read_whole_is_not_compared(tmp_path: Path) -> None:
    """The first two of three loans sum to less, and nobody says otherwise."""
    report = read_openings(tmp_path, *ROWS, totals=[TOTAL], limit=2)
    assert (len(report.rows), report.faults, report.controls) == (2, (), None)


def test_totals_and_openings_come_through_maps(tmp_path: Path) -> None:
    """The control row is known by the column that has the loan id; constants state nothing."""
    names = ("principal", "annual_rate", "periods", "disbursed_on", "as_of", "paid_through")
    tape_map = TapeMap.model_validate(
        {
            "columns": {
                "loan_id": "Konto",
                "loans": "Anzahl",
                **{name: f"x_{name}" for name in names},
            },
            "constants": {
                "product": "cn-business",
                "holder": "old-bank",
                "evidence": "list 7",
                "currency": "CNY",
            },
            "templates": {"borrower": "b-{loan_id}"},
        }
    )
    loan = {"Konto": "7", **{f"x_{name}": PAID[name] for name in names}}
    total = {"Konto": "TOTAL:CNY", "x_principal": "1200", "Anzahl": "1"}
    report = read_openings(tmp_path, loan, totals=[total], tape_map=tape_map)
    assert (report.faults, report.controls) == ((), {"CNY": True})
    opening = report.rows[0].opening
    assert opening is not None
    assert (opening.holder, len(opening.payments[0].parts)) == ("old-bank", 4)
    wrong = {**total, "x_principal": "1200.01"}
    (fault,) = read_openings(tmp_path, loan, totals=[wrong], tape_map=tape_map).faults
    assert (fault.line, fault.field) == (3, "principal")


@pytest.mark.parametrize(("paid", "agrees"), [("400", True), ("400.01", False)])
def test_a_total_counts_what_is_booked_although_no_cell_states_it(
    tmp_path: Path, paid: str, *, agrees: bool
) -> None:
    """A row that is paid as scheduled brings what its schedule asks for."""
    total = {"loan_id": "TOTAL:CNY", "loans": "1", "principal": "1200", "balance": "800"}
    report = read_openings(tmp_path, PAID, totals=[{**total, "paid_principal": paid}])
    assert report.controls == {"CNY": agrees}
