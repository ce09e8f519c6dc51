"""Reads what an evidence bundle holds about a loan: implements `ports.evidence.Evidence`."""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import among, listed
from adapters.sql.read.archive import read_statement
from adapters.sql.read.chainitems import items_at
from adapters.sql.read.evidenceitems import numbers_after, proven_items
from adapters.sql.read.looking import look, read_loan_now
from adapters.sql.readrows import read_line, read_payment, read_payout
from adapters.sql.schema.tables import (
    cases,
    lines,
    payments,
    payout_items,
    payouts,
    products,
    statements,
    subjects,
)
from adapters.sql.write.cache import LoanCache
from domain.case.case import CASE
from domain.errors import InvalidInput
from domain.ledger.chain import Commanded
from domain.ledger.checkpoint import TreeHead
from domain.ledger.proofs import InclusionProof
from domain.loan.aggregate import LineState, Loan
from domain.loanclosure.closure import LoanClosure
from ports.evidence import JOURNAL, ROWS_MOST, PartRow

PAGE = 500
Row = Mapping[str, Any]


class SqlEvidence:
    """Each bundle is read from one snapshot; a page of rows is in memory, and the loan itself."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_loan(self, loan_id: str, head: TreeHead) -> AsyncGenerator[PartRow]:
        """The rows of every part; see the port."""
        async with look(self._engine, unhurried=True) as conn:
            loan = await read_loan_now(conn, loan_id, LoanCache())
            if loan is None:
                raise InvalidInput("loan", loan_id, "a loan of these books")
            for name, rows in self._parts(conn, loan, head).items():
                count = 0
                async for row in rows:
                    count += 1
                    if count > ROWS_MOST:
                        raise InvalidInput(name, f"more than {ROWS_MOST} rows", "a smaller loan")
                    yield PartRow(name, row)

    def _parts(
        self, conn: AsyncConnection, loan: Loan, head: TreeHead
    ) -> dict[str, AsyncIterator[Row]]:
        paid = [portion.id for portion in loan.portions]
        return {
            JOURNAL: _journal(conn, loan.id, head),
            "decisions.jsonl": _decisions(conn, loan.id),
            "loan.json": _each([_loan_row(loan)]),
            "product.json": _product(conn, loan.product.ref),
            "attempts.jsonl": _each(_attempts(loan)),
            "notices.jsonl": _each(_notices(loan)),
            "payments.jsonl": _payments(conn, paid),
            "lines.jsonl": _lines(conn, loan.id, paid),
            "payouts.jsonl": _payouts(conn, loan.id),
            "cases.jsonl": _cases(conn, loan.id),
            "certificate.json": _each(certificate_rows(loan.closing)),
        }


async def _each(rows: Iterator[Row] | Sequence[Row]) -> AsyncIterator[Row]:
    for row in rows:
        yield row


async def _journal(conn: AsyncConnection, loan_id: str, head: TreeHead) -> AsyncIterator[Row]:
    async for _, proof in proven_items(conn, loan_id, head):
        yield _proof_row(proof)


def _proof_row(proof: InclusionProof) -> Row:
    return {
        "number": proof.number,
        "content": base64.b64encode(proof.content).decode(),
        "previous": proof.previous,
        "path": [base64.b64encode(value).decode() for value in proof.path],
    }


async def _decisions(conn: AsyncConnection, loan_id: str) -> AsyncIterator[Row]:
    """Every command, in the order of the journal, readable without the canonical encoding."""
    after = 0
    while numbers := await numbers_after(conn, loan_id, after):
        after = numbers[-1]
        for item, _ in await items_at(conn, numbers):
            if isinstance(item.what, Commanded):
                yield {
                    "number": item.seq,
                    "command": item.what.kind,
                    "command_id": item.command_id,
                    "at": _text(item.at),
                    "actor": f"{item.actor_kind}/{item.actor_id}",
                    "approver": item.what.approver or "",
                    "reason": item.reason,
                    "refused_by": item.what.rule or "",
                }


def _loan_row(loan: Loan) -> Row:
    return {
        "loan": loan.id,
        "product": loan.product.ref,
        "currency": loan.currency,
        "principal_minor": loan.principal_minor,
        "disbursed_on": _text(loan.disbursed_on),
        "mandate": {
            "ref": loan.mandate.ref,
            "rail": loan.mandate.rail,
            "valid_from": _text(loan.mandate.valid_from),
            "valid_to": _text(loan.mandate.valid_to),
        },
        "installments": [
            {
                "number": item.number,
                "due_on": _text(item.due_on),
                "state": item.state.value,
                "generation": item.generation,
                "scheduled_minor": item.scheduled.total,
                "charged_minor": item.charged.total,
                "owed_minor": item.owed.total,
                "closed_at": _text(item.closed_at),
            }
            for item in loan.installments
        ],
    }


def _attempts(loan: Loan) -> Iterator[Row]:
    for item, attempt in loan.attempts():
        yield {
            "order_no": attempt.order_no,
            "installment": item.number,
            "attempt": attempt.number,
            "state": attempt.state.value,
            "outcome": attempt.outcome_class.value if attempt.outcome_class else "",
            "code": attempt.code,
            "amount_minor": attempt.amount_minor,
            "confirmed_minor": attempt.confirmed_minor,
            "value_on": _text(attempt.value_on),
            "mandate": attempt.mandate_ref,
            "brought_over": attempt.is_brought_over,
        }


def _notices(loan: Loan) -> Iterator[Row]:
    for item in loan.installments:
        for notice in item.notices:
            yield {
                "message_id": notice.message_id,
                "installment": item.number,
                "channel": notice.channel,
                "state": notice.state.value,
                "queued_at": _text(notice.queued_at),
                "amount_minor": notice.amount_minor,
                "due_on": _text(notice.due_on),
            }


async def _product(conn: AsyncConnection, ref: str) -> AsyncIterator[Row]:
    for row in await conn.execute(select(products).where(products.c.ref == ref)):
        yield {"ref": row.ref, "digest": row.digest, "rules": json.loads(row.body)}


async def _payments(conn: AsyncConnection, ids: Sequence[str]) -> AsyncIterator[Row]:
    async for row in _among(conn, payments.c.id, ids):
        paid = read_payment(row.body)
        yield {
            "payment": paid.id,
            "source": paid.source,
            "order_no": paid.order_no or "",
            "currency": paid.currency,
            "value_on": _text(paid.value_on),
            "amount_minor": paid.amount_minor,
            "settled_minor": paid.settled_minor,
            "returned_minor": paid.returned_minor,
            "return_settled_minor": paid.return_settled_minor,
            "lines": list(paid.lines),
        }


async def _lines(conn: AsyncConnection, loan_id: str, ids: Sequence[str]) -> AsyncIterator[Row]:
    """The bank lines that prove the payments, each with the files whose statements hold it."""
    named: dict[str, None] = {}
    async for row in _among(conn, payments.c.id, ids):
        named |= dict.fromkeys(read_payment(row.body).lines)
    async for row in _among(conn, lines.c.id, sorted(named)):
        yield _line_row(read_line(row.body), loan_id, await _files(conn, row))


async def _files(conn: AsyncConnection, row: Any) -> list[Row]:  # noqa: ANN401  (a row of lines)
    of = and_(statements.c.account == row.account, statements.c.statement_id == row.statement_id)
    found = await conn.execute(select(statements.c.body).where(of).order_by(statements.c.period))
    records = [read_statement(one.body) for one in found]
    return [
        {"statement": one.statement_id, "period": one.period, "sha256": one.sha256}
        for one in records
    ]


def _line_row(line: LineState, loan_id: str, files: list[Row]) -> Row:
    return {
        "line": line.id,
        "account": line.account,
        "statement": line.statement_id,
        "booked_on": _text(line.booked_on),
        "value_on": _text(line.value_on),
        "amount_minor": line.amount_minor,
        "currency": line.currency,
        "proves": [
            {"payment": one.payment, "minor": one.minor, "fee_minor": one.fee_minor}
            for one in line.matches
            if one.loan_id == loan_id
        ],
        "other_payments": sum(one.loan_id != loan_id for one in line.matches),
        "files": files,
    }


async def _payouts(conn: AsyncConnection, loan_id: str) -> AsyncIterator[Row]:
    """The payouts that pay a share of the loan, and what of each is the loan's."""
    mine = select(payout_items.c.payout).where(payout_items.c.loan_id == loan_id)
    found = select(payouts.c.body).where(payouts.c.key.in_(mine)).order_by(payouts.c.key)
    async for one in _stream(conn, found):
        payout = read_payout(one.body)
        its = (payout_items.c.loan_id == loan_id, payout_items.c.payout == payout.key)
        order = (payout_items.c.payment, payout_items.c.number, payout_items.c.component)
        items = await conn.execute(select(payout_items).where(*its).order_by(*order))
        yield {
            "payout": payout.key,
            "payee": payout.payee,
            "account": payout.account,
            "currency": payout.currency,
            "state": payout.state.value,
            "order_no": payout.order_no,
            "line": payout.line,
            "return_line": payout.return_line,
            "items": payout.items.count,
            "items_minor": payout.items.minor,
            "items_sha256": payout.items.digest,
            "of_this_loan": [
                [item.payment, item.number, item.component, int(item.minor)] for item in items
            ],
        }


async def _cases(conn: AsyncConnection, loan_id: str) -> AsyncIterator[Row]:
    """Cases about the loan, without texts and notes of people: those may name somebody."""
    of = and_(subjects.c.kind == CASE, subjects.c.key == cases.c.key)
    found = (
        select(cases, subjects.c.state, subjects.c.amount_minor, subjects.c.currency)
        .join(subjects, of)
        .where(cases.c.loan_id == loan_id)
        .order_by(cases.c.key)
    )
    async for row in _stream(conn, found):
        yield {
            "case": row.key,
            "kind": row.kind,
            "installment": row.number,
            "state": row.state,
            "code": row.code,
            "cause": row.cause,
            "owner": row.owner,
            "amount_minor": int(row.amount_minor),
            "currency": row.currency,
            "opened_at": _text(row.opened_at),
            "closed_at": _text(row.closed_at),
            "resolution": row.resolution or "",
        }


def certificate_rows(closing: LoanClosure | None) -> Iterator[Row]:
    """Every certificate that was given out, revoked ones too; no row where there was none."""
    if closing is not None and closing.certificates:
        yield {
            "certificates": [
                {
                    "code": one.code,
                    "text": one.text,
                    "key": one.key,
                    "signature": one.signature,
                    "issued_at": _text(one.issued_at),
                    "revoked_at": _text(one.revoked_at),
                    "why": one.why,
                }
                for one in closing.certificates
            ]
        }


async def _among(conn: AsyncConnection, column: Any, names: Sequence[str]) -> AsyncIterator[Any]:  # noqa: ANN401
    """Rows whose column holds one of some names, by name, a page at a time."""
    postgres, wanted = conn.dialect.name == "postgresql", sorted(set(names))
    statement = select(column.table).where(among(column, "values", postgres=postgres))
    for first in range(0, len(wanted), PAGE):
        terms = {"values": listed(wanted[first : first + PAGE], postgres=postgres)}
        rows = (await conn.execute(statement, terms)).all()
        for row in sorted(rows, key=lambda one: str(getattr(one, column.name))):
            yield row


async def _stream(conn: AsyncConnection, statement: Any) -> AsyncIterator[Any]:  # noqa: ANN401
    async with conn.stream(statement, execution_options={"max_row_buffer": PAGE}) as rows:
        async for row in rows:
            yield row


def _text(value: date | datetime | None) -> str:
    """A day as YYYY-MM-DD, an instant in UTC to the microsecond; empty where there is none."""
    match value:
        case None:
            return ""
        case datetime():
            plain = value.astimezone(UTC).replace(tzinfo=None)
            return plain.isoformat(timespec="microseconds") + "Z"
        case _:
            return value.isoformat()
