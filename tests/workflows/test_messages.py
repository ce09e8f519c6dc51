"""What is asked of an installment, and the command of the books that it becomes."""

from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from domain.kernel.command import Actor
from tests.support.doors import MatchLine
from workflows.messages import AMOUNT_MOST, COMMANDS, MESSAGE, REQUESTS, command_of, misshapen
from workflows.overrides import TakesOrders

KNOWN_TO_THE_DRIVER = {"loan_id", "number", "from_driver"}
ASKED: dict[str, Any] = {"id": "o-1", "actor": Actor("operator", "7"), "reason": "a test"}
LINE: dict[str, Any] = {"line": "A/S/1", "reference": "T-1", "amount_minor": 100}
FEE: dict[str, Any] = {"fee_minor": 3}


def test_every_order_of_the_books_can_be_asked_for_and_nothing_else() -> None:
    """The published requests and the commands are two lists of the same kinds."""
    assert REQUESTS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("kind", sorted(REQUESTS))
def test_a_request_has_the_fields_of_its_command(kind: str) -> None:
    """Name by name and type by type, but for the installment, which the driver knows."""
    asked, command = get_type_hints(REQUESTS[kind]), get_type_hints(COMMANDS[kind])
    names = {item.name for item in fields(COMMANDS[kind])} - KNOWN_TO_THE_DRIVER
    assert {item.name for item in fields(REQUESTS[kind])} == names
    assert {name: asked[name] for name in names} == {name: command[name] for name in names}


@pytest.mark.parametrize("kind", sorted(REQUESTS))
def test_every_request_has_a_signal_of_its_name(kind: str) -> None:
    """What the Update takes can be sent as a signal too."""
    handler = getattr(TakesOrders, kind)
    assert getattr(handler, "__temporal_signal_definition").name == kind


def test_a_request_becomes_its_command_whole() -> None:
    """Nothing that was said is lost on the way to the books."""
    request = REQUESTS["match_line"](**ASKED, **LINE, **FEE)
    command = command_of(request, "L1", 3, MESSAGE)
    said = {item.name: getattr(command, item.name) for item in fields(command)}
    assert said == {
        **ASKED,
        **LINE,
        **FEE,
        "id": "message/L1/3/o-1",
        "from_driver": False,
        "loan_id": "L1",
        "number": 3,
        "kind": "match_line",
        "approver": None,
    }


def test_a_rest_of_a_line_may_be_nothing_but_a_fee() -> None:
    """An amount of zero is well shaped beside a fee, and by itself it is not."""
    whole = {**ASKED, **LINE, "amount_minor": 0}
    assert list(misshapen(REQUESTS["match_line"](**whole, **FEE))) == []
    assert [name for name, _ in misshapen(REQUESTS["match_line"](**whole))] == ["amount_minor"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "x" * 121),
        ("actor", Actor("", "7")),
        ("actor", Actor("operator", "")),
        ("actor", Actor("operator", "x" * 121)),
        ("actor", Actor("o" * 41, "7")),
        ("actor", Actor("workflow", "installment")),
        ("actor", Actor("system", "daily_sweep")),
        ("actor", Actor("rail", "simbank")),
        ("id", "o\x1b[2J"),
        ("reason", "paid\n2026-01-01 00:00 closed"),
        ("reference", "\x00"),
        ("amount_minor", AMOUNT_MOST + 1),
        ("amount_minor", -1),
        ("reason", "  "),
        ("reason", "x" * 1001),
        ("approver", ""),
        ("approver", "x" * 121),
        ("amount_minor", 0),
        ("fee_minor", -1),
        ("reference", ""),
        ("reference", "T\r77"),
        ("line", "A/S\n/1"),
        ("reason", "paid\nand held"),
        ("actor", Actor("operator", "7\u202e")),
        ("reference", "x" * 121),
        ("line", ""),
        ("line", "x" * 121),
    ],
)
def test_a_misshapen_field_is_named(field: str, value: object) -> None:
    """Shape is checked where the request comes in; whether it is allowed, the books decide."""
    whole = {**ASKED, **LINE}
    assert list(misshapen(REQUESTS["match_line"](**whole))) == []
    wrong = REQUESTS["match_line"](**{**whole, field: value})
    assert [name for name, _ in misshapen(wrong)] == [field]


def test_white_space_around_a_text_is_taken_off() -> None:
    """The CR that a list leaves behind a reference is neither refused nor kept."""
    request = REQUESTS["match_line"](**{**ASKED, **LINE, "reference": " T-77\r"})
    assert list(misshapen(request)) == []
    command = command_of(request, "L1", 3, MESSAGE)
    assert isinstance(command, MatchLine)
    assert command.reference == "T-77"
