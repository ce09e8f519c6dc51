"""Loans in progress by applications: whatever a command brings can be said, and is read as said."""

from contextlib import suppress
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.boarding import BoardActivities
from adapters.calendars import load_calendar
from adapters.products.translate import ProductFile
from adapters.tapes.application.boarding import UpstreamBoarding, application_of
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.files.rows import Row
from adapters.tapes.loan.loans import BoardingRules, loan_of
from domain.debit.attempt import LIVE, AttemptState
from domain.debit.outcome import OutcomeClass
from domain.errors import InvalidInput
from domain.loan.aggregate import HoldKind
from domain.loan.boarding import BoardLoan
from domain.loan.handover import handed_over, names_of
from domain.loan.opening import (
    Opening,
    OpeningAttempt,
    OpeningHold,
    OpeningItem,
    OpeningPart,
    OpeningPayment,
)
from domain.pricing.amounts import Amounts, Component
from ports.boarding import ApplicationEvent, ApplicationOpening
from tests.fakes.bulk import FakeLedger
from tests.support.doors import Cancel, Waive
from tests.support.memory import PRODUCT, TESTER
from tests.support.memory import RULES as MEMORY
from tests.support.progresstapes import LOAN, PAID, PRODUCTS
from tests.support.scene import Scene
from tests.upstream.test_boarding_rules import GOOD, NASTY
from workers.rails import classes_of, rails_of
from workers.settings import Settings

CLASS_OF = classes_of(rails_of(Settings(), None))
RULES = BoardingRules(CANONICAL_MAP, PRODUCTS, load_calendar, class_of=CLASS_OF)
UPSTREAM = UpstreamBoarding(RULES)
OPENING = ApplicationOpening(as_of="2027-03-20", holder="old-bank", evidence="list 7")
PAID_ROW = ApplicationEvent(installment="1", event="paid", principal="946.19", interest="120")
CODES = ("", "64", "38", "ZZ9", "AM04")


def by_tape(values: dict[str, str]) -> BoardLoan:
    """The command of a row of a tape."""
    row = {"borrower": "b", "mandate_ref": "M-1", "account_token": "a", **values}
    return loan_of(Row(2, row, row), 0, RULES).command


BASE = by_tape(dict(LOAN))


@st.composite
def parts_of_a_line(draw: st.DrawFn, number: int) -> tuple[Amounts, Amounts, Amounts]:
    """What was paid and waived of an installment, and what it was charged besides the schedule."""
    line = BASE.schedule[number - 1]
    fee, penalty, cost = (draw(st.integers(0, 500)) for _ in range(3))
    asked = (line.principal, line.interest, line.fee + fee, penalty, cost)
    paid = [draw(st.sampled_from((0, minor, minor // 3))) for minor in asked]
    waived = [draw(st.sampled_from((0, a - b))) for a, b in zip(asked, paid, strict=True)]
    return Amounts(*paid), Amounts(*waived), Amounts(0, 0, fee, penalty, cost)


@st.composite
def attempts_of(draw: st.DrawFn, number: int) -> list[OpeningAttempt]:
    """Debits of an installment, oldest first; only the last may be without a final outcome."""
    ended = [AttemptState.DECLINED, AttemptState.RETURNED, AttemptState.NOT_EXECUTED]
    ended += [AttemptState.RECALLED]
    states = draw(st.lists(st.sampled_from(ended), max_size=3))
    states += draw(st.sampled_from(([], [AttemptState.ACCEPTED], [AttemptState.UNKNOWN])))
    found = []
    for place, state in enumerate(states):
        failed = state in {AttemptState.DECLINED, AttemptState.RETURNED}
        reasons = (OutcomeClass.NSF, OutcomeClass.DISPUTE, OutcomeClass.UNKNOWN_CODE)
        said = st.sampled_from(reasons if failed else (None, OutcomeClass.TECH))
        found.append(
            OpeningAttempt(
                number=number,
                order_no=f"ORD/{number}-{place}",
                mandate_ref=draw(st.sampled_from(("M-1", "M-OLD"))),
                value_on=date(2026, 2, 10) + timedelta(days=place),
                amount_minor=draw(st.integers(1, 99_999)),
                state=state,
                outcome_class=draw(said),
                code=draw(st.sampled_from(CODES)),
            )
        )
    return found


@st.composite
def openings(draw: st.DrawFn) -> Opening:
    """Any opening of the loan that its rules allow, of up to four installments."""
    numbers = draw(st.lists(st.integers(1, 12), max_size=4, unique=True).map(sorted))
    payments, attempts, items = [], [], []
    sums: list[OpeningPart] = []
    for number in numbers:
        if draw(st.integers(0, 9)) == 0:
            items.append(OpeningItem(number=number, is_cancelled=True))
            continue
        paid, waived, charged = draw(parts_of_a_line(number))
        tried = draw(attempts_of(number))
        if paid.total and draw(st.booleans()):
            order_no = f"TAKEN-{number}"
            unplaced, returned = draw(st.integers(0, 3)), draw(st.integers(0, 3))
            taken = OpeningAttempt(
                number=number,
                order_no=order_no,
                mandate_ref="M-1",
                value_on=date(2026, 2, 1),
                amount_minor=paid.total + unplaced + returned,
                state=AttemptState.RETURNED if returned else AttemptState.CONFIRMED,
                outcome_class=OutcomeClass.NSF
                if returned
                else draw(st.sampled_from((None, OutcomeClass.SUCCESS, OutcomeClass.ACCOUNT))),
            )
            tried.insert(0, taken)
            on = draw(st.dates(date(2026, 1, 10), date(2026, 5, 20)))
            parts = (OpeningPart(number=number, amounts=paid),)
            payments.append(
                OpeningPayment(
                    on=on,
                    parts=parts,
                    order_no=order_no,
                    unplaced_minor=unplaced,
                    returned_minor=returned,
                )
            )
        elif paid.total:
            sums.append(OpeningPart(number=number, amounts=paid))
        attempts += tried
        owed = BASE.schedule[number - 1].total + charged.total - paid.total - waived.total
        is_out = any(attempt.state in LIVE for attempt in tried)
        may_be_lost = owed or any(part.number == number for part in sums)
        lost = date(2026, 5, 1) if may_be_lost and not is_out and draw(st.booleans()) else None
        if charged.total or waived.total or lost:
            item = OpeningItem(number=number, charged=charged, waived=waived, written_off_on=lost)
            items.append(item)
    if sums:
        reference = draw(st.sampled_from(("", "R 7")))
        payments.append(OpeningPayment(parts=tuple(sums), reference=reference))
    payments.sort(key=lambda one: (one.on or date.min, one.order_no, one.reference))
    advance = draw(st.integers(0, 5))
    holds = draw(st.lists(st.sampled_from((None, 2, 5, 12)), unique=True))
    kinds, days = st.sampled_from(HoldKind), st.sampled_from((None, date(2026, 5, 3)))
    return Opening(
        as_of=date(2026, 5, 20),
        holder="old-bank",
        evidence="list 7",
        payments=tuple(payments),
        attempts=tuple(attempts),
        items=tuple(items),
        advance_minor=advance,
        advance_ref="R-1" if advance else "",
        holds=tuple(
            OpeningHold(number=number, kind=draw(kinds), reason="a dispute", since=draw(days))
            for number in sorted(holds, key=lambda number: number or 0)
        ),
    )


@settings(max_examples=300, deadline=None)
@given(opening=openings(), began=st.dates(date(2025, 1, 1), date(2026, 1, 10)))
def test_every_opening_can_be_said_by_an_application(opening: Opening, began: date) -> None:
    """The command of the application is the same as the one that it was made of."""
    mandate = replace(BASE.mandate, valid_from=began, ended_on=date(2026, 5, 2))
    command = replace(BASE, opening=opening, mandate=mandate)
    read = UPSTREAM.command(application_of(command))
    assert read.opening == opening
    assert read.identity() == command.identity()


def test_a_loan_as_it_stands_can_be_said_by_an_application() -> None:
    """A debit, a payment, a waiver and a cancelled installment that are handed over come back."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.pay(5_000, ref="T-1")
    s.order(Waive, component=Component.INTEREST, amount_minor=50)
    s.order(Cancel, 3)
    loan = s.books.loans["L1"]
    names = {payment.id: names_of(payment) for payment in s.books.payments.values()}
    command = handed_over(loan, names, s.today, "us", "handover 1", TESTER)
    products = {PRODUCT.id: ProductFile(PRODUCT, PRODUCTS["cn-personal"].schedule)}
    upstream = UpstreamBoarding(replace(RULES, products=products, calendars=MEMORY.calendar))
    read = upstream.command(application_of(command))
    assert read.opening == command.opening
    assert read.opening is not None
    assert (len(read.opening.attempts), len(read.opening.payments)) == (1, 1)
    assert read.identity() == command.identity()


@pytest.mark.parametrize(
    "values",
    [
        PAID,
        {**PAID, "waived_interest": "15", "paid_penalty": "2", "past": "owed"},
        {**PAID, "paid_principal": "1200", "paid_interest": "42", "balance": "0"},
        {
            **PAID,
            "paid_principal": "400",
            "balance": "0",
            "written_off_on": "2026-05-18",
            "written_off_principal": "800",
        },
        {
            **LOAN,
            "as_of": "2029-05-20",
            "balance": "0",
            "written_off_on": "2029-05-18",
            "written_off_principal": "1200",
        },
        {**PAID, "mandate_valid_from": "2025-02-03", "mandate_ended_on": "2026-05-01"},
    ],
)
def test_a_loan_in_progress_of_a_tape_is_the_same_when_upstream_sends_it(
    values: dict[str, str],
) -> None:
    """By sums, paid off early, written off soon or late: rows and history say the same."""
    command = by_tape(dict(values))
    assert UPSTREAM.command(application_of(command)).id == command.id


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"as_of": ""}, "opening.as_of", "must be given"),
        ({"as_of": "20270320"}, "opening.as_of", "YYYY-MM-DD"),
        ({"holder": "a b"}, "opening.holder", "1 to 40 letters"),
        ({"evidence": "a\x1bb"}, "opening.evidence", "on one line"),
        ({"advance": "5"}, "opening.advance_ref", "given with what was paid ahead"),
        ({"advance": "-5", "advance_ref": "R"}, "opening.advance", "not negative"),
        ({"history": (PAID_ROW,) * 5001}, "opening.history", "at most 5000 rows"),
        (
            {"history": (PAID_ROW, replace(PAID_ROW, installment="13"))},
            "opening.history[2].installment",
            "1 to 12",
        ),
        (
            {"history": (PAID_ROW, PAID_ROW)},
            "opening.history[2].principal",
            "at most 0.00 CNY, which installment 1 has left",
        ),
        (
            {"history": (replace(PAID_ROW, reference="x" * 141),)},
            "opening.history[1].reference",
            "at most 140 characters",
        ),
    ],
)
def test_a_fault_names_its_place_in_the_application(
    change: dict[str, Any], field: str, rule: str
) -> None:
    """Rows of the history are counted from one."""
    assert UPSTREAM.command(replace(GOOD, opening=replace(OPENING, history=(PAID_ROW,)))).opening
    with pytest.raises(InvalidInput) as fault:
        UPSTREAM.command(replace(GOOD, opening=replace(OPENING, **change)))
    assert fault.value.field == field
    assert rule in fault.value.rule


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"advance": "5", "advance_ref": "Li\x1bHua"}, "opening.advance_ref"),
        (
            {"history": (replace(PAID_ROW, reference="Li\x1bHua"),)},
            "opening.history[1].reference",
        ),
    ],
)
async def test_what_a_payer_wrote_is_not_repeated_in_a_failure(
    change: dict[str, Any], field: str
) -> None:
    """A reference may hold a name; the failure of a workflow is kept and seen by many."""
    sent = replace(GOOD, opening=replace(OPENING, **change))
    with pytest.raises(ApplicationError) as refused:
        await ActivityEnvironment().run(BoardActivities(FakeLedger(), UPSTREAM).board, sent)
    assert refused.value.details[0]["field"] == field
    assert refused.value.details[0]["value"] == "(not shown)"
    assert "Hua" not in str(refused.value)


def test_only_a_loan_in_progress_has_a_mandate_with_a_past() -> None:
    """A loan that begins here begins with its mandate."""
    with pytest.raises(InvalidInput, match="given together with opening") as fault:
        UPSTREAM.command(replace(GOOD, mandate_ended_on="2027-01-01"))
    assert fault.value.field == "mandate_ended_on"


@settings(max_examples=300, deadline=None)
@given(
    head=st.dictionaries(
        st.sampled_from(["as_of", "holder", "evidence", "advance", "advance_ref"]),
        NASTY | st.text(max_size=9),
        max_size=2,
    ),
    rows=st.lists(
        st.dictionaries(
            st.sampled_from([item.name for item in fields(ApplicationEvent)]),
            NASTY | st.sampled_from(["paid", "attempt", "1", "5.00", "2026-12-02"]),
            max_size=6,
        ),
        max_size=3,
    ),
)
def test_any_text_in_any_field_of_an_opening_is_read_or_refused_by_rule(
    head: dict[str, str], rows: list[dict[str, str]]
) -> None:
    """Nothing but the rule that is broken is raised."""
    events = tuple(ApplicationEvent(**{"installment": "1", "event": "paid", **row}) for row in rows)
    opening = replace(OPENING, **head, history=events)
    with suppress(InvalidInput):
        assert UPSTREAM.command(replace(GOOD, opening=opening)).opening is not None
