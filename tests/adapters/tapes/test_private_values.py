"""No fault of a tape, of its history or of an application repeats what may name a person."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.calendars import load_calendar
from adapters.refusals import SourceRefused
from adapters.tapes.application.boarding import UpstreamBoarding, application_of
from adapters.tapes.files.columns import CANONICAL
from adapters.tapes.files.mapping import CANONICAL_MAP, TapeMap
from adapters.tapes.loan.loans import BoardingRules
from domain.errors import InvalidInput
from tests.support.progresstapes import (
    LOAN,
    NEW,
    PAID,
    PRODUCTS,
    control,
    event,
    read_files,
    read_openings,
)

NAME = "Li Hua"
ODD = f"{NAME}\x1b"
LONG = f"{NAME}{'x' * 1_000}"
ROWS = [
    {**LOAN, "borrower": NAME},
    {**LOAN, "borrower": ODD},
    {**LOAN, "borrower": LONG},
    {**LOAN, "account_token": NAME},
    {**LOAN, "account_token": LONG},
    {**PAID, "evidence": ODD},
    {**PAID, "evidence": f"{NAME}{'x' * 80}"},
    {**PAID, "advance": "5", "advance_ref": ODD},
    {**PAID, "advance": "5", "advance_ref": f"{NAME}{'x' * 140}"},
    {**PAID, "advance_ref": NAME},
    {**NEW, "advance_ref": NAME},
]
EVENTS = [
    event("paid", principal="1", reference=ODD),
    event("paid", principal="1", reference=f"{NAME}{'x' * 140}"),
    event("paid", principal="1", reference=LONG),
    event("paid", principal="1", reference=f"{NAME}\x1fx"),
    event("waived", principal="1", reference=NAME),
    event("attempt", reference=NAME),
]


@pytest.mark.parametrize("row", ROWS)
def test_a_bad_row_names_its_column_and_not_the_person(tmp_path: Path, row: dict[str, str]) -> None:
    """The field and the rule are enough to find the cell."""
    faults = read_openings(tmp_path, row).faults
    assert faults
    assert not [fault for fault in faults if NAME in str(fault) or NAME in repr(fault)]


@pytest.mark.parametrize("row", EVENTS)
def test_a_bad_row_of_a_history_does_not_name_the_person(
    tmp_path: Path, row: dict[str, str]
) -> None:
    """A reference stands where payers write what they like."""
    (fault,) = read_openings(tmp_path, LOAN, history=[row]).faults
    assert (fault.field, fault.value) == ("reference", "(not shown)")
    assert NAME not in repr(fault)


@pytest.mark.parametrize("column", ["borrower", "account_token", "advance_ref", "evidence"])
def test_a_control_row_does_not_name_the_person(tmp_path: Path, column: str) -> None:
    """It has no such cell, and says so without repeating it."""
    total = {**control([PAID]), column: NAME}
    report = read_openings(tmp_path, PAID, totals=[total])
    assert [fault.value for fault in report.faults if fault.field == column] == ["(not shown)"]
    assert NAME not in repr(report.faults)


def test_a_column_that_the_map_does_not_name_is_not_repeated(tmp_path: Path) -> None:
    """Nobody knows what it holds; a column that it maps to a borrower is known to be private."""
    columns = {name: name for name in CANONICAL if name in NEW}
    tape_map = TapeMap.model_validate({"columns": {**columns, "borrower": "customer"}})
    for column in ("customer", "remarks"):
        row = {**NEW, "customer": "b", column: LONG}
        (fault,) = read_openings(tmp_path, row, totals=[], tape_map=tape_map).faults
        assert (fault.field, fault.value) == (column, "(not shown)")


def test_a_file_without_a_header_is_refused_without_its_first_row(tmp_path: Path) -> None:
    """What stands where the names of columns belong may be a person."""
    header = "loan_id,installment,event\n"
    for tape, history in ((f"L-1,{NAME},1200\n", header), ("loan_id\n", f"L-1,1,paid,{NAME}\n")):
        with pytest.raises(SourceRefused) as refused:
            read_files(tmp_path, tape, history)
        assert NAME not in str(refused.value)
        assert "a header with loan_id" in str(refused.value) or "must be there" in str(
            refused.value
        )


def test_an_application_is_refused_without_the_name(tmp_path: Path) -> None:
    """The error itself does not have it, whoever reports it."""
    (command,) = read_openings(tmp_path, PAID).rows
    sent = application_of(command)
    assert sent.opening is not None
    upstream = UpstreamBoarding(BoardingRules(CANONICAL_MAP, PRODUCTS, load_calendar))
    wrong = [
        replace(sent, borrower=NAME),
        replace(sent, account_token=NAME),
        replace(sent, opening=replace(sent.opening, advance="5", advance_ref=ODD)),
        replace(sent, opening=replace(sent.opening, evidence=f"{NAME}{'x' * 80}")),
        replace(
            sent,
            opening=replace(
                sent.opening,
                history=(replace(sent.opening.history[0], reference=ODD),),
            ),
        ),
    ]
    for application in wrong:
        with pytest.raises(InvalidInput) as refused:
            upstream.command(application)
        assert refused.value.value == "(not shown)"
        assert NAME not in str(refused.value)
