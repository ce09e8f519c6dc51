"""What a command is called: its identity, what it says, and what it names."""

from dataclasses import replace
from datetime import date
from typing import Any

from domain.debit.outcome import Outcome, OutcomeClass
from domain.reconciliation.statement import LineItem, StatementLine
from tests.support.doors import (
    BookLine,
    Cancel,
    Hold,
    IntendDebit,
    RecordNoticeReceipt,
    RecordOutcome,
    RecordReturn,
    RecordUnsent,
    RollDay,
    Scope,
    WriteOff,
)
from tests.support.memory import TESTER, board

DAY = date(2026, 3, 10)
INTENT = IntendDebit(id="a", actor=TESTER, loan_id="L1", number=1, beat="present/1", seen=4)


def test_the_identity_is_the_content_and_neither_the_id_nor_what_was_seen() -> None:
    """A retry under a newer view is the same command; another beat is not."""
    assert INTENT.identity() == replace(INTENT, id="b", seen=9).identity()
    assert INTENT.identity() != replace(INTENT, beat="present/2").identity()
    hold = Hold(id="a", actor=TESTER, loan_id="L1", number=1)
    assert hold.identity() != INTENT.identity()


def test_two_kinds_of_order_with_the_same_content_are_two_identities() -> None:
    """Cancelling is not writing off, though both name only an installment."""
    content: dict[str, Any] = {"id": "c", "actor": TESTER, "loan_id": "L1", "number": 1}
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
        klass=OutcomeClass.NSF,
        code="AM04",
        returned_on=DAY,
    )
    notice = RecordNoticeReceipt(id="a", actor=TESTER, message_id="N1", delivered=True)
    said = returned.says()
    assert said is not None
    assert said.startswith("return/simbank/O1/")
    for change in ({"bank_ref": None}, {"amount_minor": 6}, {"code": "MD06"}):
        assert replace(returned, **change).says() != said, "a booking may come back in parts"
    assert replace(returned, id="b", klass=OutcomeClass.DISPUTE).says() == said
    assert notice.says() == "notice/N1/delivered"
    assert replace(notice, delivered=False).says() == "notice/N1/failed"
    assert INTENT.says() is None
    assert returned.scope() == Scope(orders=("O1",))
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
    assert outcome.scope() == unsent.scope() == Scope(orders=("O1",))
    assert board().scope() == Scope(loans=("L1",))
    assert RollDay(id="a", actor=TESTER, loan_id="L1", day=DAY).scope() == Scope(loans=("L1",))
    items = (LineItem("O2", None, None, 5), LineItem(None, "M1", None, -5))
    line = StatementLine("A/S/1", "A", DAY, DAY, 0, "CNY", None, items=items, batch_ref="b-1")
    named = BookLine(id="a", actor=TESTER, statement_id="S", line=line)
    assert (named.says() or "").startswith("line/A/S/1/")
    assert named.says() == replace(named, id="b", statement_id="S2").says()
    assert named.says() != replace(named, line=replace(line, amount_minor=1)).says()
    assert named.scope() == Scope(
        mandates=("M1",),
        orders=("O2",),
        batches=("b-1",),
        receipts=("O2",),
        lines=("A/S/1",),
    )
    assert super(RecordOutcome, outcome).scope() == Scope()
