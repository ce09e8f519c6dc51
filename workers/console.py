"""What commands say: results on standard output, everything else on standard error.

Importing this is cheap; rich tables and settings are loaded when they are used.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import unicodedata
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from typer.core import TyperGroup

from domain.errors import AcquitError, Conflict, InvalidInput, InvariantBroken
from domain.text import escaped

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

    from workers.settings import Settings

T = TypeVar("T")
_PIPE_WIDTH = 200
_LONGEST_SENTENCE = 200


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    NOT_CLEAN = 1
    MISTAKE = 2
    UNAVAILABLE = 69
    FAULT = 70
    INTERRUPTED = 130


EXIT_CODES = {
    Exit.DONE: "done, and clean",
    Exit.NOT_CLEAN: "done, but a check found something wrong",
    Exit.MISTAKE: "input or options refused, nothing was changed",
    Exit.UNAVAILABLE: "a server that is needed does not answer, or a disk is full",
    Exit.FAULT: "unexpected error, see the log named",
    Exit.INTERRUPTED: "interrupted",
}


class Commands(TyperGroup):
    """The list of commands with their whole first sentence, never cut to the width."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (click's own)
        """Write the list."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, item.get_short_help_str(_LONGEST_SENTENCE)) for name, item in found if item]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


_NAMED = {
    errno.ENOENT: "must exist",
    errno.EACCES: "must be a file that may be read and written here",
    errno.EPERM: "must be a file that may be read and written here",
    errno.EROFS: "lies on a disk that is read-only",
    errno.EISDIR: "must be a file, and is a folder",
    errno.ENOTDIR: "a part of the path is no folder",
    errno.EEXIST: "is there already",
    errno.ELOOP: "is a loop of symbolic links",
    errno.ENAMETOOLONG: "the name is too long",
}
"""Errors of the file system that are about a name that the user gave."""

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of state (ACQUIT_HOME, else .acquit).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


class Unavailable(AcquitError):
    """Something that must run does not answer; says what, where, and how to start it."""


def settings_for(ctx: typer.Context, home: Path | None) -> Settings:
    """Settings of this run; `--home` of the command wins over that of the program.

    Raises:
        InvalidInput: the home is something else than a folder.
    """
    from workers.settings import load_settings  # noqa: PLC0415  (pydantic is slow to load)

    root = ctx.find_root().obj
    settings = load_settings(home if home is not None else root)
    if os.path.lexists(settings.home) and not settings.home.is_dir():
        raise InvalidInput("home", str(settings.home), "a folder, or a name that is free")
    return settings


def books_settings(ctx: typer.Context, home: Path | None) -> Settings:
    """Settings of a command that looks into the books, which must be there.

    Raises:
        InvalidInput: no stack was used in this home, and no database is named.
    """
    settings = settings_for(ctx, home)
    from workers.stackfile import read_stack  # noqa: PLC0415

    here = (settings.home / "books.db").is_file() or settings.database_url is not None
    if not here and read_stack(settings.home) is None:
        rule = "a home with books: run `acquit demo` or `acquit up`, or `acquit db upgrade` first"
        raise InvalidInput("home", str(settings.home), rule)
    return settings


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run one coroutine to its end in a loop of its own."""
    import asyncio  # noqa: PLC0415  (help needs none)

    return asyncio.run(work)


def complain(error: BaseException) -> Exit:
    """Say on standard error what was wrong with the input; gives the exit code.

    Errors that are not the user's give `Exit.FAULT` (or UNAVAILABLE) and the caller logs them.
    """
    from adapters.refusals import SourceRefused  # noqa: PLC0415  (light, kept with its users)

    match error:
        case SourceRefused(source=source, faults=faults):
            for fault in faults:
                _to_stderr(f"{source}: {fault}")
            return Exit.MISTAKE
        case InvalidInput() | Conflict():
            _to_stderr(str(error))
            return Exit.MISTAKE
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            _to_stderr(f"the disk is full: {error}; nothing is lost, make room and try again")
            return Exit.UNAVAILABLE
        case OSError(filename=str(name), errno=int(number)) if number in _NAMED:
            _to_stderr(f"file: {name!r} is refused: {_NAMED[number]}")
            return Exit.MISTAKE
        case Unavailable():
            _to_stderr(str(error))
            return Exit.UNAVAILABLE
        case AcquitError() if not isinstance(error, InvariantBroken):
            _to_stderr(str(error))
            return Exit.MISTAKE
        case _:
            return _database(error)


def _database(error: BaseException) -> Exit:
    """Say what is wrong with the database, if that is what it is."""
    from adapters.sql.trouble import trouble_of  # noqa: PLC0415  (only after a fault)

    trouble = trouble_of(error)
    if trouble is None:
        return Exit.FAULT
    _to_stderr(trouble.text)
    return Exit.UNAVAILABLE if trouble.away else Exit.MISTAKE


def note(text: str) -> None:
    """Say something that is not part of the result."""
    _to_stderr(text)


def print_json(value: object) -> None:
    """Print one JSON document; decimals and instants become strings, enums their values."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def print_text(text: str = "") -> None:
    """Print one line of the result; what would move the cursor or break the line is escaped."""
    sys.stdout.write(printable(text) + "\n")


def printable(text: str) -> str:
    """`text` with control characters and marks of writing direction shown as escapes.

    Reasons and references come from outside: no line of ours can be forged or hidden by them.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """How a character that must not reach a terminal is shown; spaces of any width stay spaces."""
    return " " if unicodedata.category(char) == "Zs" else escaped(char)


def instant_text(at: datetime, zone: tzinfo = UTC) -> str:
    """An instant to the minute with the offset of its zone: `2026-03-10 09:30+08:00`."""
    return at.astimezone(zone).isoformat(" ", "minutes")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; columns whose name ends in `>` are aligned to the right."""
    from rich.console import Console  # noqa: PLC0415  (slow to load)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, title_justify="left")
    for name in columns:
        right = name.endswith(">")
        # Folded, never cut: an id that ends in dots cannot be copied.
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(name.removesuffix(">"), justify=justify, overflow="fold")
    for row in rows:
        # Text, not markup: brackets in data are data.
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    # A pipe has no width of its own: cells must not be cut for a screen that is not there.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


def _to_stderr(text: str) -> None:
    with suppress(OSError):  # whoever read it has gone, or its disk is full: nobody can be told
        for line in text.splitlines() or [""]:
            sys.stderr.write(f"acquit: {printable(line)}\n")
        sys.stderr.flush()


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Decimal() | Path():
            return str(value)
        case _:
            raise TypeError(f"no JSON for {type(value).__name__}")
