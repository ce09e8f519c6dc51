"""An order is defined by its class: what it says of itself, its shape, and how it comes in."""

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from domain.kernel.order import AMOUNT_MOST, OURS
from domain.pricing.amounts import Component
from tests.support.doors import (
    ORDERS,
    Actor,
    Also,
    ChangeDate,
    Hold,
    MatchLine,
    RecordPayment,
    Waive,
)

ABOUT: dict[str, Any] = {"loan_id": "L1", "number": 3}
ASKED: dict[str, Any] = {"id": "o-1", "actor": Actor("operator", "7"), "reason": "a test", **ABOUT}
MATCH = MatchLine(**ASKED, line="A/S/1", reference="T-1", amount_minor=100)
HOLD = Hold(**ASKED)


@pytest.mark.parametrize("kind", ORDERS)
def test_every_order_says_what_it_does_and_what_a_story_calls_it(kind: str) -> None:
    """Signals, the command line and stories have no words of their own for an order."""
    order = ORDERS[kind]
    assert order.pinned() == kind
    assert order.description().endswith(".")
    assert order.story not in {"", *(item.story for item in ORDERS.values() if item is not order)}


def test_what_an_order_says_is_apart_from_what_its_receiver_knows() -> None:
    """The installment, and whether a driver orders, are never a sender's to say."""
    assert MatchLine.set_by_receiver() == {"loan_id", "number"}
    assert MatchLine.terms() == ("line", "reference", "amount_minor", "fee_minor", "also", "basis")
    assert Hold.terms() == ("what",)
    known = MatchLine.set_by_receiver() | {"kind", "id", "actor", "reason", "approver"}
    assert {item.name for item in fields(MatchLine)} == {*MatchLine.terms(), *known}


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("id", "", "1 to 120 characters"),
        ("id", "x" * 121, "1 to 120 characters"),
        ("id", "o\x1b[2J", "1 to 120 characters"),
        ("actor", Actor("", "7"), "kind (40) and id (120)"),
        ("actor", Actor("operator", ""), "kind (40) and id (120)"),
        ("actor", Actor("operator", "x" * 121), "kind (40) and id (120)"),
        ("actor", Actor("operator", "7\u202e"), "kind (40) and id (120)"),
        ("actor", Actor("o" * 41, "7"), "kind (40) and id (120)"),
        *((("actor", Actor(kind, "7"), "a kind of your own")) for kind in sorted(OURS)),
        ("reason", "  ", "1 to 1000 characters"),
        ("reason", "x" * 1001, "1 to 1000 characters"),
        ("reason", "paid\n2026-01-01 00:00 closed", "1 to 1000 characters"),
        ("approver", "", "1 to 120 characters"),
        ("approver", "x" * 121, "1 to 120 characters"),
        ("amount_minor", AMOUNT_MOST + 1, f"at most {AMOUNT_MOST} minor units"),
        ("amount_minor", 0, "more than zero"),
        ("amount_minor", -1, "more than zero"),
        ("fee_minor", -1, "not below zero"),
        ("fee_minor", AMOUNT_MOST + 1, f"at most {AMOUNT_MOST} minor units"),
        ("also", (Also("L2"), Also("")), "loan_id of item 2: 1 to 120 characters"),
        ("also", (Also("L2", 0),), "amount_minor of item 1: more than zero"),
        ("also", tuple(Also(f"L{place}") for place in range(51)), "at most 50 items"),
        ("reference", "", "1 to 120 characters"),
        ("reference", "\x00", "1 to 120 characters"),
        ("reference", "T\r77", "1 to 120 characters"),
        ("reference", "x" * 121, "1 to 120 characters"),
        ("line", "A/S\n/1", "1 to 120 characters"),
        ("line", "x" * 121, "1 to 120 characters"),
    ],
)
def test_a_misshapen_field_is_named_with_its_rule(field: str, value: object, rule: str) -> None:
    """Shape is checked where an order comes in; whether it is allowed, the books decide."""
    changed: dict[str, Any] = {field: value}
    [(name, broken)] = replace(MATCH, **changed).misshapen()
    assert name == field
    assert broken.startswith(rule)


def test_what_is_well_shaped_breaks_no_rule() -> None:
    """Texts up to their length, with white space around them, an approver, the largest amount."""
    most: dict[str, Any] = {"amount_minor": AMOUNT_MOST, "fee_minor": AMOUNT_MOST}
    texts: dict[str, Any] = {"reason": "x" * 1000, "approver": "ops-2", "line": f" {'x' * 120}\r"}
    assert list(replace(MATCH, **most, **texts).misshapen()) == []


def test_every_term_is_checked_by_its_type_whatever_order_has_it() -> None:
    """Days lie within two centuries, currencies are texts, a chosen word needs no further rule."""
    days = [date(1989, 12, 31), date(1990, 1, 1), date(2199, 12, 31), date(2200, 1, 1)]
    wrong = [list(ChangeDate(**ASKED, due_on=day).misshapen()) for day in days]
    assert [[name for name, _ in found] for found in wrong] == [["due_on"], [], [], ["due_on"]]
    assert wrong[0][0][1] == "a day from 1990-01-01 to 2199-12-31"
    paid: dict[str, Any] = {"reference": "T-1", "currency": "C\nY", "value_on": days[0]}
    broken = [name for name, _ in RecordPayment(**ASKED, **paid, amount_minor=1).misshapen()]
    assert broken == ["currency", "value_on"]
    assert list(Waive(**ASKED, component=Component.FEE, amount_minor=1).misshapen()) == []
    assert list(HOLD.misshapen()) == []


def test_a_rest_of_a_line_may_be_nothing_but_a_fee() -> None:
    """An amount of zero is well shaped beside a fee, and by itself it is not."""
    assert list(replace(MATCH, amount_minor=0, fee_minor=3).misshapen()) == []


def test_an_order_comes_in_whole_under_an_id_of_its_door_and_subject() -> None:
    """Nothing that was said is lost; no sender can use up the id of another door or installment."""
    came = MATCH.received("message")
    assert came == replace(MATCH, id="message/L1/3/o-1")
    assert replace(MATCH, number=4).received("cli").id == "cli/L1/4/o-1"


def test_white_space_around_a_text_is_taken_off() -> None:
    """The CR that a list leaves behind a reference is neither refused nor kept."""
    came = replace(MATCH, id=" o-1\n", reference=" T-77\r", approver=" ops-2 ").received("message")
    assert (came.id, came.reference, came.approver) == ("message/L1/3/o-1", "T-77", "ops-2")
