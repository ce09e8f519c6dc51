"""Commands by their pinned kinds: one each, and no hash that depends on a class."""

from dataclasses import dataclass, fields, replace
from typing import Any

import pytest

from domain.registry import HANDLERS
from tests.support.doors import Command, Hold
from tests.support.memory import TESTER

COMMANDS = tuple(HANDLERS)
HOLD = Hold(id="a", actor=TESTER, reason="x", loan_id="L1", number=1)


def _kind(command: type[Command]) -> Any:
    return next(item.default for item in fields(command) if item.name == "kind")


def test_every_command_has_a_kind_of_its_own() -> None:
    """Two commands of one kind could be taken for each other in the log of commands."""
    kinds = [_kind(command) for command in COMMANDS]
    assert len(kinds) == len(set(kinds)) == len(COMMANDS) > 20


@pytest.mark.parametrize("command", COMMANDS)
def test_the_kind_of_a_command_cannot_be_forgotten(command: type[Command]) -> None:
    """A kind is plain lower-case words joined by underscores, and has a default."""
    assert isinstance(_kind(command), str)
    assert _kind(command).replace("_", "").isalpha()
    assert _kind(command).islower()


def test_a_command_of_a_renamed_class_is_the_same_command() -> None:
    """Its identity is its kind and its content: a copy under another class name agrees."""
    copy: type[Hold] = dataclass(frozen=True, slots=True, kw_only=True)(type("Pause", (Hold,), {}))
    same = copy(**{item.name: getattr(HOLD, item.name) for item in fields(HOLD)})
    assert type(same).__name__ == "Pause"
    assert same.identity() == HOLD.identity()
    assert same.identity() != replace(HOLD, number=2).identity()
