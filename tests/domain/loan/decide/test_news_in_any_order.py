"""The same facts in every order of news end in the same money and the same state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from domain.debit.outcome import OutcomeClass
from domain.ledger import accounts
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import ACCOUNT, Scene

BANK = accounts.bank(ACCOUNT)
Fact = Callable[[Scene, str], object]

PART: Fact = lambda s, o: s.apply_outcome(o, OutcomeClass.PARTIAL, 4000, "webhook", bank_ref="B1")  # noqa: E731
WHOLE: Fact = lambda s, o: s.apply_outcome(o, minor=10100, source="webhook", bank_ref="B1")  # noqa: E731
LINE: Fact = lambda s, o: s.credit(o, 10100, tx="B1")  # noqa: E731
SMALL_LINE: Fact = lambda s, o: s.credit(o, 4000, tx="B1")  # noqa: E731
REST_LINE: Fact = lambda s, o: s.credit(o, 6100, tx="B1")  # noqa: E731
BACK: Fact = lambda s, o: s.returned(o, 10100, bank_ref="B1")  # noqa: E731
BACK_LINE: Fact = lambda s, o: s.return_line(o, 10100, tx="B1")  # noqa: E731
OTHER_BACK: Fact = lambda s, o: s.returned(o, 10100, bank_ref="B9")  # noqa: E731
BARE_BACK_LINE: Fact = lambda s, o: s.line(LineItem(o, None, None, -10100))  # noqa: E731
HARD_BACK_LINE: Fact = lambda s, o: s.return_line(o, 10100, tx="B1", code="MD06")  # noqa: E731
ODD_BACK: Fact = lambda s, o: s.returned(o, 10100, bank_ref="B1", code="ZZ99")  # noqa: E731
ODD_BACK_LINE: Fact = lambda s, o: s.return_line(o, 10100, tx="B1", code="ZZ99")  # noqa: E731
PART_BACK: Fact = lambda s, o: s.returned(o, 3000, bank_ref="B1")  # noqa: E731
NEXT_PART_BACK: Fact = lambda s, o: s.returned(o, 2000, bank_ref="B1")  # noqa: E731
PART_BACK_LINE: Fact = lambda s, o: s.return_line(o, 3000, tx="B1")  # noqa: E731
NEXT_PART_BACK_LINE: Fact = lambda s, o: s.return_line(o, 2000, tx="B1")  # noqa: E731
FEE_BACK_LINE: Fact = lambda s, o: s.line(LineItem(o, None, None, -10400, 0, "AM04"))  # noqa: E731
ACCEPTED: Fact = lambda s, o: s.apply_outcome(o, OutcomeClass.PENDING)  # noqa: E731
NOT_FOUND: Fact = lambda s, o: s.apply_outcome(o, OutcomeClass.NOT_FOUND, source="inquiry")  # noqa: E731
DECLINED: Fact = lambda s, o: s.apply_outcome(o, OutcomeClass.NSF, source="webhook")  # noqa: E731
EUROS: Fact = lambda s, o: s.apply_outcome(o, minor=10100, source="webhook", currency="EUR")  # noqa: E731
NOTHING: Fact = lambda s, o: s.apply_outcome(o, minor=0, source="webhook")  # noqa: E731

OWED = {"owed/1/principal": 10000, "owed/1/interest": 100, "claim/funder-1": -10100}
HELD = {BANK: 10100, "held_by/funder-1": -10100}
PARTS_LEFT = {
    BANK: 5100,
    "held_by/funder-1": -5100,
    "owed/1/principal": 5000,
    "claim/funder-1": -5000,
}

CASES: Mapping[str, tuple[tuple[Fact, ...], Mapping[str, int], str, str]] = {
    # facts, balances, state of the installment, beginning of the key of the case that is left
    "part reported, the line of the whole": ((PART, LINE), HELD, "SETTLED", ""),
    "part reported, then the whole, and its line": ((PART, WHOLE, LINE), HELD, "SETTLED", ""),
    "part and whole of one booking reported": (
        (PART, WHOLE),
        {"clearing/simbank": 10100, "payable/funder-1": -10100},
        "CLEARING",
        "amount/",
    ),
    "settled in two lines": ((WHOLE, SMALL_LINE, REST_LINE), HELD, "SETTLED", ""),
    "settled in two lines, part reported": ((PART, SMALL_LINE, REST_LINE), HELD, "SETTLED", ""),
    "less on the line than reported": (
        (WHOLE, SMALL_LINE),
        {
            "clearing/simbank": 6100,
            BANK: 4000,
            "held_by/funder-1": -4000,
            "payable/funder-1": -6100,
        },
        "CLEARING",
        "amount/",
    ),
    "executed and returned": ((WHOLE, LINE, BACK, BACK_LINE), OWED, "RETRYING", ""),
    "returned under a booking that nobody knows": (
        (WHOLE, OTHER_BACK),
        OWED,
        "RETRYING",
        "booking/",
    ),
    "returned under an unknown booking, proven": (
        (WHOLE, LINE, OTHER_BACK, BARE_BACK_LINE),
        OWED,
        "RETRYING",
        "",
    ),
    "two reasons of one return": ((WHOLE, BACK, HARD_BACK_LINE), {}, "DELINQUENT", ""),
    "a reason that stands in no table": ((WHOLE, ODD_BACK, ODD_BACK_LINE), {}, "DELINQUENT", ""),
    "a reason only in the report": ((WHOLE, LINE, BACK, BARE_BACK_LINE), OWED, "RETRYING", ""),
    "returned in two parts": ((WHOLE, LINE, PART_BACK, NEXT_PART_BACK), {}, "RETRYING", ""),
    "returned in two parts with their lines": (
        (WHOLE, LINE, PART_BACK, NEXT_PART_BACK, PART_BACK_LINE, NEXT_PART_BACK_LINE),
        PARTS_LEFT,
        "RETRYING",
        "",
    ),
    "a return with the bank's fee inside its amount": (
        (WHOLE, LINE, BACK, FEE_BACK_LINE),
        {**OWED, BANK: -300},
        "RETRYING",
        "line/",
    ),
    "acknowledged, then unknown to the rail": ((ACCEPTED, NOT_FOUND), {}, "IN_DOUBT", "contra"),
    "acknowledged, unknown, refused": ((ACCEPTED, NOT_FOUND, DECLINED), {}, "RETRYING", ""),
    "money in another currency, then refused": (
        (EUROS, DECLINED),
        {},
        "RETRYING",
        "unbelieved/",
    ),
    "money in another currency, then taken": (
        (EUROS, WHOLE),
        {"clearing/simbank": 10100, "payable/funder-1": -10100},
        "CLEARING",
        "",
    ),
    "a success of nothing, then the line": ((NOTHING, LINE), HELD, "SETTLED", ""),
}


def reported(facts: tuple[Fact, ...]) -> Scene:
    """A presented debit of 101.00 and its facts in this order, after the rail's query window."""
    s = Scene.boarded(product=replace(PRODUCT, penalty=None), lines=schedule(((10000, 100),)))
    order = s.present()
    s.books.at += s.books.rules.rails["simbank"].query_window + timedelta(minutes=10)
    for fact in facts:
        fact(s, order)
    invariants.check(s.books)
    return s


def end(s: Scene) -> tuple[object, ...]:
    """Money by account, what is owed, the installment's state, and what waits for a person."""
    waiting = sum(line.open_minor for line in s.books.lines.values())
    balances = {name: minor for name, minor in s.balances.items() if "/line-" not in name}
    return balances, waiting, s.books.item().owed, s.state


def cases(s: Scene) -> set[str]:
    """Beginnings of the keys of the cases about orders and lines."""
    about = ("amount/", "contradiction/", "booking/", "line/", "unbelieved/")
    return {beginning for key in s.books.cases for beginning in about if key.startswith(beginning)}


@pytest.mark.parametrize("name", CASES)
def test_facts_end_alike_in_every_order(name: str) -> None:
    """All permutations: same balances, debt, state and open cases; nothing is guessed."""
    facts, balances, state, case = CASES[name]
    ends = {repr((end(s), sorted(cases(s)))) for s in map(reported, permutations(facts))}
    assert len(ends) == 1, ends
    after = reported(facts)
    assert after.state == state
    assert balances.items() <= after.balances.items(), after.balances
    left = cases(after)
    assert [key.startswith(case) for key in left] == [True] if case else not left
