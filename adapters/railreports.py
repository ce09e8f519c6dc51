"""Reports of rails: CSV files that say what was taken for which order."""

import asyncio
from collections import defaultdict
from datetime import date
from pathlib import Path

from adapters.inputfile import csv_table, open_text
from adapters.refusals import refused
from domain.audit.threeway import Reported
from domain.errors import InvalidInput
from domain.money import parse_minor

COLUMNS = ("rail", "order_no", "currency", "amount", "value_on")
FILE_MOST_BYTES = 256 * 1024 * 1024
ROWS_MOST = 1_000_000
_TEXT_MOST = 120


def read_report(path: Path, day: date) -> tuple[Reported, frozenset[str]]:
    """What a report says was taken on a value day, and the rails that it is about.

    Amounts are decimals of the currency. Several rows of one order add up.

    Raises:
        SourceRefused: a column is missing, or a row breaks a rule; names line, field and value.
    """
    found: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    rails: set[str] = set()
    with open_text(path, FILE_MOST_BYTES) as source:
        for count, (line, row) in enumerate(csv_table(source, path)):
            if missing := [name for name in COLUMNS if name not in row]:
                raise refused(path, "column", missing[0], f"each of {', '.join(COLUMNS)}")
            if count == 0:
                continue
            if count > ROWS_MOST:
                raise refused(path, "rows", count, f"at most {ROWS_MOST}")
            rails.add(row["rail"])
            try:
                if date.fromisoformat(row["value_on"]) == day:
                    found[_key(row)] += parse_minor(row["amount"], row["currency"], "amount")
            except InvalidInput as fault:
                raise refused(
                    path, f"line {line}: {fault.field}", fault.value, fault.rule
                ) from None
            except ValueError:
                rule = "a date, YYYY-MM-DD"
                raise refused(path, f"line {line}: value_on", row["value_on"], rule) from None
    return dict(found), frozenset(rails)


class FolderReports:
    """Implements `ports.auditdays.RailReports`: a file for each day, where there is one.

    Args:
        folder: None: there are no reports.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def of(self, day: date) -> tuple[Reported, frozenset[str]]:
        """What the file of a day says; see the port."""
        path = None if self._folder is None else self._folder / f"{day.isoformat()}.csv"
        if path is None or not await asyncio.to_thread(path.is_file):
            return {}, frozenset()
        return await asyncio.to_thread(read_report, path, day)


def _key(row: dict[str, str]) -> tuple[str, str, str]:
    for name in ("rail", "order_no"):
        if not 0 < len(row[name]) <= _TEXT_MOST:
            raise InvalidInput(name, row[name][:_TEXT_MOST], f"1 to {_TEXT_MOST} characters")
    return row["rail"], row["order_no"], row["currency"]
