"""One camt entry (`Ntry`) as a statement line, booked or not."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from adapters.statements.camt_items import Transaction, charges, itemise
from adapters.statements.fields import Fields
from adapters.statements.sizes import TEXT_KEPT
from domain.statement.statement import EntryStatus, Statement, StatementLine
from domain.text import cleaned

_STATUS = {
    "BOOK": EntryStatus.BOOKED,
    "PDNG": EntryStatus.PENDING,
    "FUTR": EntryStatus.FUTURE,
}


def _status(fields: Fields, entry: Element) -> EntryStatus:
    """Whether the entry is cash. `Sts` is text up to version 7 and a code inside since then."""
    status = fields.text(entry, "Sts/Cd", 35) or fields.text(entry, "Sts/Prtry", 35)
    status = status or fields.text(entry, "Sts", 35)
    if status is None:
        raise fields.refusal(entry, "Sts", "", "a status such as BOOK")
    return _STATUS.get(status, EntryStatus.INFORMATION)


def signed_amount(fields: Fields, entry: Element) -> tuple[int, str]:
    """The amount of an entry in minor units, signed as it moves the account, and its currency."""
    amount = fields.amount(entry, "Amt")
    sign = fields.sign(entry)
    if amount is None or sign is None:
        raise fields.refusal(entry, "Amt", "", "an amount and CRDT or DBIT")
    return sign * amount[0], amount[1]


def statement_line(
    fields: Fields, entry: Element, head: Statement, found: Sequence[Transaction]
) -> StatementLine:
    """Read one entry; `found` are its transactions, read before it ended."""
    status = _status(fields, entry)
    minor, currency = signed_amount(fields, entry)
    items, rest = itemise(minor, charges(fields, entry, currency), found)
    booked_on = fields.day(entry, "BookgDt") or head.booked_on
    if booked_on is None:
        rule = "a booking date here or a date on the statement"
        raise fields.refusal(entry, "BookgDt", "", rule)
    batch_ref, batch_count = _batch(fields, entry)
    if _is_sum(found, batch_count) and sum(one.booked_minor for one in items) - rest == minor:
        # The bank books a batch in one amount and repeats that amount as its only transaction.
        batch_ref = batch_ref or found[0].batch_ref
        rest += sum(one.charges_minor for one in items)
        items = ()
    amount = fields.first(entry, "Amt")
    return StatementLine(
        id="",
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
        status=status,
        printed="" if amount is None else (amount.text or "").strip(),
        code=_code(fields, entry),
    )


def _code(fields: Fields, entry: Element) -> str:
    """The bank transaction code: domain, family and sub-family, else the bank's own."""
    code = fields.first(entry, "BkTxCd")
    if code is None:
        return ""
    if fields.first(code, "Domn") is None:
        return fields.text(code, "Prtry/Cd", 35) or ""
    steps = ("Domn/Cd", "Domn/Fmly/Cd", "Domn/Fmly/SubFmlyCd")
    return "/".join(part for step in steps if (part := fields.text(code, step, 35)))


def _is_sum(found: Sequence[Transaction], batch_count: int | None) -> bool:
    """Whether the only transaction of an entry stands for a whole batch.

    So it is where the bank counts several, or where it names a batch and nothing else.
    """
    if len(found) != 1:
        return False
    if batch_count is not None:
        return batch_count > 1
    one = found[0]
    named = one.end_to_end_id or one.mandate_ref or one.tx_id or one.return_reason
    return one.batch_ref is not None and not named and not one.remittance


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
    added = fields.first(entry, "AddtlNtryInf")
    parts = ["" if added is None else cleaned(added.text or "")]  # for people: cut, not refused
    if len(found) == 1:  # the texts of a batch belong to its items, which match by reference
        parts.insert(0, found[0].text)
    return " ".join(part for part in parts if part)[:TEXT_KEPT]
