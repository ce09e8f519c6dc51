"""An installment in words, for the Temporal UI and for stories."""

from dataclasses import replace
from datetime import date

import pytest

from domain.debit.outcome import OutcomeClass
from domain.kernel.view import Labels, View
from domain.loan.view import InstallmentDetail, InstallmentView, installment
from domain.loan.words import INSTALLMENT_WORDS, MEANINGS
from tests.support.views import changed

VIEW: InstallmentView = View(
    tenant="t1",
    subject=installment("L-1", 1),
    generation=1,
    version=1,
    state="DUE",
    labels=Labels("L-1", 1, date(2026, 12, 1), "CNY", 10_000, "simbank"),
    detail=InstallmentDetail(timezone="Asia/Shanghai"),
)


def parts(**values: object) -> str:
    return "; ".join(INSTALLMENT_WORDS.parts(changed(VIEW, **values)))


def test_the_parts_name_amount_code_cases_and_zone() -> None:
    """A reader needs no other place to know how an installment stands."""
    assert parts() == "**DUE**, 100.00 CNY owed, due 2026-12-01 (Asia/Shanghai)"
    tried = parts(attempt_no=2, attempt_state="DECLINED", code="51", failure_class="NSF")
    assert tried.endswith("debit 2 declined (code 51: not enough money on the account)")
    assert parts(cases=("contradiction", "mandate")).endswith("open cases: contradiction, mandate")


@pytest.mark.parametrize("outcome_class", sorted(set(OutcomeClass) - {"SUCCESS", "PENDING"}))
def test_every_class_of_code_has_a_meaning_in_words(outcome_class: str) -> None:
    """No code is shown without what it means."""
    shown = parts(attempt_no=1, code="X", failure_class=outcome_class)
    assert f"(code X: {MEANINGS[outcome_class]})" in shown


def test_an_unknown_class_is_shown_by_its_name() -> None:
    """A later release may know more classes; one that says none shows only its code."""
    assert "(code 9: NEW)" in parts(attempt_no=1, code="9", failure_class="NEW")
    assert parts(attempt_no=1, code="9").endswith("(code 9)")


def test_an_attempt_that_no_rail_has_answered_shows_no_code() -> None:
    """There is none before its first news."""
    assert "code" not in parts(attempt_no=1, code="")


def test_changes_are_said_once_and_only_where_people_ask() -> None:
    """A new attempt, a new due date, a hold and its end; a view that repeats says nothing."""

    def said(**values: object) -> list[str]:
        return list(INSTALLMENT_WORDS.changes(VIEW, changed(VIEW, **values)))

    assert said(version=2) == []
    assert said(attempt_no=1, attempt_state="INTENDED") == ["attempt 1 INTENDED"]
    assert said(attempt_no=1, attempt_state="DECLINED", code="51") == ["attempt 1 DECLINED (51)"]
    assert said(due_on=date(2026, 12, 3)) == ["due on 2026-12-03"]
    assert said(hold="all") == ["hold all"]
    held = replace(VIEW, detail=replace(VIEW.detail, hold="all"))
    assert list(INSTALLMENT_WORDS.changes(held, VIEW)) == ["no longer held"]


def test_the_summary_names_number_loan_and_due_date() -> None:
    """Nothing personal and no amount: it is shown in every list of workflows."""
    assert INSTALLMENT_WORDS.summary(VIEW) == "installment 1 of L-1, due 2026-12-01"
