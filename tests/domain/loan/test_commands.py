"""What a command is called: its identity, what it says, and what it names."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.debit.outcome import Outcome, OutcomeClass
from domain.errors import InvalidInput
from domain.kernel.command import admitted
from domain.loan.aggregate import HoldKind
from domain.statement.broken import StatementBreak
from domain.statement.statement import LineItem, StatementLine
from tests.support.doors import (
    Actor,
    BookLine,
    Cancel,
    Hold,
    IntendDebit,
    RecordDeliveryReport,
    RecordOutcome,
    RecordReturn,
    RecordStatementBreak,
    RecordUnsent,
    RollDay,
    Scope,
    WriteOff,
)
from tests.support.memory import TESTER, board

DAY = date(2026, 3, 10)
INTENT = IntendDebit(id="a", actor=TESTER, loan_id="L1", number=1, action="present/1", seen=4)


def test_the_identity_is_the_content_and_neither_the_id_nor_what_was_seen() -> None:
    """A retry under a newer view is the same command; another action is not."""
    assert INTENT.identity() == replace(INTENT, id="b", seen=9).identity()
    assert INTENT.identity() != replace(INTENT, action="present/2").identity()
    hold = Hold(id="a", actor=TESTER, reason="asked", loan_id="L1", number=1)
    assert hold.identity() != INTENT.identity()


def test_who_asks_why_and_who_approved_are_no_part_of_the_identity() -> None:
    """The same content under the same id is one command, by whatever way it comes."""
    hold = Hold(id="a", actor=TESTER, loan_id="L1", number=1, reason="asked", approver="ops-1")
    other = replace(hold, actor=Actor("operator", "ops-7"), reason="asked again", approver=None)
    assert hold.identity() == other.identity()
    assert hold.identity() != replace(hold, what=HoldKind.DEBIT).identity()


def test_a_loan_is_what_is_asked_for_and_not_how_its_days_were_counted() -> None:
    """Rows agreed upstream carry no count of days: the same amounts on the same dates are one loan.

    Another date or amount is another loan.
    """
    plain = board()
    first, *rest = plain.schedule
    recounted = replace(first, days=first.days + 1)
    later = replace(first, due_on=first.due_on - timedelta(days=1))
    dearer = replace(first, interest=first.interest + 1)
    assert replace(plain, schedule=(recounted, *rest)).identity() == plain.identity()
    assert replace(plain, schedule=(later, *rest)).identity() != plain.identity()
    assert replace(plain, schedule=(dearer, *rest)).identity() != plain.identity()


def test_two_kinds_of_order_with_the_same_content_are_two_identities() -> None:
    """Cancelling is not writing off, though both name only an installment."""
    content: dict[str, Any] = {
        "id": "c",
        "actor": TESTER,
        "reason": "x",
        "loan_id": "L1",
        "number": 1,
    }
    assert Cancel(**content).identity() != WriteOff(**content).identity()


def test_evidence_that_counts_once_says_so_by_a_key_and_orders_say_nothing() -> None:
    """One return of one booking, one fate of one message, one line."""
    returned = RecordReturn(
        id="a",
        actor=TESTER,
        rail="simbank",
        order_no="O1",
        bank_ref="B1",
        amount_minor=5,
        outcome_class=OutcomeClass.NSF,
        code="AM04",
        returned_on=DAY,
    )
    notice = RecordDeliveryReport(id="a", actor=TESTER, message_id="N1", delivered=True)
    said = returned.dedup_key()
    assert said is not None
    assert said.startswith("return/simbank/O1/")
    for change in ({"bank_ref": None}, {"amount_minor": 6}, {"code": "MD06"}):
        assert replace(returned, **change).dedup_key() != said, "a booking may come back in parts"
    assert replace(returned, id="b", outcome_class=OutcomeClass.DISPUTE).dedup_key() == said
    assert notice.dedup_key() == "notice/N1/delivered"
    assert replace(notice, delivered=False).dedup_key() == "notice/N1/failed"
    assert INTENT.dedup_key() is None
    assert returned.scope() == Scope(orders=("O1",), waiting=("order/O1",))
    assert notice.scope() == Scope(messages=("N1",))


def test_a_command_names_the_aggregates_that_it_touches() -> None:
    """By loan, by order, or by the references of a line; a plain command names none."""
    outcome = RecordOutcome(
        id="a",
        actor=TESTER,
        rail="simbank",
        order_no="O1",
        outcome=Outcome(OutcomeClass.SUCCESS, "00"),
        source="webhook",
    )
    unsent = RecordUnsent(id="a", actor=TESTER, order_no="O1", sends=1)
    assert outcome.scope() == Scope(orders=("O1",), waiting=("order/O1",))
    assert unsent.scope() == Scope(orders=("O1",))
    ended = "unknown_mandate/simbank/M-L1"
    assert board().scope() == Scope(
        loans=("L1",),
        mandate_roots=("M-L1",),
        accounts=("acct-1",),
        payers=("b-1",),
        cases=(ended,),
    )
    assert RollDay(id="a", actor=TESTER, loan_id="L1", day=DAY).scope() == Scope(loans=("L1",))
    items = (LineItem("O2", None, None, 5), LineItem(None, "M1", None, -5))
    line = StatementLine("A/S/1", "A", DAY, DAY, 0, "CNY", None, items=items, batch_ref="b-1")
    named = BookLine(id="a", actor=TESTER, statement_id="S", line=line)
    assert (named.dedup_key() or "").startswith("line/A/S/1/")
    assert named.dedup_key() == replace(named, id="b", statement_id="S2").dedup_key()
    assert named.dedup_key() != replace(named, line=replace(line, amount_minor=1)).dedup_key()
    assert named.scope() == Scope(
        under_mandates=("M1",),
        orders=("O2",),
        batches=("b-1",),
        payments=("O2",),
        lines=("A/S/1",),
        payouts=("O2",),
        waiting=("order/O2",),
        cases=("unregistered/A",),
    )
    assert super(RecordOutcome, outcome).scope() == Scope()


def test_orders_with_control_characters_are_refused_and_evidence_is_cleaned() -> None:
    """A line break in a reference would make every later export unreadable."""
    hold = Hold(id="a", actor=TESTER, reason="one\nline", loan_id="L1", number=1)
    with pytest.raises(InvalidInput) as refused:
        admitted(hold)
    assert refused.value.field == "reason"
    assert admitted(INTENT) is INTENT
    line = StatementLine(
        "A/1", "A", DAY, DAY, 5, "CNY", None, items=(LineItem("E\r1", None, None, 5),)
    )
    booked = BookLine(id="a", actor=TESTER, statement_id="S\x1b1", line=line)
    taken = admitted(booked)
    assert (taken.statement_id, taken.line.items[0].end_to_end_id) == ("S 1", "E 1")


def test_what_failed_in_a_statement_is_news_each_time() -> None:
    """However often a file is tried its case is one, and none that was ended stays so."""
    broken = RecordStatementBreak(
        id="a", actor=TESTER, what=StatementBreak.FILE_REFUSED, subject="f1", text="no XML"
    )
    assert broken.dedup_key() is None
    assert broken.scope() == Scope(cases=("statement_refused/f1",))
    assert broken.line is None
