"""Names of files that others give: which are still being written, and how each is called by us."""

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes

LISTED_MOST = 10_000
"""Most entries of a folder that is looked at."""
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".swp", "~")


def is_offered(name: str) -> bool:
    """Whether a file of this name may be taken: no dot file, and none that is being written."""
    return not name.startswith(".") and not name.lower().endswith(_UNFINISHED)


def id_of(name: str) -> str:
    """The name in one line of printable characters; `name_of` gives the name back.

    What is not printable, bytes that are no UTF-8 included, stands as `%` and hex.
    """
    return "".join(
        sign if sign.isprintable() and sign != "%" else quote_from_bytes(os.fsencode(sign), safe="")
        for sign in name
    )


def name_of(file_id: str) -> str:
    """The name that `id_of` was given."""
    return os.fsdecode(unquote_to_bytes(os.fsencode(file_id)))


def other_name(name: str, mark: str) -> str:
    """A name for a second file of this name: `day.xml` becomes `day.MARK.xml`."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{mark}.{ending}" if dot and stem else f"{name}.{mark}"
