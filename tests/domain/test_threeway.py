"""The three-way match: sides that agree, every kind of difference, and what explains one."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.audit.threeway import KEPT, PATIENCE, Cause, Item, OpenLine, Reported, ThreeWay, Totals

DAY = date(2026, 3, 10)
ITEM = Item("simbank", "R-O1", "O1", "CNY", 100, 100)
SAID = {("simbank", "O1", "CNY"): 100}


def matched(
    *items: Item,
    said: Reported = SAID,
    today: date = DAY,
    lines: tuple[OpenLine, ...] = (),
    reporting: tuple[str, ...] = ("simbank",),
) -> ThreeWay:
    made = ThreeWay(DAY, today, said, frozenset(reporting))
    for item in items:
        made.take(item)
    for line in lines:
        made.take_line(line)
    made.end()
    return made


def test_three_sides_that_agree_have_no_difference() -> None:
    """Counts and amounts are those of each side."""
    found = matched(ITEM)
    assert found.differences == []
    assert found.totals == {("simbank", "CNY"): Totals(1, 100, 1, 100, 1, 100)}
    assert found.unexplained == 0


CASES: dict[str, tuple[Item, Reported, list[Cause]]] = {
    "not in the ledger": (ITEM, SAID | {("simbank", "O2", "CNY"): 7}, [Cause.NOT_IN_LEDGER]),
    "not reported": (ITEM, {}, [Cause.NOT_REPORTED]),
    "another amount": (ITEM, {("simbank", "O1", "CNY"): 99}, [Cause.AMOUNT_DIFFERS]),
    "another line": (replace(ITEM, bank_minor=40), SAID, [Cause.LINE_DIFFERS]),
    "no side agrees": (
        replace(ITEM, bank_minor=40),
        {("simbank", "O1", "CNY"): 99},
        [Cause.AMOUNT_DIFFERS, Cause.LINE_DIFFERS],
    ),
    "another currency": (
        ITEM,
        {("simbank", "O1", "EUR"): 100},
        [Cause.NOT_REPORTED, Cause.NOT_IN_LEDGER],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_difference_has_its_cause_and_nothing_explains_it(name: str) -> None:
    """It names rail, order and the amounts of the sides."""
    item, said, causes = CASES[name]
    found = matched(item, said=said)
    assert [one.cause for one in found.differences] == causes
    assert found.unexplained == len(causes)
    assert {one.rail for one in found.differences} == {"simbank"}


def test_a_case_explains_what_it_is_about() -> None:
    """An open one, which is named."""
    found = matched(replace(ITEM, bank_minor=40, case="K1"))
    assert [one.explained for one in found.differences] == ["case K1"]
    assert found.unexplained == 0


def test_a_line_may_take_its_time() -> None:
    """Until the time of settlement has passed for certain."""
    waits = replace(ITEM, bank_minor=0)
    found = matched(waits, today=DAY + PATIENCE)
    assert [(one.cause, one.explained) for one in found.differences] == [
        (Cause.AWAITS_LINE, "within the time of settlement")
    ]
    assert found.totals["simbank", "CNY"].bank == 0
    late = matched(waits, today=DAY + PATIENCE + timedelta(days=1))
    assert late.unexplained == 1


def test_a_rail_without_a_report_is_not_compared_with_it() -> None:
    """Neither is a transfer, which no rail reports."""
    transfer = replace(ITEM, rail="transfer", order_no="", payment="P-1")
    found = matched(ITEM, transfer, said={}, reporting=())
    assert found.differences == []
    assert set(found.totals) == {("simbank", "CNY"), ("transfer", "CNY")}


def test_an_unexplained_line_is_a_difference() -> None:
    """With its case it is explained."""
    line = OpenLine("A/1", "A", "CNY", -5)
    found = matched(ITEM, lines=(line, replace(line, case="K2")))
    assert [(one.item, one.bank_minor, one.explained) for one in found.differences] == [
        ("A/1", -5, ""),
        ("A/1", -5, "case K2"),
    ]
    assert found.unexplained == 1


def test_all_are_counted_and_the_first_are_listed() -> None:
    """A day that went wrong altogether has a result too."""
    said = {("simbank", f"O{number}", "CNY"): 1 for number in range(KEPT + 5)}
    found = matched(said=said)
    assert len(found.differences) == KEPT
    assert found.counts[Cause.NOT_IN_LEDGER] == found.unexplained == KEPT + 5


def test_the_digest_is_that_of_the_facts() -> None:
    """The same day has the same one, any other amount another."""
    assert matched(ITEM).digest() == matched(ITEM).digest()
    assert matched(ITEM).digest() != matched(replace(ITEM, bank_minor=40)).digest()
    facts = matched(replace(ITEM, bank_minor=40)).facts()
    assert facts["counts"] == {"line_differs": 1}
    assert facts["day"] == "2026-03-10"
