"""Reads a statement file of any known format, which is recognised by its content."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, assert_never

from adapters.refusals import refused
from adapters.statements.bai2 import Bai2Reader
from adapters.statements.camt import CamtReader
from adapters.statements.csv_bill import CsvReader
from adapters.statements.csv_map import CsvMap, read_map
from adapters.statements.formats import LOOKED_AT, Format, format_of
from adapters.statements.guarded import Limits
from adapters.statements.mt940 import SwiftReader
from adapters.statements.reading import FileReading, PagedReader
from ports.statements import PAGE_LINES

MAPS_MOST = 200
"""Most map files of one installation."""


class StatementFileReader(PagedReader):
    """Implements `ports.statements.StatementReader`.

    Args:
        maps: how tables (CSV) are read; without one they are refused.
    """

    def __init__(
        self,
        maps: Iterable[CsvMap] = (),
        limits: Limits | None = None,
        page_lines: int = PAGE_LINES,
    ) -> None:
        super().__init__(limits, page_lines)
        self._maps = tuple(maps)

    def reading(self, source: BinaryIO) -> FileReading:
        """See the base.

        Raises:
            StatementRefused: a file of another kind, or a table that no map explains.
        """
        place = source.tell()
        start = source.read(LOOKED_AT)
        source.seek(place)
        return self._reader(format_of(start)).reading(source)

    def _reader(self, found: Format) -> PagedReader:
        limits, page_lines = self._limits, self._page_lines
        match found:
            case Format.CAMT:
                return CamtReader(limits, page_lines)
            case Format.SWIFT:
                return SwiftReader(limits, page_lines)
            case Format.BAI2:
                return Bai2Reader(limits, page_lines)
            case Format.TEXT:
                return CsvReader(self._maps, limits, page_lines)
            case _:
                assert_never(found)


def read_maps(folder: Path) -> list[CsvMap]:
    """The maps in a folder (`*.toml`), by the names of their files.

    Raises:
        SourceRefused: more than `MAPS_MOST` of them, or one that breaks a rule.
    """
    paths = sorted(folder.glob("*.toml"))
    if len(paths) > MAPS_MOST:
        raise refused(folder, "maps", len(paths), f"at most {MAPS_MOST}")
    return [read_map(path) for path in paths]


def file_reader(maps: Path | None) -> StatementFileReader:
    """The reader of an installation, with the maps of its folder; None: tables are refused.

    Raises:
        SourceRefused: as `read_maps`.
    """
    return StatementFileReader(() if maps is None else read_maps(maps))
