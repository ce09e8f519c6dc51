"""An opening that contradicts itself or its loan is refused by a named rule; nothing is kept."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.mandate import Bar
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.loan.opening import Opening, OpeningAdvance, OpeningItem
from domain.pricing.amounts import Amounts
from tests.support.doors import Past
from tests.support.memory import MemoryBooks, board
from tests.support.openings import APRIL, AS_OF, WHOLE, opening, ordered, paid

OUT: dict[str, Any] = {"outcome_class": None, "code": "", "state": AttemptState.UNKNOWN}
TAKEN: dict[str, Any] = {"outcome_class": None, "code": "00", "state": AttemptState.CONFIRMED}


def answer_to(said: Opening, past: Past = Past.REFUSE) -> Change | Refusal:
    """What empty books say to the loan with an opening."""
    books = MemoryBooks(at=APRIL)
    answer = books.apply(replace(board(), opening=said, past=past))
    assert isinstance(answer, Change) or not books.loans
    return answer


def advance(number: int = 3, minor: int = 100, reference: str = "A-2") -> OpeningAdvance:
    """A part of what was paid ahead."""
    return OpeningAdvance(number=number, minor=minor, reference=reference)


AHEAD: dict[str, Any] = {"advance_minor": 500, "advance_ref": "A-1"}
ADVANCES = [
    ("an amount above zero and a reference", (advance(minor=0),)),
    ("an amount above zero and a reference", (advance(reference=""),)),
    ("a reference of its own", (advance(), advance())),
    ("a reference of its own", (advance(reference="A-1"),)),
    ("together less than the 5.00 CNY paid ahead in all", (advance(minor=500),)),
]
BARS = [
    ("ACCOUNT, DECEASED, DISPUTE, MANDATE, each once", (Bar(OutcomeClass.NSF, "51", "X"),)),
    ("each once", (Bar(OutcomeClass.ACCOUNT, "1", "X"), Bar(OutcomeClass.ACCOUNT, "2", "Y"))),
    ("class, code and order", (Bar(OutcomeClass.ACCOUNT, "14", ""),)),
    ("class, code and order", (Bar(OutcomeClass.ACCOUNT, "1 4", "X"),)),
]
counted = ordered(2, "A", counts=True)
BOOKINGS = [
    paid((1, WHOLE), bank_refs=("A",)),
    paid((1, WHOLE), order_no="A", bank_refs=("A B",)),
    paid((1, WHOLE), order_no="A", bank_refs=tuple(map(str, range(11)))),
]
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("as_of", "2026-04-21: a day from 2026-03-20 to 2026-04-20", {"as_of": date(2026, 4, 21)}),
    ("as_of", "2026-03-19: a day from 2026-03-20", {"as_of": date(2026, 3, 19)}),
    ("holder", "old/bank: 1 to 40 letters", {"holder": "old/bank"}),
    ("evidence", "1 to 80 characters", {"evidence": ""}),
    ("evidence", "1 to 80 characters", {"evidence": "x" * 81}),
    ("payments", "1201, at most 1200", {"payments": (paid((1, Amounts(1))),) * 1201}),
    ("attempts", "1201, at most 1200", {"attempts": (ordered(),) * 1201}),
    ("advance", "not negative", {"advance_minor": -1, "advance_ref": "x"}),
    ("advance_ref", "given with what was paid ahead, and only then", {"advance_minor": 5}),
    ("advance", "given with what was paid ahead, and only then", {"advance_ref": "x"}),
    *(("advances", why, {**AHEAD, "advances": parts}) for why, parts in ADVANCES),
    ("installment", "4: 1 to 3", {**AHEAD, "advances": (advance(4),)}),
    *(("barred_by", why, {"bars": bars}) for why, bars in BARS),
    (
        "attempts",
        "B: those that count are the last",
        {"attempts": (counted, replace(counted, order_no="B", counts=False))},
    ),
    *(("payments[1]", "bank_refs: of a debit", {"payments": (one,)}) for one in BOOKINGS),
    ("installment", "installment 4: 4: 1 to 3", {"items": (OpeningItem(number=4),)}),
    ("items", "each once", {"items": (OpeningItem(number=1),) * 2}),
    ("attempts", "in order", {"attempts": (ordered(2, "A"), ordered(1, "B"))}),
    ("installment", "order 'OLD-1': 9: 1 to 3", {"attempts": (ordered(9),)}),
    ("installment", "payments[1], installment 0: 0: 1 to 3", {"payments": (paid((0, WHOLE)),)}),
    ("payments[2]", "each once", {"payments": (paid((2, WHOLE)), paid((1, WHOLE), (1, WHOLE)))}),
    ("payments[1]", "at least one part", {"payments": (paid(),)}),
    (
        "interest",
        "payments[1], installment 1: -1: not negative",
        {"payments": (paid((1, Amounts(5, -1))),)},
    ),
    ("principal", "an amount of this or another component", {"payments": (paid((1, Amounts())),)}),
    (
        "on",
        "installment 1: 2026-04-20: from disbursed_on 2026-02-10 to as_of 2026-04-19",
        {"payments": (paid((1, WHOLE), on=date(2026, 4, 20)),)},
    ),
    (
        "on",
        "2026-02-09: from disbursed_on",
        {"payments": (paid((1, WHOLE), on=date(2026, 2, 9)),)},
    ),
    (
        "on",
        "installment 2: 2026-05-10: from",
        {"items": (OpeningItem(number=2, written_off_on=date(2026, 5, 10)),)},
    ),
    (
        "order_no",
        "OLD-1: the order of a confirmed attempt",
        {"payments": (paid((1, WHOLE), order_no="OLD-1"),)},
    ),
    (
        "order_no",
        "OLD-1: the order of a confirmed attempt",
        {"payments": (paid((1, WHOLE), order_no="OLD-1"),), "attempts": (ordered(),)},
    ),
    (
        "order_no",
        "one payment for each order",
        {
            "payments": (paid((1, Amounts(5)), order_no="OLD-1"),) * 2,
            "attempts": (ordered(**TAKEN),),
        },
    ),
    (
        "order_no",
        "it was one of 1",
        {"payments": (paid((2, WHOLE), order_no="OLD-1"),), "attempts": (ordered(**TAKEN),)},
    ),
    ("order_no", "1 to 35 visible characters but #", {"attempts": (ordered(order_no=""),)}),
    ("order_no", "each order once", {"attempts": (ordered(1), ordered(2))}),
    (
        "outcome",
        "that of an order that left",
        {"attempts": (ordered(state=AttemptState.INTENDED),)},
    ),
    ("amount", "order 'OLD-1': 0: above zero", {"attempts": (ordered(amount_minor=0),)}),
    (
        "attempts",
        "only the last may lack its outcome",
        {"attempts": (ordered(1, "A", **OUT), ordered(1, "B"))},
    ),
    (
        "attempts",
        "oldest first",
        {"attempts": (ordered(1, "A", value_on=date(2026, 3, 12)), ordered(1, "B"))},
    ),
    ("on", "from disbursed_on", {"attempts": (ordered(value_on=date(2026, 2, 9)),)}),
    (
        "on",
        "to as_of 2026-04-19 and 31 days more",
        {"attempts": (ordered(2, value_on=date(2026, 5, 21)),)},
    ),
    (
        "order_no",
        "at most 100.99 CNY, which it asked for",
        {
            "payments": (paid((1, WHOLE), order_no="OLD-1"),),
            "attempts": (ordered(**TAKEN, amount_minor=10099),),
        },
    ),
    (
        "order_no",
        "as much as the payment that names it",
        {
            "payments": (paid((1, WHOLE), order_no="OLD-1"),),
            "attempts": (ordered(**TAKEN, amount_minor=10101),),
        },
    ),
    (
        "penalty",
        "installment 1: -1: not negative",
        {"items": (OpeningItem(number=1, charged=Amounts(penalty=-1)),)},
    ),
    (
        "principal",
        "charged by the schedule",
        {"items": (OpeningItem(number=1, charged=Amounts(1)),)},
    ),
    (
        "installment",
        "one of which nothing was paid",
        {"items": (OpeningItem(number=1, waived=Amounts(1), is_cancelled=True),)},
    ),
    ("principal", "not negative", {"items": (OpeningItem(number=1, waived=Amounts(-1)),)}),
    (
        "principal",
        "10001: at most 100.00 CNY, which installment 1 has left",
        {"payments": (paid((1, Amounts(10001))),)},
    ),
    (
        "penalty",
        "at most 0.00 CNY, which installment 1 has left",
        {"items": (OpeningItem(number=1, waived=Amounts(penalty=1)),)},
    ),
    (
        "installment",
        "one of which something was left then",
        {
            "payments": (paid((2, WHOLE), on=date(2026, 4, 18)),),
            "items": (OpeningItem(number=2, written_off_on=AS_OF),),
        },
    ),
    (
        "installment",
        "one without an order that is out",
        {"attempts": (ordered(2, **OUT),), "items": (OpeningItem(number=2, written_off_on=AS_OF),)},
    ),
]


@pytest.mark.parametrize(("rule", "reason", "said"), CASES)
def test_a_contradiction_is_refused_by_its_rule(
    rule: str, reason: str, said: dict[str, Any]
) -> None:
    """The rule names what contradicts, and the reason says the value and what it may be."""
    answer = answer_to(opening(**said))
    assert isinstance(answer, Refusal)
    assert answer.rule == f"opening.{rule}"
    assert reason in answer.reason


def test_an_opening_says_itself_what_became_of_the_past() -> None:
    """Both an opening and `past: ignore` would say it twice."""
    answer = answer_to(opening(), Past.IGNORE)
    assert isinstance(answer, Refusal)
    assert answer.rule == "opening.past"


def test_installments_that_fell_due_after_the_opening_follow_what_the_loan_says() -> None:
    """Nobody has said what became of them, so they are refused unless they are owed."""
    said = opening(as_of=date(2026, 4, 9), payments=(paid((1, WHOLE)),))
    answer = answer_to(said)
    assert isinstance(answer, Refusal)
    assert answer.rule == "schedule.past"
    assert answer.reason.startswith("1 of 3 installments")
    assert isinstance(answer_to(said, Past.OWED), Change)


def test_an_order_that_another_loan_has_is_refused() -> None:
    """One number is one debit: nobody knows whose it is."""
    books = MemoryBooks(at=APRIL)
    said = opening(attempts=(ordered(1),))
    assert isinstance(books.apply(replace(board("L1"), opening=said)), Change)
    answer = books.apply(replace(board("L2"), opening=said))
    assert isinstance(answer, Refusal)
    assert (answer.rule, answer.reason) == (
        "opening.order_no",
        "order OLD-1 is on the books, of L1",
    )


def test_the_loan_is_named_by_the_orders_that_it_brings() -> None:
    """The books look for them, whoever has them."""
    command = replace(board(), opening=opening(attempts=(ordered(1),)))
    assert command.scope().orders == ("OLD-1",)
    assert command.identity() != board().identity()
    assert AS_OF + timedelta(days=1) == APRIL.date()
