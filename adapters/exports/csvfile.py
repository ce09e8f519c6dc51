"""The journal as CSV: one row for each posting, amounts in decimals and in minor units."""

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator

from domain.ledger.entry import JournalPosting
from domain.money import decimal_text
from domain.text import visible

COLUMNS = (
    "seq",
    "event",
    "posted_at",
    "posted_on",
    "value_on",
    "ledger",
    "account",
    "amount",
    "minor",
    "currency",
    "loan",
    "number",
    "component",
    "payment",
    "order_no",
    "line",
    "party",
    "place",
)


async def journal_csv(journal: AsyncIterator[JournalPosting]) -> AsyncGenerator[str]:
    """Yield the header and then one row for each posting."""
    yield _row(COLUMNS)
    async for posting in journal:
        yield _row(
            (
                posting.seq,
                _text(posting.event),
                posting.at.isoformat(),
                posting.posted_on.isoformat(),
                posting.value_on.isoformat(),
                _text(posting.ledger),
                _text(posting.account),
                decimal_text(posting.minor, posting.currency),
                posting.minor,
                posting.currency,
                _text(posting.loan),
                _text(posting.number),
                _text(posting.component),
                _text(posting.payment),
                _text(posting.order_no),
                _text(posting.line),
                _text(posting.party),
                _text(posting.place),
            )
        )


def _text(value: str | int | None) -> str:
    """Text on one line that a spreadsheet does not take for a formula.

    Control characters are written as escapes. An apostrophe stands before what a spreadsheet would
    work out: text that begins with one of `_FORMULA`, also behind spaces.
    """
    text = "" if value is None else str(value)
    begins = text[:1] in _BREAKS or text.lstrip()[:1] in _FORMULA
    return f"'{visible(text)}" if text and begins else visible(text)


_BREAKS = frozenset("\t\r\n")
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""The signs that begin a formula, in narrow and in wide form."""


def _row(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
