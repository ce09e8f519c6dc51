"""A mandate that loans share: boarded under, ended for all of them, replaced for one."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.case.case import ByHand
from domain.debit.attempt import AttemptState
from domain.debit.mandate import LOANS_MOST, MANDATE, Mandate, MandateState
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Done, Refusal
from domain.kernel.command import Scope
from domain.kernel.subject import Subject
from domain.loan.change import Change
from domain.loan.decide import reread
from domain.loan.lifecycle import State
from domain.registry import decide
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    EndMandate,
    RecordMandateEnded,
    RecordUnsent,
    ReplaceMandate,
    ResolveCase,
    RetryNow,
    RollDay,
)
from tests.support.memory import PRODUCT, TESTER, MemoryBooks, board
from tests.support.scene import Scene

SHARED = Mandate("M-1", "simbank", "merchant-1", "acct-1", date(2026, 1, 1))
CALM = replace(PRODUCT, penalty=None, reminders=replace(PRODUCT.reminders, rules=()))
DAY = timedelta(days=1)
DUE = date(2026, 3, 10)


def scene(*loans: str) -> Scene:
    """Loans of one payer under one mandate."""
    s = Scene(MemoryBooks())
    for loan_id in loans:
        assert isinstance(s.books.apply(under(loan_id)), Change)
    return s


def under(loan_id: str, borrower: str = "b-1", **terms: Any) -> Any:
    """A loan under the shared mandate, or one with other terms."""
    mandate = replace(SHARED, **terms)
    return replace(board(loan_id, product=CALM, mandate=mandate), borrower=borrower)


def ended(s: Scene, day: date, mandate: str = "M-1", rail: str = "simbank") -> Change:
    """The rail reports that a mandate has ended."""
    change = s.give(
        RecordMandateEnded, rail=rail, mandate=mandate, ended_on=day, code="MD01", source="webhook"
    )
    assert isinstance(change, Change)
    return change


def replaced(s: Scene, **more: Any) -> Change | Refusal:
    """A person puts L1 under a new mandate."""
    given: dict[str, Any] = {
        "mandate": "M-1",
        "loan": "L1",
        "ref": "M-2",
        "account_token": "acct-2",
        "valid_from": date(2026, 1, 1),
    }
    return s.give(ReplaceMandate, **(given | more))


def told(s: Scene, ref: str = "M-1", loan: str = "") -> list[tuple[str, str, str]]:
    """What the journal says of a mandate: event, state, detail."""
    moves = [it for it in s.books.transitions if it.subject == Subject(MANDATE, ref)]
    return [(it.event, it.target, it.detail) for it in moves if it.loan_id == loan]


def rule(answer: Change | Refusal) -> str:
    """The rule by which something was refused."""
    assert isinstance(answer, Refusal)
    return answer.rule


def test_the_first_loan_registers_a_mandate_and_others_find_it() -> None:
    """One root for both, and each loan keeps its terms."""
    s = scene("L1", "L2")
    root = s.books.mandate_roots["M-1"]
    assert (root.terms, root.payer, root.loans, root.state) == (SHARED, "b-1", 2, "ACTIVE")
    assert {loan.mandate for loan in s.books.loans.values()} == {SHARED}
    assert told(s) == [
        ("mandate_registered", "ACTIVE", "L1"),
        ("mandate_joined", "ACTIVE", "L2"),
    ]
    invariants.check(s.books)


@pytest.mark.parametrize(
    ("given", "expected", "reason"),
    [
        (under("L2", borrower="b-2"), "mandate.payer", "mandate M-1 is another payer's"),
        (
            under("L2", account_token="acct-9", cap_minor=5),
            "mandate.terms",
            "mandate M-1 is on the books with another account_token, cap_minor",
        ),
        (
            under("L2", valid_from=date(2025, 12, 31)),
            "mandate.terms",
            "mandate M-1 is on the books with another valid_from",
        ),
    ],
)
def test_a_loan_that_says_otherwise_of_a_mandate_is_not_boarded(
    given: Any, expected: str, reason: str
) -> None:
    """A reference means one payer and one set of terms."""
    s = scene("L1")
    assert s.books.apply(given) == Refusal(expected, reason)
    assert (list(s.books.loans), s.books.mandate_roots["M-1"].loans) == (["L1"], 1)


def test_a_later_loan_takes_the_terms_that_stand() -> None:
    """Its sender knows the day of the loan, not the day on which the payer signed."""
    s = scene("L1")
    assert isinstance(s.books.apply(under("L2", valid_from=date(2026, 2, 10))), Change)
    assert s.books.loans["L2"].mandate == SHARED


def test_no_loan_is_boarded_under_an_ended_mandate_or_beyond_the_most() -> None:
    """An ended mandate never comes back; as many loans as one transaction changes are under one."""
    s = scene("L1")
    full = replace(s.books.mandate_roots["M-1"], loans=LOANS_MOST)
    s.books.mandate_roots["M-1"] = full
    assert rule(s.books.apply(under("L2"))) == "mandate.loans"
    s.books.mandate_roots["M-1"] = replace(full, loans=1)
    ended(s, DUE)
    answer = s.books.apply(under("L2"))
    assert answer == Refusal("mandate.ended", "mandate M-1 has ended on 2026-03-10")


def test_a_mandate_that_is_boarded_as_ended_has_ended() -> None:
    """Its root and its loan say the same, and no other loan comes under it."""
    s = Scene(MemoryBooks())
    assert isinstance(s.books.apply(under("L1", ended_on=DUE)), Change)
    root = s.books.mandate_roots["M-1"]
    assert (root.state, root.terms.ended_on, root.source) == (MandateState.ENDED, DUE, "boarding")
    assert told(s)[1:] == [("mandate_ended", "ENDED", "2026-03-10 boarding")]


def test_the_end_of_a_mandate_reaches_every_loan_under_it() -> None:
    """What fell due is delinquent with a case, what is to come is so when it would be debited."""
    s = scene("L1", "L2")
    s.until(DUE)
    s.give(RollDay, loan_id="L2", day=s.today)
    assert [s.books.item(1, loan).state for loan in ("L1", "L2")] == [State.DUE, State.DUE]
    change = ended(s, s.today)
    assert change.answer == Done(note="ended for 2 loans")
    assert change.subject == Subject(MANDATE, "M-1")
    assert set(change.loans) == {"L1", "L2"}
    for loan in ("L1", "L2"):
        assert s.books.loans[loan].mandate == s.books.mandate_roots["M-1"].terms
        states = [item.state for item in s.books.loans[loan].installments]
        assert states == [State.DELINQUENT, State.SCHEDULED, State.SCHEDULED]
        assert s.books.cases[f"mandate/{loan}/1"].kind == "mandate"
        assert told(s, loan=loan) == [
            ("mandate_applied", "ENDED", f"M-1 has ended on {s.today}"),
        ]
        assert rule(s.order(RetryNow, loan=loan)) == "mandate.ended"
    assert told(s)[-1] == ("mandate_ended", "ENDED", f"{s.today} MD01 webhook")
    invariants.check(s.books)


def test_a_live_order_is_not_touched_and_what_is_left_of_it_is_not_tried_again() -> None:
    """Its outcome is evidence; a decline finds the mandate ended."""
    s = scene("L1")
    order = s.present()
    ended(s, s.today)
    assert s.books.item().live_attempt is not None
    assert s.state == "PRESENTED"
    s.apply_outcome(order, OutcomeClass.NSF)
    assert s.state == "DELINQUENT"
    assert s.books.item().attempts[0].state is AttemptState.DECLINED


def test_a_retry_under_a_mandate_that_ends_is_delinquent_at_once() -> None:
    """On a day that is to come, it goes on until then."""
    s = scene("L1")
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert s.state == "RETRYING"
    version = s.books.item().version
    ended(s, s.today + 30 * DAY)
    assert (s.state, s.books.item().version) == ("RETRYING", version + 1)
    ended(s, s.today)
    assert s.state == "DELINQUENT"


def test_the_earliest_day_counts_in_any_order_of_news() -> None:
    """Two reports of one end differ in their day: later news of a later day changes nothing."""
    days = (DUE, DUE + 5 * DAY)
    found = []
    for order in (days, days[::-1]):
        s = scene("L1")
        for day in order:
            ended(s, day)
        root = s.books.mandate_roots["M-1"]
        found.append((root.terms.ended_on, s.books.loans["L1"].mandate.ended_on, root.state))
    assert found == [(DUE, DUE, "ENDED")] * 2
    assert ended(s, DUE + DAY).answer == Done(note="known")


@pytest.mark.parametrize(("ref", "rail"), [("M-9", "simbank"), ("M-1", "other")])
def test_the_end_of_a_mandate_that_nobody_knows_is_a_case(ref: str, rail: str) -> None:
    """Evidence is never refused; another rail's mandate is not touched."""
    s = scene("L1")
    assert ended(s, DUE, ref, rail).answer == Done(note="unknown mandate")
    case = s.books.cases[f"unknown_mandate/{rail}/{ref}"]
    assert (case.kind, case.text) == (
        "unknown_mandate",
        f"{rail} reports that mandate {ref} has ended",
    )
    assert s.books.mandate_roots["M-1"].state == "ACTIVE"


def test_no_loan_is_boarded_under_a_mandate_whose_end_was_reported_first() -> None:
    """Until a person has said that the report was a mistake."""
    s = scene("L1")
    ended(s, DUE, "M-9")
    late = under("L2", ref="M-9")
    assert rule(s.books.apply(late)) == "mandate.ended"
    key = "unknown_mandate/simbank/M-9"
    assert isinstance(s.give(ResolveCase, case=key, resolution=ByHand.NO_FAULT), Change)
    assert isinstance(s.books.apply(replace(late, id="again")), Change)


def test_a_person_ends_a_mandate() -> None:
    """Once, or again on an earlier day; with a reason, and never approved by oneself."""
    s = scene("L1")
    assert rule(s.give(EndMandate, mandate="M-9", ended_on=DUE)) == "mandate.unknown"
    assert rule(s.give(EndMandate, mandate="M-1", ended_on=DUE, reason=" ")) == "order.reason"
    own = s.give(EndMandate, mandate="M-1", ended_on=DUE, approver=TESTER.id)
    assert rule(own) == "order.approver"
    done = s.give(EndMandate, mandate="M-1", ended_on=DUE, approver="other")
    assert isinstance(done, Change)
    assert s.books.mandate_roots["M-1"].source == TESTER.kind
    assert told(s)[-1] == ("mandate_ended", "ENDED", f"{DUE} {TESTER.kind}")
    assert rule(s.give(EndMandate, mandate="M-1", ended_on=DUE)) == "mandate.ended"
    assert isinstance(s.give(EndMandate, mandate="M-1", ended_on=DUE - DAY), Change)


def test_one_loan_is_put_under_a_new_mandate_and_the_others_stay() -> None:
    """Its next debit goes out under it; an order that is out keeps the one it was made with."""
    s = scene("L1", "L2")
    order = s.present()
    done = replaced(s)
    assert isinstance(done, Change)
    assert done.answer == Done(note="L1 is under M-2")
    roots = s.books.mandate_roots
    assert (roots["M-1"].loans, roots["M-2"].loans) == (1, 1)
    assert s.books.loans["L1"].mandate == roots["M-2"].terms
    assert (roots["M-2"].terms.rail, roots["M-2"].terms.merchant_id) == ("simbank", "merchant-1")
    assert s.books.loans["L2"].mandate == SHARED
    assert told(s)[-1] == ("mandate_left", "ACTIVE", "L1")
    assert told(s, "M-2") == [("mandate_registered", "ACTIVE", "L1")]
    assert told(s, "M-2", "L1") == [("mandate_applied", "ACTIVE", "M-1 is replaced by M-2")]
    s.apply_outcome(order, OutcomeClass.NSF)
    s.present()
    assert [a.mandate_ref for a in s.books.item().attempts] == ["M-1", "M-2"]
    ended(s, s.today)
    assert s.books.loans["L1"].mandate.ended_on is None
    invariants.check(s.books)


def test_a_new_authority_lifts_the_bar_of_a_hard_decline() -> None:
    """Under the mandate that was refused nobody may try again; under another one they may."""
    s = scene("L1")
    s.apply_outcome(s.present(), OutcomeClass.MANDATE)
    assert s.state == "DELINQUENT"
    assert rule(s.order(RetryNow)) == "class.MANDATE"
    assert isinstance(replaced(s), Change)
    assert isinstance(s.order(RetryNow), Change)
    s.present()
    assert s.books.item().attempts[-1].mandate_ref == "M-2"


def test_a_decline_for_the_mandate_ends_it_for_nobody() -> None:
    """What one order was refused for is no report about the mandate: a person looks."""
    s = scene("L1", "L2")
    s.apply_outcome(s.present(), OutcomeClass.MANDATE)
    assert s.books.mandate_roots["M-1"].state == "ACTIVE"
    assert s.books.loans["L2"].mandate.ended_on is None
    assert s.books.cases["mandate/L1/1"].kind == "mandate"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"loan": "L9"}, "mandate.loan"),
        ({"loan": "L3"}, "mandate.loan"),
        ({"ref": "M-1"}, "mandate.same"),
        ({"ref": "M-3", "account_token": "other"}, "mandate.terms"),
        ({"mandate": "M-9"}, "mandate.unknown"),
    ],
)
def test_a_replacement_that_does_not_fit_is_refused(given: dict[str, Any], expected: str) -> None:
    """No such loan, not under it, the same reference, other terms, no such mandate."""
    s = scene("L1")
    assert isinstance(s.books.apply(under("L3", ref="M-3")), Change)
    assert rule(replaced(s, **given)) == expected
    assert s.books.loans["L1"].mandate == SHARED


def test_a_loan_joins_a_mandate_that_the_books_know() -> None:
    """With the same terms it is one mandate for both."""
    s = scene("L1")
    assert isinstance(s.books.apply(under("L3", ref="M-3")), Change)
    assert isinstance(replaced(s, ref="M-3", account_token="acct-1"), Change)
    assert s.books.mandate_roots["M-3"].loans == 2
    assert s.books.mandate_roots["M-1"].loans == 0


def test_commands_on_mandates_name_what_they_lock() -> None:
    """The mandate before its loans; a replacement both mandates and one loan."""
    words: dict[str, Any] = {"id": "c", "actor": TESTER}
    report = RecordMandateEnded(
        **words, rail="simbank", mandate="M-1", ended_on=DUE, code="", source="webhook"
    )
    order = EndMandate(**words, reason="x", mandate="M-1", ended_on=DUE)
    both = Scope(mandate_roots=("M-1",), under_mandates=("M-1",))
    assert report.scope() == both
    assert order.scope() == replace(both, cases=("barred/M-1",))
    assert report.dedup_key() == f"mandate/simbank/M-1/{DUE}"
    new = ReplaceMandate(
        **words,
        reason="x",
        mandate="M-1",
        loan="L1",
        ref="M-2",
        account_token="a",
        valid_from=DUE,
    )
    assert new.scope() == Scope(
        loans=("L1",), mandate_roots=("M-1", "M-2"), accounts=("a",), cases=("barred/M-1",)
    )


def test_another_reading_of_a_known_report_about_a_mandate_is_a_case() -> None:
    """It is about no installment, and changes none."""
    s = scene("L1")
    known = replace(s.books._aggregates(), known_as="report-1")
    change = reread(known, Subject(MANDATE, "M-1"))
    assert [case.kind for case in change.cases.values()] == ["read_differently"]
    assert change.loans == {}


def test_a_loan_that_has_left_a_mandate_is_not_reached_by_its_end() -> None:
    """Whoever looked up the loans under it before one left changes nothing of that one."""
    s = scene("L1", "L2")
    replaced(s, loan="L2")
    found = s.books._aggregates()
    known = replace(found, under_mandates={"M-1": ("L1", "L2")})
    end = RecordMandateEnded(
        id="e", actor=TESTER, rail="simbank", mandate="M-1", ended_on=s.today, code="", source="r"
    )
    change = decide(known, end)
    assert isinstance(change, Change)
    assert isinstance(change.answer, Done)
    assert (change.answer.note, set(change.loans)) == ("ended for 1 loans", {"L1"})


@pytest.mark.parametrize("named", ["M-1", "M-2"])
def test_a_return_is_of_a_debit_made_under_the_mandate_that_it_names(named: str) -> None:
    """L1 was debited under M-1, then put under M-2: its debit is still one of M-1, and of no other.

    With L2 debited as much under M-1, two debits fit, so nothing is taken and cases name both.
    """
    s = scene("L1", "L2")
    for loan_id in ("L1", "L2"):
        s.apply_outcome(s.present(1, loan_id))
    assert isinstance(replaced(s), Change)
    s.line(LineItem(None, named, None, -10100, 0, "AM04"))
    assert not any(payment.returned_minor for payment in s.books.payments.values())
    about = {case.loan_id for case in s.books.cases.values() if case.kind == "unmatched_line"}
    assert about - {None} == ({"L1", "L2"} if named == "M-1" else {"L1"})


def test_the_only_debit_under_a_mandate_is_found_after_its_loan_has_left() -> None:
    """The line takes back just that debit, though the loan has another mandate by now."""
    s = scene("L1")
    order = s.present()
    s.apply_outcome(order)
    assert isinstance(replaced(s), Change)
    s.line(LineItem(None, "M-1", None, -10100, 0, "AM04"))
    assert s.payment(f"R-{order}").returned_minor == 10100
    invariants.check(s.books)


def test_an_order_that_never_left_does_not_leave_under_a_mandate_that_was_replaced() -> None:
    """Whatever becomes of the old mandate, what is owed is ordered anew under the new one."""
    s = scene("L1")
    order = s.present()
    s.give(RecordUnsent, order_no=order, sends=1)
    assert isinstance(replaced(s), Change)
    assert s.present() != order
    attempts = s.books.item().attempts
    assert [(a.mandate_ref, a.state) for a in attempts] == [
        ("M-1", AttemptState.RECALLED),
        ("M-2", AttemptState.INTENDED),
    ]
    invariants.check(s.books)


@pytest.mark.parametrize("days", [-400, -200, 400])
def test_a_person_cannot_end_a_mandate_on_an_implausible_day(days: int) -> None:
    """Before it began, or more than a year from today: an end cannot be taken back."""
    s = scene("L1")
    order: dict[str, Any] = {"mandate": "M-1", "ended_on": s.today + timedelta(days=days)}
    assert rule(s.give(EndMandate, **order)) == "mandate.ended_on"
