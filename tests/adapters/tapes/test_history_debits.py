"""Histories of debits that were not placed or came back in part, of recoveries and of holds."""

from datetime import date

import pytest

from adapters.tapes.report.openingtotals import opening_totals
from domain.loan.aggregate import HoldKind
from domain.loan.opening import OpeningHold, OpeningItem
from tests.support.progresstapes import PAID, Read, event, opening_of

DEBIT = event(
    "attempt", order_no="A1", amount="112.40", on="2026-02-10", outcome="confirmed", code="00"
)
PAID_BY = event("paid", order_no="A1", principal="9", on="2026-02-10")


@pytest.mark.parametrize(
    ("events", "field", "value", "rule"),
    [
        ([event("paid", unplaced="5")], "unplaced", "5", "empty, unless order_no names"),
        ([event("paid", principal="1", returned="5")], "returned", "5", "empty, unless order_no"),
        (
            [DEBIT, event("paid", order_no="A1", principal="100", returned="12.40")],
            "returned",
            "12.40",
            "where its attempt was returned",
        ),
        (
            [
                {**DEBIT, "outcome": "returned"},
                event("paid", order_no="A1", principal="100", interest="12.40"),
            ],
            "returned",
            "",
            "where its attempt was returned",
        ),
        (
            [DEBIT, event("paid", order_no="A1", principal="100", unplaced="12.41")],
            "order_no",
            "A1",
            "at most 112.40 CNY",
        ),
        ([event("advance", amount="1")], "reference", "", "given, and of no other advance"),
        (
            [event("advance", amount="1", reference="R")] * 2,
            "reference",
            "(not shown)",
            "given, and of no other advance",
        ),
        ([event("advance", amount="0", reference="R")], "amount", "0", "above zero"),
        ([event("advance", 13, amount="1", reference="R")], "installment", "13", "1 to 12"),
        ([{**DEBIT, "cleared": "maybe"}], "cleared", "maybe", "yes or no"),
        ([{**DEBIT, "plan": "later"}], "plan", "later", "counts or past"),
        ([event("paid", principal="9", bank_ref="B")], "bank_ref", "B", "of a debit"),
        (
            [DEBIT, {**PAID_BY, "bank_ref": "B" + " B" * 10}],
            "bank_ref",
            "B" + " B" * 10,
            "at most 10 names",
        ),
        (
            [DEBIT, {**PAID_BY, "bank_ref": "B"}, {**PAID_BY, "principal": "1", "bank_ref": "C"}],
            "bank_ref",
            "C",
            "the same in each row",
        ),
        ([event("held", hold="all", reason="x")] * 2, "installment", "1", "one row of a hold"),
        ([event("held", 13, hold="all", reason="x")], "installment", "13", "1 to 12"),
        ([event("held", hold="all")], "reason", "", "must be given"),
        ([event("held", reason="x")], "hold", "", "must be given"),
        ([event("held", hold="none", reason="x")], "hold", "none", "debit, contact, all"),
        (
            [
                event("waived", principal="100", interest="12.40"),
                event("written_off", on="2026-05-01"),
            ],
            "installment",
            "1",
            "one of which something was left then",
        ),
    ],
)
def test_a_bad_row_is_named_and_its_loan_is_bad(
    read: Read, events: list[dict[str, str]], field: str, value: str, rule: str
) -> None:
    """By field, value and rule, in the last line of the history."""
    report = read(*events)
    (fault,) = report.faults
    assert (fault.line, fault.file) == (1 + len(events), "history")
    assert (fault.field, fault.value) == (field, value)
    assert rule in fault.rule
    assert len(report.rows) == 0


def test_a_debit_says_what_was_not_placed_and_what_came_back(read: Read) -> None:
    """Both are sums of its payment, whatever pays the installment; all of it may be unplaced."""
    said = read(
        DEBIT,
        event("paid", order_no="A1", on="2026-02-10", principal="90", unplaced="10"),
        event("paid", order_no="A1", on="2026-02-10", interest="12.40"),
        event("paid", principal="10"),
        {**DEBIT, "order_no": "A2", "outcome": "returned", "code": "AM04"},
        event("paid", order_no="A2", on="2026-02-11", unplaced="12.40", returned="100"),
        row={"unplaced": "22.40"},
    )
    assert said.faults == ()
    paid = {it.order_no: it for it in opening_of(said).payments}
    assert (paid["A1"].placed_minor, paid["A1"].unplaced_minor) == (10_240, 1_000)
    assert (paid["A2"].parts, paid["A2"].unplaced_minor, paid["A2"].returned_minor) == (
        (),
        1_240,
        10_000,
    )
    (sums,) = opening_totals(said.rows)
    assert sums.columns()["unplaced"] == 2_240


def test_a_row_that_states_another_sum_of_what_was_not_placed_is_bad(read: Read) -> None:
    """The history has 12.40 of it."""
    rows = (DEBIT, event("paid", order_no="A1", principal="100", unplaced="12.40"))
    (fault,) = read(*rows, row={"unplaced": "12.41"}).faults
    assert (fault.field, fault.value) == ("unplaced", "12.41")
    assert fault.rule == "12.40 CNY, to which the history sums"


def test_a_write_off_may_have_been_recovered(read: Read) -> None:
    """It was written off in March and paid in April: nothing is owed, and the mark is kept."""
    said = read(
        event("written_off", on="2026-03-20"),
        event("paid", on="2026-04-20", principal="100", interest="12.40"),
    )
    assert opening_of(said).items == (OpeningItem(number=1, written_off_on=date(2026, 3, 20)),)


def test_installments_may_be_on_hold_whichever_way_the_debt_is_told(read: Read) -> None:
    """Rows of holds and attempts alone leave the debt to the sums of the row."""
    held = event("held", 5, on="2026-05-19", hold="debit", reason="a dispute")
    loan = {"hold": "contact", "hold_reason": "hardship"}
    said = read(held, event("held", 6, hold="all", reason="x"), row={**PAID, **loan})
    assert said.faults == ()
    assert opening_of(said).holds == (
        OpeningHold(kind=HoldKind.CONTACT, reason="hardship"),
        OpeningHold(number=5, kind=HoldKind.DEBIT, reason="a dispute", since=date(2026, 5, 19)),
        OpeningHold(number=6, kind=HoldKind.ALL, reason="x"),
    )
    assert len(opening_of(said).payments[0].parts) == 4
