"""Finds the line of an element in a file that was refused: read again, only when it is needed."""

from dataclasses import dataclass
from typing import BinaryIO
from xml.etree.ElementTree import Element
from xml.parsers import expat

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """The element number `ordinal` (from 1, in the order of beginning) and a path inside it.

    Each step is a local name and which of its siblings of that name, from 1.
    """

    ordinal: int
    steps: tuple[tuple[str, int], ...] = ()


def path_to(owner: Element, element: Element) -> tuple[tuple[str, int], ...] | None:
    """The steps from `owner` to `element`; None if it is not inside."""
    if owner is element:
        return ()
    counted: dict[str, int] = {}
    for child in owner:
        name = _local(child.tag.rpartition("}")[2])
        counted[name] = counted.get(name, 0) + 1
        steps = path_to(child, element)  # as deep as the file, which has a limit
        if steps is not None:
            return ((name, counted[name]), *steps)
    return None


def line_of(source: BinaryIO, start: int, place: Place) -> int | None:
    """The line on which the element at `place` begins; None when it is not there.

    Where only the first steps of the path are there, it is the line of the last of them. The
    document begins at `start` of the seekable `source`, whose position afterwards is undefined.
    """
    search = _Search(place)
    source.seek(start)
    try:
        while search.wanted and (chunk := source.read(_CHUNK)):
            search.parser.Parse(chunk)
    except expat.ExpatError as error:
        return search.line or error.lineno
    return search.line


class _Search:
    def __init__(self, place: Place) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.line: int | None = None
        self.wanted = True
        self._ordinal, self._steps = place.ordinal, place.steps
        self._begun = 0
        self._depth = 0
        self._matched = 0
        self._alike = 0

    def _begin(self, name: str, attributes: object) -> None:
        del attributes
        self._begun += 1
        if not self.wanted or self._begun < self._ordinal:
            return
        if self._begun == self._ordinal:
            self._take()
            return
        self._depth += 1
        if self._depth != self._matched + 1:
            return
        wanted, number = self._steps[self._matched]
        if _local(name) == wanted:
            self._alike += 1
            if self._alike == number:
                self._matched, self._alike = self._matched + 1, 0
                self._take()

    def _take(self) -> None:
        self.line = self.parser.CurrentLineNumber
        self.wanted = self._matched < len(self._steps)

    def _end(self, name: str) -> None:
        del name
        if self._begun >= self._ordinal:
            self._depth -= 1
            self.wanted = self.wanted and self._depth >= self._matched


def _local(name: str) -> str:
    return name.rpartition(":")[2]
