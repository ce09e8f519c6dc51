"""Writes result files: whole or not at all, and never over something else."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TextIO

from domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def written(path: Path, *, replace: bool = False) -> Iterator[TextIO]:
    """A text file that appears under `path` once the block has ended without an error.

    It is written beside its place first, so whoever reads `path` sees nothing or all of it. An
    existing file is replaced only with `replace`, and only a regular one that is no part of a
    database or of a sandbox's home.

    Raises:
        InvalidInput: `path` is taken, or its folder is not there.
    """
    with _beside(path, replace=replace) as part, part.open("x", encoding="utf-8") as output:
        yield output
        _sync(output)


@contextmanager
def written_bytes(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A binary file that appears as one of `written` does."""
    with _beside(path, replace=replace) as part, part.open("xb") as output:
        yield output
        _sync(output)


@contextmanager
def _beside(path: Path, *, replace: bool) -> Iterator[Path]:
    """A name beside `path`, whose file is put in its place at the end."""
    check_output(path, replace=replace)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if replace:
            part.replace(path)
        else:
            _link(part, path)
    finally:
        part.unlink(missing_ok=True)


def check_output(path: Path, *, replace: bool) -> None:
    """See that a result may be written under `path`.

    Raises:
        InvalidInput: `path` is taken, or its folder is not there.
    """
    if not path.parent.is_dir():
        raise InvalidInput("output", str(path), "a file in a folder that is there")
    if not os.path.lexists(path):
        return
    if not replace:
        raise InvalidInput("output", str(path), "a name that is free, or --replace")
    if not path.is_file() or path.is_symlink():
        raise InvalidInput("output", str(path), "a regular file to replace")
    from sandbox.homefiles import BESIDE, is_of_a_home  # noqa: PLC0415
    from workers.booksfile import is_database  # noqa: PLC0415  (with SQLAlchemy: slow to load)

    whole = [path.with_name(path.name.removesuffix(end)) for end in BESIDE]
    if any(is_database(base) for base in whole) or is_of_a_home(path):
        raise InvalidInput("output", str(path), "no database and no file of a home")


def _sync(output: IO[Any]) -> None:
    output.flush()
    os.fsync(output.fileno())


def _link(part: Path, path: Path) -> None:
    """Give the finished file its name; a file that came meanwhile is left alone."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise InvalidInput("output", str(path), "a name that is free, or --replace") from None
    except OSError:  # a file system without links: the name was free a moment ago
        part.replace(path)
