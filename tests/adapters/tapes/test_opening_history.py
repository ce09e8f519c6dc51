"""Loans in progress by the rows of their history: exact, or refused by line, field and rule."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from adapters.refusals import SourceRefused
from adapters.tapes.files import csvtable
from adapters.tapes.files.history import read_history
from adapters.tapes.files.rows import HistoryFault
from adapters.tapes.report.openingtotals import opening_totals
from adapters.tapes.report.tape import TapeReport
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.opening import Opening, OpeningAttempt, OpeningItem, OpeningPart, OpeningPayment
from domain.pricing.amounts import Amounts
from tests.support.progresstapes import LOAN, NEW, PAID, event, read_openings
from workers.rails import classes_of, rails_of
from workers.settings import Settings

INTEREST = ("12.40", "10.27", "10.33", "9")
PAID_ROWS = [
    event("paid", number, principal="100", interest=interest)
    for number, interest in enumerate(INTEREST, start=1)
]
CLASS_OF = classes_of(rails_of(Settings(), None))

Read = Callable[..., TapeReport]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give a function that reads the loan with these events, and with changes of its row."""

    def reading(*events: dict[str, str], row: dict[str, str] | None = None) -> TapeReport:
        loan = {**LOAN, **(row or {})}
        return read_openings(tmp_path, loan, history=events, class_of=CLASS_OF)

    return reading


def opening_of(report: TapeReport) -> Opening:
    (command,) = report.rows
    assert command.opening is not None
    return command.opening


def test_a_history_and_a_row_that_say_the_same_are_the_same_loan(
    read: Read, tmp_path: Path
) -> None:
    """Days are not stated in either, so neither says when its money came."""
    by_history = read(*reversed(PAID_ROWS))
    by_row = read_openings(tmp_path, PAID)
    both = read(*PAID_ROWS, row={"paid_through": "2026-05-10", "paid_interest": "42.00"})
    identities = {report.rows[0].identity() for report in (by_history, by_row, both)}
    assert len(identities) == 1
    assert by_history.fault_count == 0


def test_money_is_placed_by_installment_component_and_day(read: Read) -> None:
    """One transfer of March paid the second and a part of the third; the order of rows is free."""
    said = read(
        event("paid", 3, on="2026-03-12", principal="50", reference="R 7"),
        event("paid", 1, on="2026-02-10", principal="100", interest="12.40"),
        event("paid", 2, on="2026-03-12", principal="100", interest="10.27", reference="R 7"),
        event("paid", 3, on="2026-03-12", interest="1", reference="R 7"),
    )
    assert opening_of(said).payments == (
        OpeningPayment(
            on=date(2026, 2, 10),
            parts=(OpeningPart(number=1, amounts=Amounts(10_000, 1_240)),),
        ),
        OpeningPayment(
            on=date(2026, 3, 12),
            reference="R 7",
            parts=(
                OpeningPart(number=2, amounts=Amounts(10_000, 1_027)),
                OpeningPart(number=3, amounts=Amounts(5_000, 100)),
            ),
        ),
    )


def test_debits_keep_number_day_mandate_outcome_and_the_class_of_their_code(read: Read) -> None:
    """Codes of answers and reasons of returns have lists of their own; others are unknown."""
    tried = {"amount": "112.40", "on": "2026-02-10"}
    late = {"amount": "110.33", "on": "2026-04-10"}
    said = read(
        event("attempt", 1, order_no="A1", outcome="declined", code="64", **tried),
        event("attempt", 1, order_no="A2", outcome="declined", code="ZZ9", **tried),
        event("attempt", 1, order_no="A3", outcome="confirmed", code="00", **tried),
        event("paid", 1, on="2026-02-10", order_no="A3", principal="100", interest="12.40"),
        event("attempt", 2, order_no="A4", outcome="returned", code="AM04", **late),
        event("attempt", 2, order_no="A5", outcome="declined", **late),
        event("attempt", 2, order_no="A6", outcome="returned", **late),
        event("attempt", 2, order_no="A7", outcome="not_executed", **late, mandate_ref="MD-OLD"),
        event("attempt", 3, order_no="A8", outcome="pending", amount="5", on="2026-05-22"),
    )
    found = {attempt.order_no: attempt for attempt in opening_of(said).attempts}
    assert list(found) == ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"]
    assert found["A1"] == OpeningAttempt(
        number=1,
        order_no="A1",
        mandate_ref="MD-L-1",
        value_on=date(2026, 2, 10),
        amount_minor=11_240,
        state=AttemptState.DECLINED,
        outcome_class=OutcomeClass.NSF,
        code="64",
    )
    classes = {name: attempt.outcome_class for name, attempt in found.items()}
    assert classes == {
        "A1": OutcomeClass.NSF,
        "A2": OutcomeClass.UNKNOWN_CODE,
        "A3": None,
        "A4": OutcomeClass.NSF,
        "A5": OutcomeClass.DECLINED,
        "A6": OutcomeClass.LATE_RETURN,
        "A7": None,
        "A8": None,
    }
    assert found["A3"].state is AttemptState.CONFIRMED
    assert (found["A7"].state, found["A7"].mandate_ref) == (AttemptState.NOT_EXECUTED, "MD-OLD")
    assert (found["A8"].state, found["A8"].value_on) == (AttemptState.ACCEPTED, date(2026, 5, 22))
    assert opening_of(said).payments[0].order_no == "A3"


def test_codes_mean_nothing_where_no_table_is_given(tmp_path: Path) -> None:
    """The reader guesses no class."""
    row = event(
        "attempt", amount="1", on="2026-02-10", order_no="A1", outcome="declined", code="64"
    )
    (command,) = read_openings(tmp_path, LOAN, history=[row]).rows
    assert command.opening is not None
    assert command.opening.attempts[0].outcome_class is OutcomeClass.UNKNOWN_CODE


def test_penalty_waivers_and_write_offs_stand_by_installment(read: Read) -> None:
    """Of 3.00 charged on the first 1.00 is paid; the rest of the third was written off in May."""
    said = read(
        *PAID_ROWS[:2],
        event("paid", 1, penalty="1"),
        event("penalty", 1, penalty="3"),
        event("waived", 1, on="2026-03-01", penalty="2"),
        event("waived", 3, interest="10.33"),
        event("written_off", 3, on="2026-05-01"),
        event("paid", 4, penalty="0.50"),
        row={"written_off_principal": "100", "balance": "900", "penalty_accrued": "0"},
    )
    assert opening_of(said).items == (
        OpeningItem(number=1, charged=Amounts(penalty=300), waived=Amounts(penalty=200)),
        OpeningItem(number=3, waived=Amounts(interest=1_033), written_off_on=date(2026, 5, 1)),
        OpeningItem(number=4, charged=Amounts(penalty=50)),
    )


def test_fees_costs_and_cancelled_installments_stand_by_installment(read: Read) -> None:
    """A fee of 2.00 was paid, a cost of 5.00 is owed, and the twelfth is never collected."""
    said = read(
        event("charged", 1, on="2026-03-01", fee="2"),
        event("charged", 1, cost="5"),
        event("paid", 1, fee="2"),
        event("cancelled", 12),
        row={"balance": "1100", "paid_fee": "2"},
    )
    assert opening_of(said).items == (
        OpeningItem(number=1, charged=Amounts(fee=200, cost=500)),
        OpeningItem(number=12, is_cancelled=True),
    )
    (totals,) = opening_totals(said.rows)
    assert (totals.sums.owed.principal, totals.sums.paid.fee) == (110_000, 200)


def test_a_class_that_is_given_wins_over_the_table(read: Read) -> None:
    """The former system knows more of its debit than a code says; also of one that succeeded."""
    tried = {"amount": "5", "on": "2026-02-10"}
    said = read(
        event("attempt", 1, order_no="A1", outcome="declined", outcome_class="DECEASED", **tried),
        event("attempt", 1, order_no="A2", outcome="unknown", outcome_class="TECH", **tried),
        event("attempt", 2, order_no="A3", outcome="confirmed", outcome_class="SUCCESS", **tried),
    )
    assert [attempt.outcome_class for attempt in opening_of(said).attempts] == [
        OutcomeClass.DECEASED,
        OutcomeClass.TECH,
        OutcomeClass.SUCCESS,
    ]


def test_a_row_of_sums_may_have_a_history_of_debits_alone(read: Read) -> None:
    """What the sums say stands; the attempts count for the limits of the scheme."""
    tried = event("attempt", 5, on="2026-05-19", amount="5", order_no="A1", outcome="pending")
    said = opening_of(read(tried, row={"paid_through": "2026-05-10"}))
    assert len(said.payments[0].parts) == 4
    assert [attempt.number for attempt in said.attempts] == [5]


TRIED = {"on": "2026-02-10", "amount": "112.40", "order_no": "A1", "outcome": "confirmed"}
TAKEN = [event("attempt", **TRIED), event("paid", order_no="A1", on="2026-02-10", principal="100")]


@pytest.mark.parametrize(
    ("events", "line", "field", "value", "rule"),
    [
        ([event("payed", principal="1")], 2, "event", "payed", "paid, waived, written_off"),
        ([event("", principal="1")], 2, "event", "", "must be given"),
        ([event("paid", 13, principal="1")], 2, "installment", "13", "1 to 12"),
        ([event("paid", 0, principal="1")], 2, "installment", "0", "1 to 12"),
        ([event("paid", principal="1,5")], 2, "principal", "1,5", "plain decimal"),
        ([event("paid", principal="-1")], 2, "principal", "-1", "not negative"),
        ([event("paid")], 2, "principal", "", "an amount of this or"),
        ([event("paid", principal="0.00")], 2, "principal", "0.00", "an amount of this or"),
        ([event("paid", on="2026-05-21", fee="1")], 2, "on", "2026-05-21", "to as_of 2026-05-20"),
        (
            [event("paid", on="2026-01-09", fee="1")],
            2,
            "on",
            "2026-01-09",
            "the lending 2026-01-10",
        ),
        ([event("paid", on="9 May", fee="1")], 2, "on", "9 May", "YYYY-MM-DD"),
        ([event("paid", principal="100.01")], 2, "principal", "100.01", "at most 100.00 CNY"),
        ([event("paid", fee="1")], 2, "fee", "1", "at most 0.00 CNY, which installment 1 has"),
        (
            [PAID_ROWS[0], event("waived", interest="0.01")],
            3,
            "interest",
            "0.01",
            "at most 0.00 CNY",
        ),
        (
            [event("paid", penalty="2"), event("penalty", penalty="1")],
            2,
            "penalty",
            "2",
            "at most 1.00 CNY",
        ),
        ([event("penalty", penalty="1")] * 2, 3, "installment", "1", "one row of penalty"),
        ([event("penalty")], 2, "penalty", "", "must be given"),
        ([event("penalty", penalty="1", fee="1")], 2, "fee", "1", "empty in a row of penalty"),
        ([event("paid", fee="1", outcome="x")], 2, "outcome", "x", "empty in a row of paid"),
        ([event("written_off")], 2, "on", "", "must be given"),
        (
            [PAID_ROWS[0], event("written_off", on="2026-05-01")],
            3,
            "installment",
            "1",
            "one of which something is left",
        ),
        ([event("attempt", **TRIED, outcome_class="BAD")], 2, "outcome_class", "BAD", "SUCCESS,"),
        (
            [event("attempt", **{**TRIED, "outcome": "returned"}, outcome_class="PENDING")],
            2,
            "outcome_class",
            "PENDING",
            "that of a failure; it means PENDING",
        ),
        ([event("charged", penalty="1")], 2, "penalty", "1", "empty in a row of charged"),
        (
            [event("charged", fee="1"), event("paid", fee="1.01")],
            3,
            "fee",
            "1.01",
            "at most 1.00 CNY",
        ),
        ([event("paid", cost="1")], 2, "cost", "1", "at most 0.00 CNY"),
        (
            [PAID_ROWS[0], event("cancelled")],
            3,
            "installment",
            "1",
            "one of which nothing was paid, waived, charged, written off or ordered",
        ),
        (
            [
                event("attempt", **{**TRIED, "outcome": "pending"}),
                event("cancelled", on="2026-03-01"),
            ],
            3,
            "installment",
            "1",
            "one of which nothing was paid, waived, charged, written off or ordered",
        ),
        ([*TAKEN, event("attempt", **TRIED)], 4, "order_no", "A1", "each order once"),
        (
            [event("attempt", **{**TRIED, "amount": "0"})],
            2,
            "amount",
            "0",
            "above zero",
        ),
        ([event("attempt", **{**TRIED, "outcome": "ok"})], 2, "outcome", "ok", "confirmed, decl"),
        (
            [event("attempt", **{**TRIED, "outcome": "declined", "code": "00"})],
            2,
            "code",
            "00",
            "that of a failure; it means SUCCESS",
        ),
        (
            [event("attempt", **{**TRIED, "order_no": "A 1"})],
            2,
            "order_no",
            "A 1",
            "1 to 35 visible",
        ),
        (
            [event("attempt", **{**TRIED, "outcome": "declined", "on": "2026-06-21"})],
            2,
            "on",
            "2026-06-21",
            "to as_of 2026-05-20 and 31 days more",
        ),
        (
            [event("paid", order_no="A9", fee="1", principal="1")],
            2,
            "fee",
            "1",
            "at most 0.00 CNY",
        ),
        (
            [event("paid", order_no="A9", principal="1")],
            2,
            "order_no",
            "A9",
            "the order of a confirmed attempt of this loan",
        ),
        (
            [*TAKEN, event("paid", 2, order_no="A1", principal="1")],
            4,
            "order_no",
            "A1",
            "it was one of 1",
        ),
        (
            [*TAKEN, event("paid", order_no="A1", on="2026-02-11", interest="1")],
            4,
            "order_no",
            "A1",
            "one payment for each order",
        ),
        (
            [event("attempt", **{**TRIED, "amount": "99.99"}), TAKEN[1]],
            3,
            "order_no",
            "A1",
            "at most 99.99 CNY, which it asked for",
        ),
        (
            [event("paid", principal="1", reference="x" * 141)],
            2,
            "reference",
            "(not shown)",
            "at most 140 characters",
        ),
        (
            [event("paid", principal="1", reference="a\x1bb")],
            2,
            "reference",
            "(not shown)",
            "on one",
        ),
    ],
)
def test_a_bad_row_of_a_history_is_named_and_its_loan_is_bad(
    read: Read, events: list[dict[str, str]], line: int, field: str, value: str, rule: str
) -> None:
    """The fault names the line of the history file, not that of the tape."""
    report = read(*events)
    (fault,) = report.faults
    assert (fault.file, fault.line, fault.field, fault.value) == ("history", line, field, value)
    assert rule in fault.rule
    assert str(fault).startswith(f"history line {line}: {field}: ")
    assert not report.rows


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        ({"paid_principal": "400.01"}, "paid_principal", "400.00 CNY, to which the history sums"),
        ({"waived_fee": "1"}, "waived_fee", "0.00 CNY, to which"),
        ({"written_off_interest": "1"}, "written_off_interest", "0.00 CNY, to which"),
        ({"written_off_on": "2026-05-01"}, "written_off_on", "as the history says: nothing"),
        ({"balance": "799.99"}, "balance", "800.00 CNY, to which"),
        ({"penalty_accrued": "1"}, "penalty_accrued", "0.00 CNY, to which"),
        ({"paid_through": "2026-06-10"}, "paid_through", "leaves 108.27 CNY of installment 5"),
        ({"paid_through": "2027-06-10"}, "paid_through", "not after the last due date 2027-01-11"),
        ({"next_due_on": "2026-07-10"}, "next_due_on", "2026-06-10, when installment 5 falls due"),
    ],
)
def test_a_row_that_contradicts_its_history_is_named(
    read: Read, row: dict[str, str], field: str, rule: str
) -> None:
    """What the history says is compared with everything that the row states beside it."""
    assert read(*PAID_ROWS, row={"balance": "800", "next_due_on": "2026-06-10"}).fault_count == 0
    (fault,) = read(*PAID_ROWS, row=row).faults
    assert (fault.file, fault.line, fault.field) == ("tape", 2, field)
    assert rule in fault.rule


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
        ({"on": "2026-01-09"}, "on", "not before the lending 2026-01-10"),
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


def test_the_same_payment_is_not_stated_twice(read: Read) -> None:
    """A row that was copied would be money that never came."""
    row = event("paid", 1, principal="10", on="2026-02-11")
    (fault,) = read(row, row).faults
    assert (fault.file, fault.line, fault.field) == ("history", 3, "installment")
    assert read(row, {**row, "reference": "second"}).fault_count == 0
