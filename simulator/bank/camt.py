"""Writes statements as camt.053.001.08 (ISO 20022) and CSV."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as ET

from simulator.bank.entries import Entry, Line, Statement, decimal

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
FAMILIES = {
    "debit": ("IDDT", "ESDD"),
    "return": ("IDDT", "UPDD"),
    "credit": ("RCDT", "ESCT"),
    "transfer": ("ICDT", "ESCT"),
    "payout": ("ICDT", "ESCT"),
    "payout_return": ("ICDT", "RRTN"),
}
"""Family and sub-family of the bank's transaction code, by kind of movement."""
COLUMNS = (
    *("record", "account", "statement_id", "seq", "date", "entry_ref", "batch_ref", "bank_ref"),
    *("end_to_end_id", "mandate_ref", "direction", "amount", "currency", "fee", "reversal"),
    *("reason", "text"),
)


def _put(parent: ET.Element, path: str, text: str | None = None) -> ET.Element:
    """Add nested elements by path, the last one with text, and return the last."""
    for name in path.split("/"):
        parent = ET.SubElement(parent, name)
    parent.text = text
    return parent


def _direction(minor: int) -> str:
    return "CRDT" if minor >= 0 else "DBIT"


def _amount(parent: ET.Element, path: str, minor: int, currency: str) -> None:
    _put(parent, path, decimal(abs(minor), currency)).set("Ccy", currency)


def to_xml(statement: Statement, *, duplicate: bool = False) -> str:
    """Write a statement; a duplicate keeps Stmt/Id and says DUPL under a new message id."""
    root = ET.Element("Document", {"xmlns": NAMESPACE})
    message = _put(root, "BkToCstmrStmt")
    header = _put(message, "GrpHdr")
    _put(header, "MsgId", f"M{statement.id[5:]}{'-D' if duplicate else ''}")
    _put(header, "CreDtTm", statement.created_at)
    stmt = _put(message, "Stmt")
    _put(stmt, "Id", statement.id)
    _put(stmt, "ElctrncSeqNb", str(statement.seq))
    _put(stmt, "CreDtTm", statement.created_at)
    span = _put(stmt, "FrToDt")
    _put(span, "FrDtTm", f"{statement.date}T00:00:00+08:00")
    _put(span, "ToDtTm", f"{statement.date}T23:30:00+08:00")
    if duplicate:
        _put(stmt, "CpyDplctInd", "DUPL")
    account = _put(stmt, "Acct")
    _put(account, "Id/Othr/Id", statement.account)
    _put(account, "Ccy", statement.currency)
    for code, minor in (("OPBD", statement.opening_minor), ("CLBD", statement.closing_minor)):
        balance = _put(stmt, "Bal")
        _put(balance, "Tp/CdOrPrtry/Cd", code)
        _amount(balance, "Amt", minor, statement.currency)
        _put(balance, "CdtDbtInd", _direction(minor))
        _put(balance, "Dt/Dt", statement.date)
    for number, entry in enumerate(statement.entries, 1):
        _entry(stmt, statement, entry, number)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _entry(stmt: ET.Element, statement: Statement, entry: Entry, number: int) -> None:
    ntry = _put(stmt, "Ntry")
    currency, direction = statement.currency, _direction(entry.amount_minor)
    _put(ntry, "NtryRef", str(number))
    _amount(ntry, "Amt", entry.amount_minor, currency)
    _put(ntry, "CdtDbtInd", direction)
    if entry.lines[0].kind == "return":
        _put(ntry, "RvslInd", "true")
    _put(ntry, "Sts/Cd", "BOOK")
    _put(ntry, "BookgDt/Dt", statement.date)
    _put(ntry, "ValDt/Dt", statement.date)
    _put(ntry, "AcctSvcrRef", entry.ref)
    family, sub = FAMILIES[entry.lines[0].kind]
    domain = _put(ntry, "BkTxCd/Domn")
    _put(domain, "Cd", "PMNT")
    kind = _put(domain, "Fmly")
    _put(kind, "Cd", family)
    _put(kind, "SubFmlyCd", sub)
    details = _put(ntry, "NtryDtls")
    if entry.batch_ref is not None:
        batch = _put(details, "Btch")
        _put(batch, "PmtInfId", entry.batch_ref)
        _put(batch, "NbOfTxs", str(len(entry.lines)))
        _amount(batch, "TtlAmt", entry.amount_minor, currency)
        _put(batch, "CdtDbtInd", direction)
    for line in entry.lines:
        _details(details, line, entry, currency)


def _details(parent: ET.Element, line: Line, entry: Entry, currency: str) -> None:
    tx = _put(parent, "TxDtls")
    refs = _put(tx, "Refs")
    _put(refs, "AcctSvcrRef", line.bank_ref or entry.ref)
    if entry.batch_ref is not None:
        _put(refs, "PmtInfId", entry.batch_ref)
    _put(refs, "EndToEndId", line.end_to_end_id)
    if line.bank_ref is not None:
        _put(refs, "TxId", line.bank_ref)
    if line.mandate_ref is not None:
        _put(refs, "MndtId", line.mandate_ref)
    booked = line.amount_minor - line.fee_minor
    _amount(tx, "Amt", booked, currency)
    _put(tx, "CdtDbtInd", _direction(booked))
    if line.kind == "return":
        _amount(_put(tx, "AmtDtls"), "InstdAmt/Amt", line.amount_minor, currency)
    if line.fee_minor:
        charge = _put(tx, "Chrgs/Rcrd")
        _amount(charge, "Amt", line.fee_minor, currency)
        _put(charge, "CdtDbtInd", "DBIT")
        _put(charge, "ChrgInclInd", "true")
    _put(tx, "RmtInf/Ustrd", line.text[:140])
    if line.reason is not None:
        _put(tx, "RtrInf/Rsn/Cd", line.reason)


def to_csv(statement: Statement) -> str:
    """Write the same statement as CSV: OPBD, one TX row per transaction, CLBD.

    `amount` has no sign (see `direction`) and includes `fee`, as in the entry.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n", restval="")
    writer.writeheader()
    common = {"account": statement.account, "statement_id": statement.id, "seq": statement.seq}
    common |= {"date": statement.date, "currency": statement.currency}

    def money(minor: int) -> dict[str, str]:
        amount = decimal(abs(minor), statement.currency)
        return {"direction": _direction(minor), "amount": amount}

    writer.writerow(common | {"record": "OPBD"} | money(statement.opening_minor))
    for entry in statement.entries:
        for line in entry.lines:
            writer.writerow(
                common
                | money(line.amount_minor - line.fee_minor)
                | {
                    "record": "TX",
                    "entry_ref": entry.ref,
                    "batch_ref": entry.batch_ref or "",
                    "bank_ref": line.bank_ref or "",
                    "end_to_end_id": line.end_to_end_id,
                    "mandate_ref": line.mandate_ref or "",
                    "fee": decimal(line.fee_minor, statement.currency),
                    "reversal": "true" if line.kind == "return" else "false",
                    "reason": line.reason or "",
                    "text": line.text,
                }
            )
    writer.writerow(common | {"record": "CLBD"} | money(statement.closing_minor))
    return out.getvalue()
