"""One booked camt entry (`Ntry`) as a statement line."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from adapters.statements.camt_items import Transaction, charges, itemise
from adapters.statements.fields import Fields
from domain.errors import InvalidInput
from domain.reconciliation.statement import Statement, StatementLine

_BOOKED = "BOOK"
_TEXT_KEPT = 500


def is_booked(fields: Fields, entry: Element) -> bool:
    """Whether the entry is cash. `Sts` is text up to version 7 and a code inside since then."""
    status = fields.text(entry, "Sts/Cd", 35) or fields.text(entry, "Sts/Prtry", 35)
    status = status or fields.text(entry, "Sts", 35)
    if status is None:
        raise InvalidInput("Ntry/Sts", "", "a status such as BOOK")
    return status == _BOOKED


def statement_line(
    fields: Fields, entry: Element, head: Statement, number: int, found: Sequence[Transaction]
) -> StatementLine:
    """Read one entry; `found` are its transactions, read before it ended.

    `number` is its place among all entries of the statement, from 1. It makes the line's id, since
    banks repeat their own references.
    """
    amount = fields.amount(entry, "Amt")
    sign = fields.sign(entry)
    if amount is None or sign is None:
        raise InvalidInput("Ntry/Amt", "", "an amount and CRDT or DBIT")
    minor, currency = sign * amount[0], amount[1]
    items, rest = itemise(minor, charges(fields, entry, currency), found)
    booked_on = fields.day(entry, "BookgDt") or head.booked_on
    if booked_on is None:
        raise InvalidInput("Ntry/BookgDt", "", "a booking date here or a date on the statement")
    batch_ref, batch_count = _batch(fields, entry)
    return StatementLine(
        id=f"{head.account}/{head.id}/{number}",
        account=head.account,
        booked_on=booked_on,
        value_on=fields.day(entry, "ValDt") or booked_on,
        amount_minor=minor,
        currency=currency,
        servicer_ref=fields.text(entry, "AcctSvcrRef", 70),
        reversal=fields.flag(entry, "RvslInd") or False,
        items=items,
        batch_ref=batch_ref,
        batch_count=batch_count,
        text=_text(fields, entry, found),
        charges_minor=rest,
    )


def _batch(fields: Fields, entry: Element) -> tuple[str | None, int | None]:
    """The reference and size of a batch booking; several groups in one entry are one batch."""
    reference: str | None = None
    count: int | None = None
    for details in fields.all(entry, "NtryDtls"):
        batch = fields.first(details, "Btch")
        if batch is None:
            continue
        reference = reference or fields.text(batch, "PmtInfId", 70)
        reference = reference or fields.text(batch, "MsgId", 70)
        size = fields.number(batch, "NbOfTxs")
        count = count if size is None else (count or 0) + size
    return reference, count


def _text(fields: Fields, entry: Element, found: Sequence[Transaction]) -> str:
    parts = [fields.text(entry, "AddtlNtryInf", _TEXT_KEPT) or ""]
    if len(found) == 1:  # the texts of a batch belong to its items, which match by reference
        parts.insert(0, found[0].text)
    return " ".join(part for part in parts if part)[:_TEXT_KEPT]
