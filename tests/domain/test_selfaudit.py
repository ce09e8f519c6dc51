"""The rules of an audit of the books alone: moves, orders, closing in time, bank days, reports."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.audit import Finding, FindingKind, Findings
from domain.audit.bankdays import BankBalances, BankDay, Stated
from domain.audit.findings import KEPT
from domain.audit.moves import BORN, Move, illegal, is_allowed
from domain.audit.orders import KeptOrder, Surplus, beyond_limits, other_content, unseen
from domain.audit.questions import Question
from domain.audit.report import outcomes
from domain.audit.unclosed import Unclosed, is_late, late, never_charged
from domain.case.case import CASE, Case
from domain.case.kinds import CaseKind
from domain.debit.attempt import AttemptState, DebitOrder
from domain.debit.codes import RetryLimit
from domain.debit.mandate import MANDATE
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import Loan
from domain.loan.view import INSTALLMENT
from domain.pricing.amounts import Amounts
from domain.registry import KINDS
from tests.support.auditbench import IN_ORDER, paid_and_closed
from tests.support.memory import PRODUCT, RAIL, RULES

AT = datetime(2026, 3, 20, 4, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def loan() -> Loan:
    """Give a loan whose first installment was debited once and closed."""
    return paid_and_closed().books.loans["L1"]


def said(findings: Sequence[Finding]) -> list[str]:
    """Give what findings say."""
    return [finding.text for finding in findings]


# --- moves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("move", "allowed"),
    [
        (Move(INSTALLMENT, "", "SCHEDULED", "boarded", of_order=False), True),
        (Move(INSTALLMENT, "", "DUE", "boarded", of_order=False), False),
        (Move(INSTALLMENT, "DUE", "SCHEDULED", "boarded", of_order=False), False),
        (Move(INSTALLMENT, "SCHEDULED", "DUE", "fell_due", of_order=False), True),
        (Move(INSTALLMENT, "SCHEDULED", "CLOSED", "fell_due", of_order=False), False),
        (Move(INSTALLMENT, "CLOSED", "DUE", "fell_due", of_order=False), False),
        (Move(INSTALLMENT, "SCHEDULED", "SCHEDULED", "due_date_changed", of_order=False), True),
        (Move(INSTALLMENT, "CLOSED", "CLOSED", "due_date_changed", of_order=False), False),
        (Move(INSTALLMENT, "DUE", "DUE", "held", of_order=False), True),
        (Move(INSTALLMENT, "DUE", "CLOSED", "held", of_order=False), False),
        (Move(INSTALLMENT, "LIMBO", "LIMBO", "held", of_order=False), False),
        (Move(INSTALLMENT, "", "queued", "reminder_queued", of_order=False), True),
        (Move(INSTALLMENT, "queued", "failed", "notice_failed", of_order=False), True),
        (Move(INSTALLMENT, "DUE", "failed", "notice_failed", of_order=False), False),
        (Move(INSTALLMENT, "", "INTENDED", "attempt", of_order=True), True),
        (Move(INSTALLMENT, "", "CONFIRMED", "attempt", of_order=True), False),
        (Move(INSTALLMENT, "INTENDED", "CONFIRMED", "attempt", of_order=True), True),
        (Move(INSTALLMENT, "DECLINED", "CONFIRMED", "attempt", of_order=True), False),
        (Move(INSTALLMENT, "LIMBO", "CONFIRMED", "attempt", of_order=True), False),
        (Move(INSTALLMENT, "UNKNOWN", "UNKNOWN", "sent_again", of_order=True), True),
        (Move(INSTALLMENT, "UNKNOWN", "INTENDED", "sent_again", of_order=True), False),
        (Move(INSTALLMENT, "CONFIRMED", "CONFIRMED", "sent_again", of_order=True), False),
        (Move(MANDATE, "", "ACTIVE", "mandate_registered", of_order=False), True),
        (Move(MANDATE, "", "ENDED", "mandate_registered", of_order=False), False),
        (Move(MANDATE, "ACTIVE", "ENDED", "mandate_ended", of_order=False), True),
        (Move(MANDATE, "ENDED", "ACTIVE", "mandate_ended", of_order=False), False),
        (Move(MANDATE, "ACTIVE", "ACTIVE", "mandate_joined", of_order=False), True),
        (Move(MANDATE, "ACTIVE", "ENDED", "mandate_joined", of_order=False), False),
        (Move(CASE, "", "OPEN", "case_opened", of_order=False), True),
        (Move(CASE, "", "RESOLVED", "case_opened", of_order=False), False),
        (Move(CASE, "OPEN", "RESOLVED", "case_resolved", of_order=False), True),
        (Move(CASE, "RESOLVED", "OPEN", "case_reopened", of_order=False), True),
        (Move(CASE, "RESOLVED", "OPEN", "case_assigned", of_order=False), False),
        (Move(CASE, "RESOLVED", "RESOLVED", "case_noted", of_order=False), True),
        (Move(CASE, "SCHEDULED", "DUE", "fell_due", of_order=False), False),
        (Move(CASE, "", "queued", "reminder_queued", of_order=False), False),
        (Move(CASE, "", "INTENDED", "attempt", of_order=True), False),
        (Move("loan", "", "OPEN", "opened", of_order=False), False),
    ],
)
def test_states_move_only_along_the_tables(move: Move, *, allowed: bool) -> None:
    """Subjects by events of their kind, orders by states, messages among their own."""
    assert is_allowed(move) is allowed


def test_every_kind_of_subject_begins_by_a_known_event() -> None:
    """A kind without one could never move."""
    assert set(BORN) == set(KINDS)


def test_an_illegal_move_is_reported_with_its_place_in_the_chain() -> None:
    """Also one from nothing."""
    move = Move(INSTALLMENT, "", "CLOSED", "fell_due", of_order=False)
    text = "item 7 moves it from nothing to CLOSED by fell_due"
    assert illegal(move, 7, "L1/1") == Finding(FindingKind.MOVE, "L1/1", text)


# --- orders --------------------------------------------------------------------------------------

ORDER = DebitOrder("N1", "m", "M-L1", "simbank", 100, "CNY", date(2026, 3, 10), "L1", 1, AT)
KEPT_ORDER = KeptOrder("L1", 1, "M-L1", "simbank", 100, date(2026, 3, 10))


@pytest.mark.parametrize(
    "fields",
    [
        {"loan_id": "L2"},
        {"number": 2},
        {"mandate_ref": "M-9"},
        {"rail": "other"},
        {"amount_minor": 99},
        {"value_on": date(2026, 3, 11)},
    ],
)
def test_an_order_kept_with_other_content_than_was_given_out_is_found(
    fields: dict[str, Any],
) -> None:
    """Each field counts; an order that is not kept at all is found as well."""
    assert list(other_content(ORDER, KEPT_ORDER)) == []
    text = "was given out to be sent with another content than is kept"
    wrong = [Finding(FindingKind.NO_INTENT, "L1/1 N1", text, 100, "CNY")]
    assert list(other_content(ORDER, replace(KEPT_ORDER, **fields))) == wrong
    assert list(other_content(ORDER, None)) == wrong


def test_a_surplus_is_found_unless_an_open_case_names_its_payment() -> None:
    """A case about another payment of the loan is none about this one."""
    surplus = Surplus("L1", "R-1", 5, "CNY")
    case = Case("k", CaseKind.SURPLUS, "", "L1", 1, payment="R-2")
    text = "a surplus waits and no case says so"
    found = [Finding(FindingKind.DOUBLE_DEBIT, "R-1", text, 5, "CNY")]
    assert list(unseen(surplus, [case])) == found
    assert list(unseen(surplus, [case, replace(case, payment="R-1")])) == []


def tried(loan: Loan, *changes: dict[str, Any], reset_at: int = 0) -> Loan:
    """Give the loan with copies of its first attempt, a day apart, each changed."""
    item = loan.installments[0]
    first = item.attempts[0]
    at = first.intended_at
    attempts = tuple(
        replace(replace(first, number=n, order_no=f"N{n}", intended_at=at + n * DAY), **one)
        for n, one in enumerate(changes, start=1)
    )
    item = replace(item, attempts=attempts, retries_reset_at=reset_at)
    return replace(loan, installments=(item, *loan.installments[1:]))


FAILED: dict[str, Any] = {
    "state": AttemptState.DECLINED,
    "outcome_class": OutcomeClass.NSF,
    "code": "51",
}
CLOSED: dict[str, Any] = {**FAILED, "outcome_class": OutcomeClass.ACCOUNT, "code": "14"}
GONE: dict[str, Any] = {**FAILED, "state": AttemptState.NOT_EXECUTED}


def limited(loan: Loan, **rules: Any) -> list[str]:
    """Give what is beyond the limits."""
    return said(list(beyond_limits(loan, replace(RULES, **rules))))


def test_the_strictest_of_product_mandate_and_rail_limits_attempts(loan: Loan) -> None:
    """The product allows four; the mandate or the rail may allow fewer."""
    four = tried(loan, FAILED, FAILED, FAILED, FAILED)
    assert limited(four) == []
    assert limited(tried(loan, *[FAILED] * 5)) == ["5 attempts, 4 allowed"]
    signed = replace(four, mandate=replace(four.mandate, attempts_max=3))
    assert limited(signed) == ["4 attempts, 3 allowed"]
    strict = {"simbank": replace(RAIL, attempts_max=2)}
    assert limited(four, rails=strict) == ["4 attempts, 2 allowed"]


def test_what_never_reached_the_rail_and_what_came_before_an_order_counts_for_no_limit(
    loan: Loan,
) -> None:
    """A person may begin anew; an order that was never executed was no presentment."""
    assert limited(tried(loan, *[FAILED] * 4, GONE)) == []
    assert limited(tried(loan, *[FAILED] * 5, reset_at=1)) == []


def test_attempts_of_one_day_are_limited_where_the_rail_is_known(loan: Loan) -> None:
    """Two a day of the rail."""
    at = {**FAILED, "intended_at": datetime(2026, 3, 10, 4, tzinfo=UTC)}
    day = tried(loan, at, at, at)
    assert limited(day) == ["3 attempts on 2026-03-10, 2 allowed"]
    assert limited(day, rails={}) == []


def test_a_limit_of_law_counts_where_it_is_about_the_refusal_before(loan: Loan) -> None:
    """Two presentments after a refusal for lack of funds; a rule without a count limits nothing."""
    law = RetryLimit("law", "a test", applies_to=("51",), presentations_max=2)
    limits = {"simbank": (law, replace(law, id="gap", presentations_max=None))}
    three = tried(loan, FAILED, FAILED, FAILED)
    assert limited(three, limits=limits) == ["3 attempts, 2 allowed by law"]
    assert limited(tried(loan, FAILED, FAILED), limits=limits) == []
    other = {**FAILED, "code": "64"}
    assert limited(tried(loan, FAILED, other, FAILED), limits=limits) == []
    back = {**FAILED, "state": AttemptState.RETURNED}
    assert limited(tried(loan, FAILED, back, FAILED), limits=limits) == []


def test_nothing_follows_a_hard_refusal(loan: Loan) -> None:
    """A closed account is not debited again; as the last attempt it is what it is."""
    assert limited(tried(loan, CLOSED, FAILED)) == ["presented again after ACCOUNT (14)"]
    assert limited(tried(loan, FAILED, CLOSED)) == []


# --- paid and not closed -------------------------------------------------------------------------


def test_closing_is_late_when_settlement_and_return_window_have_passed_twice_and_a_holiday() -> (
    None
):
    """2 x (settlement + return window) banking days and ten more, to the second."""
    rules = PRODUCT.closure
    days = 2 * (rules.settlement_banking_days + rules.return_window_banking_days) + 10
    paid = Unclosed("L1", 1, "SETTLED", AT, has_case=False)
    assert not is_late(paid, PRODUCT, AT + days * DAY)
    assert is_late(paid, PRODUCT, AT + days * DAY + timedelta(seconds=1))


def test_a_late_one_is_reported_with_its_age_and_what_it_lacks(loan: Loan) -> None:
    """What the gates miss, each once; an open case about it is among them."""
    at = AT + 3 * DAY
    paid = Unclosed("L1", 1, "CLEARING", AT, has_case=False)
    nothing = late(paid, loan, (), RULES, at)
    assert (nothing.subject, nothing.minor, nothing.currency) == ("L1/1", 10_100, "CNY")
    assert nothing.text == "CLEARING for 3 days after the last money; lacks nothing"
    cases = [Case(key, CaseKind.CONTRADICTION, "", "L1", 1) for key in ("one", "two")]
    assert late(paid, loan, cases, RULES, at).text.endswith("lacks case")
    unproven = replace(loan, portions=(replace(loan.portions[0], settled_minor=0),))
    assert late(paid, unproven, (), RULES, at).text.endswith("lacks unproven")


def test_only_what_was_to_be_charged_can_be_closed_without_a_charge(loan: Loan) -> None:
    """An installment of nothing is closed with nothing."""
    (found,) = never_charged(loan, 2)
    assert (found.subject, found.text, found.minor) == ("L1/2", "closed and never charged", 10_100)
    free = replace(loan.installments[1], scheduled=Amounts())
    installments = (loan.installments[0], free, loan.installments[2])
    assert list(never_charged(replace(loan, installments=installments), 2)) == []


# --- bank days -----------------------------------------------------------------------------------


def judged(*days: tuple[int, int, tuple[Stated, ...]], today: int = 28) -> list[tuple[str, str]]:
    """Take days (of March), what is booked to their end, and statements; what is found."""
    balances = BankBalances(date(2026, 3, today))
    found: list[Finding] = []
    for day, booked, stated in days:
        found += balances.take(BankDay("A", "CNY", date(2026, 3, day), booked, stated))
    found += balances.end()
    assert {finding.kind for finding in found} <= {FindingKind.STATEMENT}
    return [(finding.subject, f"{finding.text}: {finding.minor}") for finding in found]


def stated(opening: int | None, closing: int | None, name: str = "S") -> tuple[Stated, ...]:
    """Give one statement that adds up."""
    total = (closing or 0) - (opening or 0)
    return (Stated(name, opening, closing, total),)


def test_days_that_the_books_follow_are_in_order_whatever_lay_there_before() -> None:
    """50 before the first day, then 70, nothing, and 30 less."""
    assert (
        judged((2, 70, stated(50, 120)), (3, 70, stated(120, 120)), (4, 40, stated(120, 90))) == []
    )


def test_a_balance_that_the_books_do_not_reach_is_found_once() -> None:
    """A line of 5 that the books lack from the third on; the days after it follow each other."""
    days = (
        (2, 70, stated(50, 120)),
        (3, 70, stated(120, 125)),
        (4, 80, stated(125, 135)),
        (5, 80, stated(135, 136)),
    )
    assert judged(*days) == [
        ("A/2026-03-03", "closes with 125, the books have 120: 5"),
        ("A/2026-03-05", "closes with 136, the books have 135: 1"),
    ]


def test_what_a_bank_books_back_is_brought_right_by_its_next_statement() -> None:
    """A line of 5, booked on the third, is stated on the fourth: no fault of the books."""
    days = ((2, 70, stated(50, 120)), (3, 75, stated(120, 120)), (4, 75, stated(120, 125)))
    assert judged(*days) == []
    assert judged(*days[:2]) == [("A/2026-03-03", "closes with 120, the books have 125: -5")]


def test_a_statement_that_is_missing_is_found_when_it_should_have_come() -> None:
    """Ten days are patience: until then it may be on its way."""
    days = ((2, 70, stated(50, 120)), (4, 70, stated(127, 127)), (5, 70, stated(127, 127)))
    text = "opens with 127, the statement before closed with 120: 7"
    assert judged(*days, today=15) == [("A/2026-03-04", text)]
    assert judged(*days, today=14) == []


def test_of_several_statements_of_a_day_one_has_to_close_as_the_books_do() -> None:
    """Parts of a day, and a month beside its last day."""
    parts = (*stated(50, 60, "S1"), *stated(60, 120, "S2"))
    month = (*stated(120, 100, "S3"), *stated(0, 100, "M"))
    assert judged((2, 70, parts), (3, 50, month)) == []
    assert judged((2, 70, parts), (3, 50, stated(None, None)), (4, 50, stated(120, 100))) == []


def test_a_page_states_no_opening_balance_and_is_judged_by_its_closing_one() -> None:
    """Its lines are one page of many; the balance that it ends with is the account's."""
    page = (Stated("S/p2", None, 130, 3, is_paged=True),)
    assert judged((2, 70, stated(50, 120)), (3, 80, page)) == []
    text = "closes with 130, the books have 120: 10"
    assert judged((2, 70, stated(50, 120)), (3, 70, page)) == [("A/2026-03-03", text)]
    inside = (Stated("S/p1", 120, 130, 3, is_paged=True),)
    assert judged((2, 70, stated(50, 120)), (3, 80, inside)) == []


def test_a_statement_whose_own_lines_do_not_lead_to_its_balance_is_found() -> None:
    """Opening plus lines is closing."""
    text = "its lines come to 69, its balances differ by 1 more: 1"
    assert judged((2, 70, (Stated("S", 50, 120, 69),))) == [("A S", text)]


# --- findings and the report ---------------------------------------------------------------------


def test_findings_of_one_kind_are_limited_and_counted() -> None:
    """Every kind has room of its own; money is summed without its signs."""
    found = Findings()
    found.add(Finding(FindingKind.MOVE, f"L{n}", "", -2) for n in range(KEPT + 5))
    found.add([Finding(FindingKind.CHAIN, "journal", "")])
    found.more(FindingKind.CHAIN, 7, 3)
    found.more(FindingKind.STUCK, 0)
    assert len(found.kept) == KEPT + 1
    assert found.counts == {FindingKind.MOVE: KEPT + 5, FindingKind.CHAIN: 8}
    assert found.minors[FindingKind.MOVE] == 2 * (KEPT + 5)
    assert found.found == KEPT + 13


@pytest.mark.parametrize("question", Question)
def test_every_question_can_be_reported(question: Question) -> None:
    """A row with its names gives a finding without holes; what is absent is left out."""
    _, subject, text = question.value
    names = re.findall(r"{(\w+)}", subject + text)
    row: dict[str, object] = {name: f"<{name}>" for name in names} | {"minor": 5, "currency": "CNY"}
    finding = question.finding(row)
    assert (finding.kind, finding.minor, finding.currency) == (question.kind, 5, "CNY")
    assert "{" not in finding.subject + finding.text
    empty = question.finding(dict.fromkeys(names))
    assert (empty.minor, empty.currency, "None" in empty.text) == (0, "", False)


def test_attempts_are_counted_by_what_the_rail_said_of_them() -> None:
    """By class where a final outcome has one, else by state."""
    rows = [
        ("CONFIRMED", "SUCCESS", 2),
        ("DECLINED", "NSF", 3),
        ("DECLINED", None, 1),
        ("RETURNED", "SUCCESS", 4),
        ("INTENDED", None, 5),
    ]
    assert outcomes(rows) == {"SUCCESS": 2, "NSF": 3, "DECLINED": 1, "RETURNED": 4, "INTENDED": 5}


@pytest.mark.parametrize("kind", FindingKind)
def test_a_report_with_any_finding_is_not_clean(kind: FindingKind) -> None:
    """Each count stands under its own name, also of findings that nobody lists."""
    found = Findings()
    found.more(kind, 3, 20)
    report = replace(IN_ORDER, found=found)
    shown = report.as_dict()
    assert not report.clean
    assert report.count(kind) == 3
    assert shown["found"] == {kind.value: 3}
    assert shown["double_debits"] == 3 * (kind is FindingKind.DOUBLE_DEBIT)
    assert shown["closed_not_paid"] == 3 * (kind is FindingKind.CLOSED_NOT_PAID)
    assert shown["unexplained_minor"] == 20 * (kind is FindingKind.UNEXPLAINED)
    assert "posts" not in shown, "no bank was asked"
    assert report.balanced is (kind not in {FindingKind.UNBALANCED, FindingKind.ITEMS_DIFFER})
    assert report.chain_ok is (kind is not FindingKind.CHAIN)
