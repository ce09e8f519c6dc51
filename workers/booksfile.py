"""Checks the SQLite file of the books before it is opened: it must exist and be a database.

SQLite creates a file that is missing and says nothing; a command that reads must not begin new
books. Only `acquit up`, `acquit demo` and `acquit db upgrade` create them.
"""

from __future__ import annotations

import os
from pathlib import Path

from adapters.sql.engine import books_url
from domain.errors import InvalidInput

BEGINS = b"SQLite format 3\x00"
"""The first 16 bytes of every SQLite file that is not empty (sqlite.org, file format, 1.2)."""
_BACK = "bring them back from a copy, or begin anew with `acquit up --fresh`"


def must_have_books(url: str) -> None:
    """Refuse books in a file that is missing or no SQLite file; a server reports that itself.

    Raises:
        InvalidInput: the file is missing, empty, or something else.
    """
    address = books_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        return
    path = Path(address.database)
    if not os.path.lexists(path):
        raise InvalidInput("books", str(path), f"the books are missing; {_BACK}")
    if not is_database(path):
        raise InvalidInput("books", str(path), f"the books are damaged; {_BACK}")


def is_database(path: Path) -> bool:
    """Whether a regular file begins as SQLite files do; a pipe is not waited for."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(BEGINS)) == BEGINS
