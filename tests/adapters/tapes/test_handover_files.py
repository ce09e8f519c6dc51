"""The files of a handover are read as the loans that stand, whatever was done to them."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.tapes.handover import HandoverWriter
from adapters.tapes.report.tape import TapeReport
from domain.kernel.command import Actor
from domain.loan.boarding import BoardLoan
from domain.loan.change import Aggregates, Change
from domain.loan.decide import decide
from domain.loan.handover import handed_over, names_of
from tests.support.progresstapes import LOAN, NEW, PAID, PRODUCTS, event, read_files, read_openings
from workers.accounts import accounts_of
from workers.compose import rulebook
from workers.rails import classes_of, rails_of
from workers.settings import Settings

AT = datetime(2026, 5, 20, 9, tzinfo=UTC)
DECLINED = event(
    "attempt", 5, on="2026-05-18", amount="100", order_no="OLD-5", outcome="declined", code="64"
)
CASES: dict[str, tuple[dict[str, str], list[dict[str, str]]]] = {
    "nothing was paid": ({**LOAN, "past": "owed"}, []),
    "attempts alone": (dict(PAID), [DECLINED]),
    "attempts and nothing paid": ({**LOAN, "past": "owed"}, [DECLINED]),
    "as scheduled": (dict(PAID), []),
    "by the balance": (
        {**PAID, "paid_principal": "500", "paid_interest": "42", "balance": "700"},
        [],
    ),
    "written off": (
        {
            **LOAN,
            "balance": "0",
            "written_off_on": "2026-05-01",
            "written_off_principal": "1200",
        },
        [],
    ),
    "waived, charged and cancelled": (
        dict(LOAN),
        [
            event("penalty", 1, penalty="3"),
            event("charged", 2, fee="2", cost="1"),
            event("waived", 1, interest="12.40", penalty="1"),
            event("paid", 1, principal="100", on="2026-02-11", reference="T 1"),
            event("cancelled", 3),
        ],
    ),
    "references that begin like formulas": (
        {**PAID, "paid_through": "", "advance": "7.77", "advance_ref": "'=R-7"},
        [
            event("paid", 1, principal="50", on="2026-02-11", reference='=HYPERLINK("x")'),
            event("paid", 1, principal="20", on="2026-02-12", reference="@SUM(A1)"),
            event("paid", 1, principal="20", on="2026-02-13", reference="'-7"),
            event("attempt", 5, on="2026-05-18", amount="9", order_no="-1", outcome="declined"),
        ],
    ),
    "a debit with a surplus, one that came back in part, a recovered write-off": (
        {**LOAN, "unplaced": "5"},
        [
            event(
                "attempt", 1, on="2026-02-10", amount="117.40", order_no="A", outcome="confirmed"
            ),
            event(
                "paid",
                1,
                principal="100",
                interest="12.40",
                on="2026-02-10",
                order_no="A",
                unplaced="5",
            ),
            event(
                "attempt",
                2,
                on="2026-03-10",
                amount="110.27",
                order_no="B",
                outcome="returned",
                code="AM04",
            ),
            event("paid", 2, principal="100", on="2026-03-10", order_no="B", returned="10.27"),
            event("written_off", 3, on="2026-04-20"),
            event("paid", 3, principal="100", interest="10.33", on="2026-05-10", reference="R 3"),
        ],
    ),
    "on hold": (
        {**PAID, "hold": "contact", "hold_reason": "hardship", "hold_since": "2026-05-01"},
        [event("held", 6, on="2026-05-02", hold="debit", reason="a dispute")],
    ),
    "barred, cleared, named by its rail, paid ahead by two transfers, with a plan of its own": (
        {
            **LOAN,
            "advance": "7.77",
            "advance_ref": "R-7",
            "barred_by": "ACCOUNT AC04 X-1 DECEASED - X-2",
        },
        [
            event(
                "attempt", 1, on="2026-02-10", amount="224.80", order_no="A", outcome="confirmed"
            ),
            event(
                "paid",
                1,
                principal="100",
                interest="12.40",
                on="2026-02-10",
                order_no="A",
                unplaced="112.40",
                bank_ref="B/1 B/2",
            ),
            event(
                "attempt",
                2,
                on="2026-03-10",
                amount="110.27",
                order_no="B",
                outcome="declined",
                outcome_class="MANDATE",
                code="MD01",
                cleared="yes",
                plan="past",
            ),
            event(
                "attempt",
                2,
                on="2026-03-12",
                amount="110.27",
                order_no="C",
                outcome="declined",
                code="64",
                plan="counts",
            ),
            event("advance", 5, amount="2.5", reference="R-8"),
        ],
    ),
    "paid ahead": ({**PAID, "advance": "7.77", "advance_ref": "R-7"}, []),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_read_as_the_same_loan(tmp_path: Path, name: str) -> None:
    """Schedule, debt, attempts and what is owed come back as they were."""
    row, history = CASES[name]
    rails = rails_of(Settings(), None)
    rules = rulebook(rails, accounts_of(Settings(), rails, PRODUCTS))
    classes: dict[str, Any] = {"class_of": classes_of(rails)}
    (command,) = read_openings(tmp_path, row, history=history, **classes).rows
    stands = _handed_over(command, Aggregates(AT, rules))
    report = _written(tmp_path, stands, classes)
    assert (report.faults, report.controls) == ((), {"CNY": True})
    (again,) = report.rows
    assert again.identity() == stands.identity()


def test_of_earlier_days_only_debits_with_news_are_written(tmp_path: Path) -> None:
    """What a former system cannot know yet: of payments and debits after a day, and of returns."""
    row, history = CASES[
        "a debit with a surplus, one that came back in part, a recovered write-off"
    ]
    (command,) = read_openings(tmp_path, row, history=history).rows
    for news, orders in ((frozenset(), set()), (frozenset({"B"}), {"B"})):
        told = io.StringIO()
        writer = HandoverWriter(io.StringIO(), told, since=date(2026, 5, 9))
        writer.add(command, news)
        rows = [line for line in csv.DictReader(told.getvalue().splitlines()) if line["order_no"]]
        assert {(line["event"], line["order_no"]) for line in rows} == {
            (event, order) for order in orders for event in ("attempt", "paid")
        }
        assert "R 3" in told.getvalue()


def test_a_loan_that_begins_here_is_handed_over_before_anything_happened(tmp_path: Path) -> None:
    """Its interest is that of its own schedule, not of the rate of zero that the tape states."""
    rails = rails_of(Settings(), None)
    rules = rulebook(rails, accounts_of(Settings(), rails, PRODUCTS))
    (command,) = read_openings(tmp_path, NEW).rows
    stands = _handed_over(command, Aggregates(datetime(2026, 1, 12, 9, tzinfo=UTC), rules))
    (again,) = _written(tmp_path, stands, {}).rows
    assert again.identity() == stands.identity()
    assert sum(line.interest for line in again.schedule) == 7877


def _handed_over(command: BoardLoan, books: Aggregates) -> BoardLoan:
    change = decide(books, command)
    assert isinstance(change, Change), change
    loan = change.loans[command.loan_id]
    references = {payment.id: names_of(payment) for payment in change.payments.values()}
    day = books.at.date()
    stands = handed_over(loan, references, day, "acquit", "handover", Actor("test", "t1"))
    opening = stands.opening
    assert opening is not None
    # Payments without a day come first on a tape.
    paid = sorted(opening.payments, key=lambda paid: (paid.on is not None, paid.on))
    return replace(stands, opening=replace(opening, payments=tuple(paid)))


def _rows(file: io.StringIO) -> list[list[str]]:
    return list(csv.reader(file.getvalue().splitlines()))


def _written(folder: Path, command: BoardLoan, options: dict[str, Any]) -> TapeReport:
    tape, history = io.StringIO(), io.StringIO()
    writer = HandoverWriter(tape, history)
    writer.add(command)
    writer.close()
    cells = [cell for file in (tape, history) for row in _rows(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    return read_files(folder, tape.getvalue(), history.getvalue(), **options)
