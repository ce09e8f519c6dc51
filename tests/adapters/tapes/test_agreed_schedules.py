"""Schedules that a former system agreed with the borrower, row by row in the history."""

from datetime import date
from pathlib import Path

import pytest

from tests.support.progresstapes import NEW, Read, event, opening_of, read_openings

AGREED = [
    event("scheduled", number, on=day, principal=principal, interest=interest)
    for number, day, principal, interest in (
        (2, "2026-03-12", "500", "7.77"),
        (1, "2026-02-10", "400", "9.99"),
        (3, "2026-06-12", "300", "0"),
    )
]


THREE = {"periods": "3"}


def test_a_schedule_that_was_agreed_elsewhere_replaces_the_computed_one(read: Read) -> None:
    """Its days and amounts are taken as they are, for loans in progress and for new ones."""
    rows = [*AGREED, event("paid", 1, principal="400", interest="9.99", on="2026-02-10")]
    (command,) = read(*rows, row=THREE).rows
    assert [(line.due_on, line.principal, line.interest) for line in command.schedule] == [
        (date(2026, 2, 10), 40000, 999),
        (date(2026, 3, 12), 50000, 777),
        (date(2026, 6, 12), 30000, 0),
    ]
    assert [line.balance for line in command.schedule] == [80000, 30000, 0]
    assert opening_of(read(*rows, row=THREE)).payments[0].on == date(2026, 2, 10)


def test_a_new_loan_may_have_an_agreed_schedule(tmp_path: Path) -> None:
    """It brings nothing else, so it says nothing of a day."""
    (command,) = read_openings(tmp_path, {**NEW, **THREE}, history=AGREED).rows
    assert (len(command.schedule), command.opening) == (3, None)


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"installment": "4"}, "installment", "1 to 3"),
        ({"installment": "2"}, "installment", "scheduled once"),
        ({"on": "2026-01-09"}, "on", "not before disbursed_on 2026-01-10"),
        ({"on": "soon"}, "on", "YYYY-MM-DD"),
        ({"principal": "299.99"}, "principal", "the rows repay 1199.99 CNY"),
        ({"principal": "0"}, "principal", "an amount in this row"),
        ({"penalty": "1"}, "penalty", "empty in a row of scheduled"),
    ],
)
def test_an_agreed_schedule_that_contradicts_the_loan_is_refused(
    read: Read, changed: dict[str, str], field: str, rule: str
) -> None:
    """The line of the history, its field, and what it should be."""
    (fault,) = read(*AGREED[:2], {**AGREED[2], **changed}, row=THREE).faults
    assert (fault.file, fault.line, fault.field) == ("history", 4, field)
    assert rule in fault.rule


def test_an_agreed_schedule_has_a_row_for_each_period(read: Read) -> None:
    """A row that lacks is a loan that asks for less."""
    (fault,) = read(*AGREED).faults
    assert fault.rule == "the last of 12 rows, one for each period; there are 3"


def test_an_agreed_schedule_stays_where_the_row_states_sums(read: Read) -> None:
    """A balance is then only compared: nothing is computed on it."""
    sums = {"paid_through": "2026-03-12", "paid_principal": "900", "paid_interest": "17.76"}
    (command,) = read(*AGREED, row={**THREE, **sums, "balance": "300"}).rows
    assert [line.due_on for line in command.schedule][-1] == date(2026, 6, 12)
    (fault,) = read(*AGREED, row={**THREE, **sums, "balance": "299"}).faults
    assert (fault.field, fault.rule) == (
        "balance",
        "300.00 CNY, which the agreed rows still ask for",
    )
