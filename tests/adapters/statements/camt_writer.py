"""A small camt.053 writer for tests: the mirror of the reader, written without looking at it."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from domain.money import decimal_text
from domain.statement.statement import LineItem, Statement, StatementLine

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.{:02d}"


def document(*statements: Statement, version: int = 8) -> bytes:
    """A whole file; `version` decides how the status and the charges are written."""
    return "".join(parts(statements, version)).encode()


def parts(statements: tuple[Statement, ...], version: int = 8) -> Iterator[str]:
    """The same, piece by piece, for files too large for one string."""
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE.format(version)}">'
    yield "<BkToCstmrStmt>\n<GrpHdr><MsgId>M1</MsgId></GrpHdr>"
    for statement in statements:
        yield from _statement(statement, version)
    yield "</BkToCstmrStmt></Document>"


def _statement(statement: Statement, version: int) -> Iterator[str]:
    yield f"\n<Stmt><Id>{escape(statement.whole_id)}</Id>"
    if statement.is_paged:
        ends = "true" if statement.is_last_page else "false"
        yield f"<StmtPgntn><PgNb>{statement.page}</PgNb><LastPgInd>{ends}</LastPgInd></StmtPgntn>"
    if statement.sequence is not None:
        yield f"<ElctrncSeqNb>{statement.sequence}</ElctrncSeqNb>"
    if statement.period is not None:
        first, last = statement.period
        yield f"<FrToDt><FrDtTm>{first}T00:00:00</FrDtTm><ToDtTm>{last}T23:59:59</ToDtTm></FrToDt>"
    yield f"<Acct><Id><Othr><Id>{escape(statement.account)}</Id></Othr></Id>"
    yield f"<Ccy>{statement.currency}</Ccy></Acct>"
    opens = "OPBD" if statement.page == 1 else "ITBD"
    closes = "CLBD" if statement.is_last_page else "ITBD"
    for code, minor in ((opens, statement.opening_minor), (closes, statement.closing_minor)):
        if minor is not None:
            yield f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            yield f"{amount(minor, statement.currency)}{_sign(minor)}"
            yield f"<Dt><Dt>{statement.booked_on}</Dt></Dt></Bal>"
    for line in statement.lines:
        yield entry(line, version)
    yield "</Stmt>"


def entry(line: StatementLine, version: int = 8, status: str = "BOOK") -> str:
    """One `Ntry`."""
    status = f"<Cd>{status}</Cd>" if version >= 8 else status
    details = "".join(_details(item, line.currency, version) for item in line.items)
    batch = ""
    if line.batch_ref is not None:
        count = "" if line.batch_count is None else f"<NbOfTxs>{line.batch_count}</NbOfTxs>"
        batch = f"<Btch><PmtInfId>{escape(line.batch_ref)}</PmtInfId>{count}</Btch>"
    servicer = (
        f"<AcctSvcrRef>{escape(line.servicer_ref)}</AcctSvcrRef>" if line.servicer_ref else ""
    )
    charges = _charges(line.charges_minor, line.currency, version)
    text = f"<AddtlNtryInf>{escape(line.text)}</AddtlNtryInf>" if line.text else ""
    return (
        f"\n<Ntry>{amount(line.amount_minor, line.currency)}{_sign(line.amount_minor)}"
        f"<RvslInd>{'true' if line.reversal else 'false'}</RvslInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>{line.booked_on}</Dt></BookgDt><ValDt><Dt>{line.value_on}</Dt></ValDt>"
        f"{servicer}<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>{charges}"
        f"<NtryDtls>{batch}{details}</NtryDtls>{text}</Ntry>"
    )


def amount(minor: int, currency: str) -> str:
    """An `Amt` without sign."""
    return f'<Amt Ccy="{currency}">{decimal_text(abs(minor), currency)}</Amt>'


def _sign(minor: int) -> str:
    return f"<CdtDbtInd>{'DBIT' if minor < 0 else 'CRDT'}</CdtDbtInd>"


def _charges(minor: int, currency: str, version: int) -> str:
    if minor == 0:
        return ""
    inside = f"{amount(minor, currency)}{_sign(-minor)}"
    return f"<Chrgs>{inside}</Chrgs>" if version < 4 else f"<Chrgs><Rcrd>{inside}</Rcrd></Chrgs>"


def _details(item: LineItem, currency: str, version: int) -> str:
    mandate = f"<MndtId>{escape(item.mandate_ref)}</MndtId>" if item.mandate_ref else ""
    tx_id = f"<TxId>{escape(item.tx_id)}</TxId>" if item.tx_id else ""
    remittance = "".join(
        f"<Strd><CdtrRefInf><Ref>{escape(ref)}</Ref></CdtrRefInf></Strd>" for ref in item.remittance
    )
    remittance = f"<RmtInf>{remittance}</RmtInf>" if remittance else ""
    returned = ""
    if item.return_reason:
        returned = f"<RtrInf><Rsn><Cd>{item.return_reason}</Cd></Rsn></RtrInf>"
    return (
        f"<TxDtls><Refs><EndToEndId>{escape(item.end_to_end_id or 'NOTPROVIDED')}</EndToEndId>"
        f"{tx_id}{mandate}</Refs>{_sign(item.amount_minor)}"
        f"<AmtDtls><InstdAmt>{amount(item.amount_minor, currency)}</InstdAmt></AmtDtls>"
        f"{_charges(item.charges_minor, currency, version)}{remittance}{returned}</TxDtls>"
    )
