"""The story of a loan: plain sentences with amounts and dates, in order, and what comes next."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.loan.aggregate import Loan
from domain.loan.view import Beat, BeatKind
from ports.desk import StoryLine
from tests.support.auditbench import World, paid_and_closed
from workers.console import note, print_table, print_text
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
        (
            "attempt_ended_finally",
            "PRESENTED -> DELINQUENT (paid in part; plan.attempts: none is left)",
            (
                "the debit took a part; a machine may not try the rest again [DELINQUENT] "
                "(paid in part; plan.attempts: none is left)"
            ),
        ),
        (
            "attempt_ended_retryable",
            "PRESENTED -> RETRYING (paid in part)",
            "the debit took a part; the rest will be tried again [RETRYING] (paid in part)",
        ),
        ("waive", "refused by waive.state: {}", "refused by rule waive.state"),
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


def given(kind: str, number: int | None = 1, **more: Any) -> StoryLine:
    """Give a command that left neither a move nor an entry, as the desk tells it."""
    at = StoryLine(1, AT, "operator/anna", kind, "", number, command_id="W-1", is_command=True)
    return replace(at, **more)


def test_times_are_those_of_the_product_with_their_offset(world: World) -> None:
    """Half past one UTC is half past nine in Shanghai, where the borrower lives."""
    lines = [given("hold", None), given("roll_day", command_id="D")]
    assert list(told(loan_of(world), lines)) == [
        "2026-03-10 09:30+08:00  hold ordered, by operator/anna (id W-1)",
        "    nothing changed",
    ]


def test_an_override_says_who_approved_it_under_which_id_and_why(world: World) -> None:
    """Actor, approver, id and reason stand on the line of the command, before its effects."""
    forgiven = replace(
        line("waived", "value 2026-03-10: Cr owed/L1/1/penalty 2.00 CNY; Dr forgiven/f/w 2.00 CNY"),
        actor="operator/anna",
        command="waive",
        command_id="W-1",
        approver="operator/ben",
        reason="courtesy",
    )
    assert list(told(loan_of(world), [forgiven])) == [
        (
            "2026-03-10 09:30+08:00  #1 waiver ordered, by operator/anna, approved by operator/ben "
            "(id W-1): courtesy"
        ),
        "    2.00 CNY was forgiven",
    ]


def test_effects_of_one_command_name_their_installments_where_they_differ(world: World) -> None:
    """A transfer that pays two installments is one event; each effect says which one."""
    paid = [
        replace(line("paid_in_full", "DUE -> CLEARING", number), command_id="P-1", command="x_y")
        for number in (1, 2)
    ]
    assert list(told(loan_of(world), paid)) == [
        "2026-03-10 09:30+08:00  x y, by driver/installment (id P-1)",
        "    #1 paid in full [CLEARING]",
        "    #2 paid in full [CLEARING]",
    ]


def test_money_is_told_with_its_payment_and_bank_line(world: World) -> None:
    """Whoever reads can follow the money: `acquit trail` takes both names."""
    proven = replace(
        line("settled", "value 2026-03-11: Dr bank/A 1.00 CNY; Cr clearing/simbank 1.00 CNY"),
        receipts=("R-1",),
        lines=("A/S/1",),
    )
    told_lines = list(told(loan_of(world), [proven]))
    assert told_lines[-1].endswith("(payment R-1, bank line A/S/1)")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2Jx", "\\x1b[2Jx"),
        ("pay\u202eno", "pay\\u202eno"),
        ("\x9b31m", "\\x9b31m"),
        ("\u00a0\u3000ok", "  ok"),
        ("逾期 \u00e9", "逾期 \u00e9"),
    ],
)
def test_what_comes_from_outside_cannot_forge_a_line(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line breaks, escape sequences and marks of direction are shown, never obeyed."""
    print_text(text)
    print_table("t", ("what",), [(text,)])
    note(text.replace("\n", ""))
    printed = capsys.readouterr()
    assert printed.out.startswith(shown + "\n")
    assert shown in printed.out.partition("\n")[2]
    assert "\x1b[2J" not in printed.out + printed.err
    assert "\u202e" not in printed.out + printed.err


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
        "present at 2026-03-10 09:30+08:00 (due 2026-04-10)"
    )
    waiting = replace(view, next_beat=None, missing=("a receipt is not proven",))
    assert coming(loan, waiting) == "waiting for news; missing: a receipt is not proven"
