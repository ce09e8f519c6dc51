"""Which controls over the statements of an account fail, whatever the order in which files came."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest

from domain.statement.broken import StatementBreak
from domain.statement.controls import JUDGED, NEAR, Controls, Known, case_of
from domain.statement.neighbours import Read, beside
from domain.statement.statement import Fault, FaultRule, Statement

START = date(2026, 1, 1)
GAP, UNBALANCED = StatementBreak.GAP, StatementBreak.UNBALANCED


def day(
    number: int, opening: int | None, closing: int | None, *own: Fault, **more: object
) -> Known:
    """The statement of the day of this number, as it is known."""
    on = START + timedelta(days=number - 1)
    head = Statement(f"D{number}", "A", "CNY", number, on, opening, closing, period=(on, on))
    head = replace(head, **more)  # type: ignore[arg-type]
    return Known(Read(head, 1, (closing or 0) - (opening or 0)), own)


def failing(*known: Known) -> list[tuple[StatementBreak, str, list[FaultRule]]]:
    """What fails, all statements judged: kind, id of the statement, rules."""
    controls = Controls("A", known)
    judged = controls.looked_at([one.subject for one in known], ())
    found = list(controls.failing(judged))
    assert {one.key for one in found} <= controls.possible(judged)
    return [
        (one.what, one.subject.split("/")[1], [fault.rule for fault in one.faults]) for one in found
    ]


ONE, TWO, THREE = day(1, 0, 10), day(2, 10, 20), day(3, 20, 30)


def test_a_missing_statement_is_a_gap_of_the_next_until_it_comes() -> None:
    """1 and 3: number and balance lack; with 2 nothing does, in whatever order they came."""
    lacks = [FaultRule.SEQUENCE_GAP, FaultRule.CHAIN_BROKEN]
    for order in permutations((ONE, THREE)):
        assert failing(*order) == [(GAP, "D3", lacks)]
    for order in permutations((ONE, TWO, THREE)):
        assert failing(*order) == []


def test_a_number_that_two_share_is_said_of_the_later_one_only() -> None:
    """Both touch one day: one case, and the first goes on from what is before it."""
    twin = day(2, 20, 25, id="E2")
    for order in permutations((ONE, TWO, twin)):
        assert failing(*order) == [(GAP, "E2", [FaultRule.SEQUENCE_REPEATED])]


def test_pages_are_added_up_once_the_last_is_there() -> None:
    """The sum of the whole is its last page's fault; each page opens as the one before closed."""
    first = day(1, 0, 10, is_last_page=False, id="P")
    second = day(1, 10, 30, id="P/p2", page=2)
    second = replace(second, read=replace(second.read, sum_minor=5))
    assert failing(first) == []
    for order in permutations((first, second)):
        assert failing(*order) == [(UNBALANCED, "P", [FaultRule.BALANCE_DIFFERS])]
    torn = day(1, 11, 30, id="P/p2", page=2, is_last_page=False)
    assert failing(first, torn) == [(GAP, "P", [FaultRule.CHAIN_BROKEN])]


def test_what_a_statement_says_of_itself_is_a_case_of_its_own_kind() -> None:
    """Its faults are one case; what its neighbours say is another."""
    own = Fault(FaultRule.ITEMS_DIFFER, "line", 5, 4)
    wrong = day(3, 21, 30, own, sequence=None)
    assert failing(ONE, TWO, wrong) == [
        (GAP, "D3", [FaultRule.CHAIN_BROKEN]),
        (UNBALANCED, "D3", [FaultRule.ITEMS_DIFFER]),
    ]


def test_balances_that_are_not_stated_are_one_case_of_the_account() -> None:
    """As long as the latest statement by its days lacks them; an older file changes nothing."""
    lacks = Fault(FaultRule.CLOSING_MISSING, "D")
    bare = [day(number, 10, None, lacks) for number in (2, 3)]
    assert failing(ONE, *bare) == [(UNBALANCED, "balances", [FaultRule.CLOSING_MISSING])]
    assert failing(day(4, None, 50), *bare) == []
    assert failing(*bare, ONE) == [(UNBALANCED, "balances", [FaultRule.CLOSING_MISSING])]
    assert failing() == []


def test_statements_near_the_one_that_came_are_judged_and_those_with_open_cases() -> None:
    """What comes may be what its neighbours lacked; a year is not judged anew for one day."""
    known = [day(number, 0, 0) for number in range(1, 4 * NEAR)]
    controls = Controls("A", known)
    near = controls.looked_at([known[NEAR + 1].subject], ())
    assert len(near) == 2 * NEAR + 1
    far = known[-1]
    key = f"{GAP.value}/{far.subject}"
    assert controls.looked_at([], [key, "other"]) == (far,)
    assert controls.looked_at([], ()) == ()


def test_the_next_statement_is_the_next_number_where_there_are_numbers() -> None:
    """A statement with one between is beside nothing after it."""
    heads = [one.read.head for one in (ONE, TWO, THREE)]
    assert beside(heads[1], heads) == (heads[0], heads[2])
    assert beside(heads[0], [heads[2]]) == (None, None)
    assert beside(replace(heads[0], sequence=None), [heads[2]]) == (None, heads[2])


@pytest.mark.parametrize("rule", [rule for rule in FaultRule if case_of(rule) in JUDGED])
def test_every_rule_that_a_statement_breaks_is_a_failing_control(rule: FaultRule) -> None:
    """Of the kind that its table says; no fault of a statement is only a result of its reading."""
    ((what, _, rules),) = failing(replace(ONE, own=(Fault(rule, "D1", 1, 2),)))
    assert (what, rules) == (case_of(rule), [rule])


def test_what_comparing_files_shows_is_no_control() -> None:
    """It is a case of its own, which whoever reads a file opens."""
    apart = {rule for rule in FaultRule if case_of(rule) not in JUDGED}
    assert apart == {FaultRule.RESTATED, FaultRule.KNOWN_LINES}
    assert {case_of(rule) for rule in apart} == {StatementBreak.RESTATED}
