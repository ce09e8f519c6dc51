"""Tables of moves: what a state and an event lead to."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from domain.errors import IllegalTransition

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def table(rows: Iterable[tuple[tuple[S, ...], E, S | None]]) -> Mapping[tuple[S, E], S]:
    """The moves of rows of states, an event and where it leads; None: each state stays."""
    moves = {(source, event): target or source for froms, event, target in rows for source in froms}
    return MappingProxyType(moves)


def move(moves: Mapping[tuple[S, E], S], state: S, event: E) -> S:
    """The state that follows.

    Raises:
        IllegalTransition: the table does not hold the pair.
    """
    try:
        return moves[(state, event)]
    except KeyError:
        raise IllegalTransition(state, event) from None
