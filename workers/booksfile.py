"""Checks the SQLite file of the books before it is opened: it must exist and be a database.

SQLite creates a file that is missing and says nothing; a command that reads must not begin new
books. Only `acquit up`, `acquit demo` and `acquit db upgrade` create them.
"""

from __future__ import annotations

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
    try:
        with path.open("rb") as file:
            first = file.read(len(BEGINS))
    except FileNotFoundError:
        raise InvalidInput("books", str(path), f"the books are missing; {_BACK}") from None
    if first != BEGINS:
        raise InvalidInput("books", str(path), f"the books are damaged; {_BACK}")
