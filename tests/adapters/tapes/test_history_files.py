"""Files of histories: their header, their limits, and the loans that their rows are of."""

from pathlib import Path

import pytest

from adapters.refusals import SourceRefused
from adapters.tapes.files import csvtable
from adapters.tapes.files.history import read_history
from adapters.tapes.files.rows import HistoryFault
from tests.support.progresstapes import LOAN, NEW, PAID_ROWS, TAKEN, read_openings


def test_rows_of_unknown_loans_and_rows_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """Each unknown loan once; a row without a loan stops the tape as well."""
    rows = [
        {**PAID_ROWS[0], "loan_id": "L-9"},
        {**PAID_ROWS[1], "loan_id": "L-9"},
        {**PAID_ROWS[0], "loan_id": ""},
    ]
    report = read_openings(tmp_path, LOAN, history=rows)
    assert [(fault.file, fault.line, fault.field) for fault in report.faults] == [
        ("history", 2, "loan_id"),
        ("history", 4, "loan_id"),
    ]
    assert report.faults[0].rule == "a loan of the tape"
    assert read_openings(tmp_path, LOAN, LOAN, history=rows[:2], limit=1).fault_count == 0


@pytest.mark.parametrize(
    ("text", "field", "value", "rule"),
    [
        ("L-1,1,paid", "columns", "3", "4, as in the header"),
        (f"L-1,1,paid,{'1' * 1001}", "principal", "1" * 19 + "…", "at most 1000 characters"),
        ("L-1,1,paid,1\x1f1", "principal", "1\x1f1", "on one line"),
    ],
)
def test_a_row_of_another_shape_makes_its_loan_bad(
    tmp_path: Path, text: str, field: str, value: str, rule: str
) -> None:
    """Its loan is known by its column, so the row of the tape cannot be boarded either."""
    path = tmp_path / "h.csv"
    path.write_text(f"loan_id,installment,event,principal\n{text}\n", encoding="utf-8")
    with pytest.raises(HistoryFault) as fault:
        read_history(path).of("L-1")
    assert (fault.value.line, fault.value.field) == (2, field)
    assert str(fault.value.value) == value
    assert rule in fault.value.rule


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("loan_id,event", "'installment' is refused: must be there"),
        ("loan_id,installment,event,event", "'event' is refused: each column once"),
        ("loan_id,installment,event,payed_on", "'payed_on' is refused: one of loan_id, inst"),
    ],
)
def test_a_history_whose_header_cannot_be_read_is_refused(
    tmp_path: Path, header: str, said: str
) -> None:
    """A misspelt column would be lost silently."""
    path = tmp_path / "h.csv"
    path.write_text(f"{header}\n", encoding="utf-8")
    with pytest.raises(SourceRefused, match=said):
        read_history(path)


def test_a_history_has_the_limits_of_a_tape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and bytes are limited before anything is kept; blank lines are none."""
    path = tmp_path / "h.csv"
    path.write_text("loan_id,installment,event\nL-1,1,paid\n,,\nL-1,2,paid\n", encoding="utf-8")
    assert [row.line for row in read_history(path).of("L-1")] == [2, 4]
    monkeypatch.setattr(csvtable, "MOST_ROWS", 1)
    with pytest.raises(SourceRefused, match="rows: 2 is refused: at most 1"):
        read_history(path)
    monkeypatch.setattr(csvtable, "MOST_BYTES", 10)
    with pytest.raises(SourceRefused, match="at most 10 bytes"):
        read_history(path)


def test_a_history_of_a_loan_that_begins_here_is_refused(tmp_path: Path) -> None:
    """Its row has no cut-over, so nobody knows until when the history is complete."""
    (fault,) = read_openings(tmp_path, NEW, history=PAID_ROWS).faults
    assert (fault.file, fault.line, fault.field) == ("tape", 2, "as_of")
    assert "line 2" in fault.rule


def test_one_order_is_a_debit_of_one_loan(tmp_path: Path) -> None:
    """Two loans with one order number: nobody knows whose money it was."""
    other = {**LOAN, "loan_id": "L-2"}
    events = [*TAKEN, *({**row, "loan_id": "L-2"} for row in TAKEN)]
    (fault,) = read_openings(tmp_path, LOAN, other, history=events).faults
    assert (fault.line, fault.field, fault.value) == (3, "order_no", "A1")
