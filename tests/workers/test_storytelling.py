"""The story of a loan: plain sentences with amounts and dates, in order, and what comes next."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.loan.aggregate import Loan
from domain.loan.view import Beat, BeatKind
from ports.desk import StoryLine
from tests.support.auditbench import World, paid_and_closed
from workers.storytelling import coming, heading, sentence_of, standing, told

AT = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


def line(what: str, detail: str, number: int | None = 1) -> StoryLine:
    """Give one line as the desk tells it."""
    return StoryLine(1, AT, "driver/installment", what, detail, number)


@pytest.mark.parametrize(
    ("what", "detail", "said"),
    [
        (
            "fell_due",
            (
                "value 2026-03-10: Dr owed/L1/1/principal 100.00 CNY; "
                "Dr owed/L1/1/interest 1.00 CNY; "
                "Cr claim/funder-1 100.00 CNY; Cr claim/funder-1 1.00 CNY"
            ),
            "fell due: 101.00 CNY is owed",
        ),
        (
            "confirmed",
            (
                "value 2026-03-10: Dr clearing/simbank 111.00 CNY; "
                "Cr owed/L1/1/principal 101.00 CNY; "
                "Cr suspense/R-1 10.00 CNY"
            ),
            (
                "the rail reports 111.00 CNY taken, 101.00 CNY of what was owed is paid, "
                "10.00 CNY waits"
            ),
        ),
        (
            "settled",
            "value 2026-03-11: Dr bank/A 101.00 CNY; Cr clearing/simbank 101.00 CNY",
            "the bank's statement proves 101.00 CNY on the account",
        ),
        (
            "withdrawn",
            (
                "value 2026-03-11: Cr clearing/transfer 101.00 CNY; "
                "Dr owed/L1/1/principal 60.00 CNY; Dr advance/L1 41.00 CNY"
            ),
            "a reported payment of 101.00 CNY was none; 60.00 CNY is owed again",
        ),
        (
            "withdrawn",
            "value 2026-03-11: Cr clearing/transfer 101.00 CNY; Dr advance/L1 101.00 CNY",
            "a reported payment of 101.00 CNY was none",
        ),
        ("held_direct", "value 2026-03-11: Dr payable/f 1.00 CNY; Cr held_by/f 1.00 CNY", ""),
        ("fell_due", "SCHEDULED -> DUE", ""),
        (
            "debit_intended",
            "DUE -> PRESENTED (order N1)",
            "a debit is ordered [PRESENTED] (order N1)",
        ),
        (
            "attempt",
            "order N1:  -> INTENDED (10100 due 2026-03-10)",
            "order N1: intended (101.00 CNY due 2026-03-10)",
        ),
        ("paid_in_part", "DUE -> DUE (receipt R)", "paid in part (receipt R)"),
        (
            "attempt_declined",
            "order N1: INTENDED -> DECLINED (NSF 64)",
            "order N1: declined (NSF 64)",
        ),
        ("unheard_of", "DUE -> DUE", "unheard of"),
        ("boarded", " -> SCHEDULED (2026-03-10)", "boarded [SCHEDULED] (2026-03-10)"),
        ("notice_failed", "queued -> failed (sms)", "the reminder did not arrive (sms)"),
        ("sent_again", "order N1: INTENDED -> INTENDED", "order N1 was sent again"),
        ("held", "DUE -> DUE (all fraud check)", "put on hold (all fraud check)"),
        ("queue_reminder", "", "a reminder was sent on its way"),
        ("hold", "fraud check", "put on hold (fraud check)"),
        ("waive", "refused by waive.state: {}", "waive was refused by rule waive.state"),
        ("roll_day", "", ""),
    ],
)
def test_each_line_becomes_a_sentence_or_is_told_by_another(
    what: str, detail: str, said: str
) -> None:
    """Amounts are the totals of the entry's postings; what the machine alone needs is left out."""
    assert sentence_of(line(what, detail), "CNY") == said


@pytest.fixture
def world() -> World:
    """Give a world in which one installment went from reminder to closure."""
    return paid_and_closed()


def loan_of(world: World) -> Loan:
    """Give the loan of that world."""
    return world.books.loans["L1"]


def test_times_are_those_of_the_product(world: World) -> None:
    """Half past one UTC is half past nine in Shanghai, where the borrower lives."""
    lines = [line("hold", "", None), line("unhold", "", 2), line("roll_day", "")]
    assert list(told(loan_of(world), lines)) == [
        "2026-03-10 09:30  put on hold",
        "2026-03-10 09:30  #2 the hold ended",
    ]


def test_heading_and_standing_say_amounts_and_no_person(world: World) -> None:
    """What it is, how it stands; the borrower is not named."""
    loan = loan_of(world)
    assert heading(loan) == (
        "Loan L1 (t1): 300.00 CNY disbursed on 2026-02-10, 3 installments, product test@1"
    )
    assert standing(loan, loan.installment(1)) == (
        "#1 due 2026-03-10: 101.00 CNY, CLOSED, owed 0.00, 1 attempts"
    )
    assert loan.borrower not in heading(loan)


def test_what_comes_next_is_a_beat_news_or_nothing(world: World) -> None:
    """A closed installment has nothing to come; another its next beat, or what it waits for."""
    loan, view = loan_of(world), world.books.view(2)
    assert coming(loan, world.books.view(1)) == "nothing: the evidence is complete"
    assert coming(loan, None) == "nothing: the evidence is complete"
    beat = Beat(BeatKind.PRESENT, AT, "due 2026-04-10", "present/2/1")
    assert coming(loan, replace(view, next_beat=beat)) == (
        "present on 2026-03-10 09:30 (due 2026-04-10)"
    )
    waiting = replace(view, next_beat=None, missing=("a receipt is not proven",))
    assert coming(loan, waiting) == "waiting for news; missing: a receipt is not proven"
