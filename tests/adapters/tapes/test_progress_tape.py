"""A tape in progress made of the real sample: read and boarded without a fault."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from adapters.calendars import load_calendar
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.report.openingtotals import opening_totals
from adapters.tapes.report.tape import TapeReport, read_tape
from domain.kernel.change import Refusal
from domain.loan.change import Aggregates
from domain.loan.decide import decide
from tests.support.progresstapes import PRODUCTS, ROOT
from tests.support.sampleprogress import ProgressTape, next_due, write_progress
from workers.accounts import accounts_of
from workers.compose import rulebook
from workers.rails import rails_of
from workers.settings import Settings

SAMPLE = ROOT.parent / "shared" / "data" / "loans" / "lendingclub-2018q1.csv"
TODAY = date(2026, 4, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[ProgressTape, TapeReport]:
    """The whole sample as a tape in progress, and what reading it gave."""
    if not SAMPLE.is_file():
        pytest.skip("the sample loans are not here (../shared/data/loans)")
    path = tmp_path_factory.mktemp("progress") / "tape.csv"
    tape = write_progress(SAMPLE, path, today=TODAY)
    return tape, read_tape(path, CANONICAL_MAP, PRODUCTS, load_calendar)


def test_five_thousand_real_loans_opening_totals_are_read(
    made: tuple[ProgressTape, TapeReport],
) -> None:
    """Their sums are those of the sample to the cent, and so is the control row.

    Of two, more interest was paid than their rate and the installments that are closed ask for: the
    source has the rate of one of them wrong, and calls the other later than its payments are.
    """
    tape, report = made
    assert (len(report.rows), report.controls, tape.loans) == (4998, {"USD": True}, 5000)
    assert [(it.line, it.field, it.value) for it in report.faults] == [
        (1969, "paid_interest", "1382.20"),
        (4015, "paid_interest", "372.10"),
    ]
    assert report.comparison.agreed == 4997
    (sums,) = (totals.sums for totals in opening_totals(report.rows))
    figures = {
        "paid_principal": sums.paid.principal,
        "paid_interest": sums.paid.interest,
        "paid_penalty": sums.paid.penalty,
        "balance": sums.owed.principal,
        "written_off_principal": sums.written_off.principal,
    }
    bad = {"paid_principal": 278_015 + 59_185, "paid_interest": 138_220 + 37_210}
    bad |= {"paid_penalty": 1_676, "balance": 2_521_985 + 940_815}
    stated = {name: int(Decimal(tape.sums[name]) * 100) - bad.get(name, 0) for name in figures}
    assert figures == stated
    assert stated["balance"] + bad["balance"] == 7_168_901_102


def test_what_falls_due_after_the_cut_over_is_all_that_is_open_of_loans_that_are_not_late(
    made: tuple[ProgressTape, TapeReport],
) -> None:
    """Late loans have overdue rows, 83 of them; the others fall due on the next date first.

    Of the 4,702 good rows that the sample calls current, one has nothing left to pay.
    """
    tape, report = made
    first_open: Counter[bool] = Counter()
    for command in report.rows:
        opening = command.opening
        assert opening is not None
        paid = {part.number for payment in opening.payments for part in payment.parts}
        lost = {item.number for item in opening.items if item.written_off_on}
        rest = [line for line in command.schedule if line.number not in paid | lost]
        if rest:
            first_open[rest[0].due_on > tape.as_of] += 1
    assert first_open == {True: 4701, False: 83}


def test_the_books_would_take_them_all(made: tuple[ProgressTape, TapeReport]) -> None:
    """Every twentieth loan is decided on by the books' rules, a few days after the cut-over."""
    rails = rails_of(Settings(), None)
    rules = rulebook(rails, accounts_of(Settings(), rails, PRODUCTS))
    books = Aggregates(datetime.combine(TODAY, time(12), UTC), rules)
    answers = [decide(books, command) for command in made[1].rows[::20]]
    assert len(answers) == 250
    assert [answer for answer in answers if isinstance(answer, Refusal)] == []


def test_the_cut_over_is_a_few_days_before_today_whatever_the_day() -> None:
    """The next due date is a day that every month has, after today and within five days."""
    days = [date(2026, 1, 1) + timedelta(days=ahead) for ahead in range(730)]
    dues = [next_due(day) for day in days]
    assert all(1 <= (due - day).days <= 4 for day, due in zip(days, dues, strict=True))
    assert max(due.day for due in dues) == 28
