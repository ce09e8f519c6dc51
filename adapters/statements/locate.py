"""Finds the line of an element in a file that was refused: read again, only when it is needed."""

from typing import BinaryIO
from xml.parsers import expat

_CHUNK = 64 * 1024


class _FoundError(Exception):
    """Stops the parser at the element that was looked for."""


def line_of_element(source: BinaryIO, start: int, ordinal: int) -> int | None:
    """The line on which the element number `ordinal` (from 1) begins; None when it is not there.

    The document begins at `start` of the seekable `source`, whose position afterwards is undefined.
    """
    parser = expat.ParserCreate()
    begun = 0

    def element(name: str, attributes: object) -> None:
        nonlocal begun
        del name, attributes
        begun += 1
        if begun == ordinal:
            raise _FoundError

    parser.StartElementHandler = element
    source.seek(start)
    try:
        while chunk := source.read(_CHUNK):
            parser.Parse(chunk)
    except _FoundError:
        return parser.CurrentLineNumber
    except expat.ExpatError as error:
        return error.lineno
    return None
