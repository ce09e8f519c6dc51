"""Which booked lines are the same line, whatever file, statement or page brings them.

A line is known by account, booking date and the bank's own reference. Banks that give none are
helped by a fingerprint of amount, value date and references. Several lines of one statement that
are alike in this are distinguished by their place among each other. A month's file, a day's file
and a statement under a new number therefore name the same booking alike. Statements that certainly
tell of other bookings, such as two of one day, count on (`neighbours.apart`).
"""

import re
from collections import Counter
from collections.abc import Callable

from domain.kernel import canonical
from domain.statement.statement import StatementLine
from domain.text import cleaned

_READABLE = re.compile(r"[A-Za-z0-9._:+-]{1,40}")
_MARK_DIGITS = 20
REFERENCE_MOST = 70
"""Characters of the longest reference that is kept."""
_NO_REFERENCE = frozenset({"NOTPROVIDED", "NOTPROVIDE", "NONREF", "NOREF", "NONE", "UNKNOWN"})


def given(reference: str | None) -> str | None:
    """The reference, or None for the words and blanks by which banks say that there is none."""
    if reference is None or not reference.strip("0-./ "):
        return None
    return None if reference.upper().replace(" ", "") in _NO_REFERENCE else reference


def one_word(text: str) -> str | None:
    """A text of one word, which may be a reference; None where it is none.

    It is cleaned. Several words are a text for people, and a word longer than `REFERENCE_MOST` is
    none: what is cut names nothing.
    """
    word = cleaned(text)
    return None if " " in word or len(word) > REFERENCE_MOST else given(word)


class LineIds:
    """Gives the lines of one statement their ids, in the order of the file.

    Args:
        count: how often a signed 64-bit number was given to it, this time included. The default
            keeps every number in memory.
    """

    def __init__(self, count: Callable[[int], int] | None = None) -> None:
        self._count = count or _in_memory()

    def next(self, line: StatementLine) -> str:
        """The id of the next line; `line.id` is not looked at."""
        mark = line_mark(line)
        key = bytes.fromhex(canonical.digest((line.booked_on, mark))[:16])
        place = self._count(int.from_bytes(key, signed=True))
        again = "" if place == 1 else f"*{place}"
        return f"{line.account}/{line.booked_on.isoformat()}/{mark}{again}"


def _in_memory() -> Callable[[int], int]:
    seen: Counter[int] = Counter()

    def count(key: int) -> int:
        seen[key] += 1
        return seen[key]

    return count


def id_after(line_id: str) -> str:
    """The id of the next booking that is alike in everything: `A/2026-01-05/SR-1` has `...*2`."""
    first, _, place = line_id.partition("*")  # no mark holds the sign
    return f"{first}*{int(place or 1) + 1}"


def line_mark(line: StatementLine) -> str:
    """The bank's reference where it is readable, else `~` and a fingerprint of what names a line.

    What may differ between two statements of one booking is left out: texts, flags, the entry's
    number, and the details that only one of the two files may give to a line with a reference.
    """
    reference = given(line.servicer_ref)
    if reference is not None and _READABLE.fullmatch(reference):
        return reference
    if reference is not None:
        return _hashed(("reference", reference))
    # Neither mandate nor transaction id: a bank that gives them in one format leaves them out in
    # another, and what they would tell apart beside the references is counted in its order.
    items = tuple(references for item in line.items if (references := item.references))
    reported = (line.amount_minor, line.currency, line.value_on, line.batch_ref, items)
    return _hashed(("content", *reported))


NAMES_MOST = 20


def names_of(line: StatementLine) -> tuple[str, ...]:
    """Every reference that a line names of its transactions, in order; none where there are many.

    Of two lines with one id that both name some and none in common, one is another booking: the
    bank gave its own reference twice. A mandate is none of them, since it names many bookings.
    """
    found: set[str] = set()
    for item in line.items:
        others = (value for _, value in item.other_refs)
        found.update(ref for ref in (*item.references, item.tx_id, *others) if ref)
        if len(found) > NAMES_MOST:
            return ()
    return tuple(sorted(found))


def _hashed(content: tuple[object, ...]) -> str:
    return f"~{canonical.digest(content)[:_MARK_DIGITS]}"
