"""The journal as CSV: one row for each posting, amounts in decimals and in minor units."""

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator

from adapters.csvcells import cell_of
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
    """Text on one line, its control characters as escapes, that begins no formula."""
    return visible(cell_of("" if value is None else str(value)))


def _row(cells: tuple[object, ...]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
