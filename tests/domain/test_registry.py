"""The registry: each command is decided by one noun, each kind of subject is complete."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import pytest

from domain.case.decide import HANDLERS as OF_CASES
from domain.debit.attempt import AttemptState
from domain.errors import InvariantBroken
from domain.kernel.subject import Subject
from domain.loan.decide import HANDLERS as OF_LOANS
from domain.loan.view import installment
from domain.loanclosure.decide import HANDLERS as OF_CLOSURES
from domain.payout import HANDLERS as OF_PAYOUTS
from domain.registry import HANDLERS, KINDS, decide
from tests.support.doors import Command
from tests.support.memory import TESTER, MemoryBooks


def _commands(of: type[Command] = Command) -> Iterator[type[Command]]:
    """Every class of commands in the domain that has a pinned kind."""
    for one in of.__subclasses__():
        yield from _commands(one)
        kinds = [item.default for item in fields(one) if item.name == "kind"]
        if one.__module__.startswith("domain.") and kinds != [""]:
            yield one


def test_every_command_is_decided_by_exactly_one_noun() -> None:
    """A command that nobody decides, or two nouns, would be found by a user."""
    found = {one.__qualname__ for one in _commands()}
    assert len(found) > 20
    assert found == {one.__qualname__ for one in HANDLERS}
    assert sum(len(of) for of in (OF_LOANS, OF_CASES, OF_PAYOUTS, OF_CLOSURES)) == len(HANDLERS)


def test_a_command_that_nobody_decides_is_a_fault() -> None:
    """It is said by name, and nothing is guessed."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Sing(Command):
        kind: str = "sing"

    books = MemoryBooks()
    with pytest.raises(InvariantBroken, match="nobody decides Sing"):
        decide(books._aggregates(), Sing(id="s", actor=TESTER))


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_of_subject_has_a_whole_lifecycle(kind: object) -> None:
    """States, final states, moves and actions name each other and nothing else."""
    known = KINDS[kind.name]  # type: ignore[attr-defined]
    assert known.final < set(known.states)
    assert {source for source, _ in known.moves} | {*known.moves.values()} <= set(known.states)
    assert known.actions
    assert known.orders
    assert not any(state.value in {one.value for one in AttemptState} for state in known.final)


def test_a_subject_is_named_by_the_fields_of_its_commands() -> None:
    """Key and fields are two ways to say the same thing."""
    subject = installment("L-1", 12)
    assert subject == Subject("installment", "L-1/12")
    assert str(subject) == "installment/L-1/12"
    assert KINDS[subject.kind].named(subject) == {"loan_id": "L-1", "number": 12}
