"""Prints the results of commands on standard output, and finds the settings of a run.

Importing this is cheap; rich tables and settings are loaded when they are used.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from typer.core import TyperGroup

from domain.errors import InvalidInput
from workers.reporting import printable

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

    from workers.settings import Settings

T = TypeVar("T")
_PIPE_WIDTH = 200
_LONGEST_SENTENCE = 200


class Commands(TyperGroup):
    """The list of commands with their whole first sentence, never cut to the width."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (click's own)
        """Write the list."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, item.get_short_help_str(_LONGEST_SENTENCE)) for name, item in found if item]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of state (ACQUIT_HOME, else .acquit).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


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


def print_json(value: object) -> None:
    """Print one JSON document; decimals and instants become strings, enums their values."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def print_text(text: str = "") -> None:
    """Print one line of the result; what would move the cursor or break the line is escaped."""
    sys.stdout.write(printable(text) + "\n")


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
        # A key is copied into the next command: other columns give way to it.
        is_key, shown = name == "key", name.removesuffix(">")
        table.add_column(shown, justify=justify, overflow="fold", no_wrap=is_key)
    for row in rows:
        # Text, not markup: brackets in data are data.
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    # A pipe has no width of its own: cells must not be cut for a screen that is not there.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)


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
