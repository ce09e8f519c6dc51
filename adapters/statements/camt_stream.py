"""Walks the elements of a camt message with bounded memory and hands out the whole ones.

The parser builds a tree; this takes every transaction, entry and statement out of it as it ends.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from adapters.statements.camt_message import ANY, message_of
from adapters.statements.fields import Fields
from adapters.statements.guarded import GuardedSource, Limits
from adapters.statements.locate import Place, path_to
from domain.errors import InvalidInput

Kind: TypeAlias = Literal["transaction", "balance", "entry", "statement"]
# Below the element of one statement, whose name differs by message.
_PATHS: dict[tuple[str, ...], Kind] = {
    ("Ntry", "NtryDtls", "TxDtls"): "transaction",
    ("Bal",): "balance",
    ("Ntry",): "entry",
}
_LEAVES = frozenset(path[-1] for path in _PATHS)
_TAKEN_OUT = frozenset({"transaction", "entry", "statement"})
_MESSAGE_DEPTH = 2


class CamtStream:
    """Iterates `(kind, element, parents)`; an element is emptied after its turn.

    Attributes:
        message, fields: which message it is, and values in its namespace, known once the root has
            begun.
        ordinal: number of the element that begins last or was handed out last, for `locate`.
    """

    def __init__(self, source: GuardedSource, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._open: list[tuple[Element, str, int]] = []
        self._begun = 0
        self.message = ANY
        self.fields = Fields("")
        self.ordinal = 0
        self._handed: Element | None = None

    def __iter__(self) -> Iterator[tuple[Kind, Element, tuple[Element, ...]]]:
        # The guard has refused document types, without which no XML attack on a parser works.
        events = ET.iterparse(self._source, ("start", "end"))  # noqa: S314
        for event, element in events:
            if event == "start":
                self._begin(element)
                continue
            _, name, ordinal = self._open.pop()
            kind = self._kind(name)
            if kind is not None:
                self.ordinal, self._handed = ordinal, element
                yield kind, element, tuple(parent for parent, _, _ in self._open)
            if kind in _TAKEN_OUT or len(self._open) == _MESSAGE_DEPTH:
                element.clear()
                _remove(self._open[-1][0], element)
                self._source.held_bytes = 0

    def place_of(self, element: Element) -> Place:
        """Where an element stands that is still held: inside the one handed out, or an open one."""
        owners = [(found, ordinal) for found, _, ordinal in self._open]
        if self._handed is not None:
            owners.append((self._handed, self.ordinal))
        for owner, ordinal in reversed(owners):
            if (steps := path_to(owner, element)) is not None:
                return Place(ordinal, steps)
        return Place(self.ordinal)

    def _begin(self, element: Element) -> None:
        self._begun += 1
        self.ordinal = self._begun
        depth = len(self._open)
        if depth >= self._limits.depth:
            rule = f"at most {self._limits.depth} elements inside each other"
            raise InvalidInput("XML", f"depth {depth + 1}", rule)
        if depth == 0:
            self.message = message_of(element.tag)
            self.fields = Fields(self.message.namespace)
        name = self.fields.local(element.tag)
        if depth == 1 and name != self.message.root:
            rule = f"the element {self.message.root} of {self.message.name}"
            raise InvalidInput(f"Document/{self.message.root}", name, rule)
        self._open.append((element, name, self._begun))

    def _kind(self, name: str) -> Kind | None:
        if len(self._open) < _MESSAGE_DEPTH:
            return None
        document = self.message.document
        if len(self._open) == _MESSAGE_DEPTH:
            return "statement" if name == document else None
        if name not in _LEAVES or self._open[_MESSAGE_DEPTH][1] != document:
            return None
        above = tuple(parent for _, parent, _ in self._open[_MESSAGE_DEPTH + 1 :])
        return _PATHS.get((*above, name))


def _remove(parent: Element, element: Element) -> None:
    # The parser runs ahead of its events by a whole read, so the element is not the last child.
    # What came before it has been taken out already, but for the parent's own head.
    for place, child in enumerate(parent):
        if child is element:
            del parent[place]
            return
        if place == _HEAD_MOST:
            break
    rule = f"at most {_HEAD_MOST} elements before the first entry"
    raise InvalidInput("XML", f"over {_HEAD_MOST}", rule)


_HEAD_MOST = 1000
