"""What `acquit statements read` prints: one model for every format, as tables or as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cli.output import print_table, print_text
from domain.money import decimal_text
from domain.statement.statement import FaultRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.statement.statement import Fault, LineItem, Stated, StatementLine
    from ports.statements import FileSurvey, StatementPage, StatementSummary

SHOWN_MOST = 1_000
"""Most entries in the table; JSON has them all."""


def print_survey(survey: FileSurvey, entries: Iterable[StatementLine] | None) -> None:
    """Tables: the statements, and their entries where they are asked for."""
    rows = [
        (
            item.head.id,
            item.head.account,
            item.head.kind.value,
            item.head.booked_on or "",
            _amount(item.head.opening_minor, item.head.currency) or "",
            _amount(item.sum_minor, item.head.currency),
            _amount(item.head.closing_minor, item.head.currency) or "",
            item.head.currency,
            item.lines,
            item.left_out,
        )
        for item in survey.statements
    ]
    columns = (
        *("id", "account", "kind", "day", "opening>", "lines' sum>", "closing>"),
        *("currency", "lines>", "not booked>"),
    )
    print_table("Statements", columns, rows)
    if entries is not None:
        _print_entries(entries)
    print_text(f"{survey.format}, sha256 {survey.sha256}, {survey.size_bytes} bytes")


def _print_entries(entries: Iterable[StatementLine]) -> None:
    shown: list[tuple[object, ...]] = []
    more = 0
    for line in entries:
        if len(shown) == SHOWN_MOST:
            more += 1
            continue
        amount = _amount(line.amount_minor, line.currency)
        name = line.id or line.servicer_ref or ""
        shown.append((name, line.booked_on, line.status.value, amount, line.currency, line.text))
    columns = ("id", "day", "status", "amount>", "currency", "text")
    print_table("Booked lines and others", columns, shown)
    if more:
        print_text(f"{more} more: --json has them all")


def print_model(survey: FileSurvey, pages: Iterator[StatementPage]) -> None:
    """One JSON document, written entry by entry: memory does not grow with the file.

    Amounts are signed decimals as text; `printed` is what stands in the file.
    """
    head = {"sha256": survey.sha256, "size_bytes": survey.size_bytes, "format": survey.format}
    _write(f'{_json(head)[:-1]}, "statements": [')
    page = next(pages, None)
    for position, item in enumerate(survey.statements):
        _write(f'{"," if position else ""}\n{_json(_statement(item))[:-1]}, "entries": [')
        first = True
        while page is not None and page.position == position:
            for line in (*page.lines, *page.pending):
                _write(f"{'' if first else ','}\n  {_json(_entry(line))}")
                first = False
            page = next(pages, None)
        _write("\n]}")
    _write("\n]}\n")


def fault_text(item: StatementSummary, fault: Fault) -> str:
    """Where and which rule, with both sides as the statement would print them: money or numbers."""
    text = f"{fault.where}: {fault.rule.value}"
    if fault.stated is None or fault.counted is None:
        return text
    sides = (fault.stated, fault.counted)
    match fault.rule:
        case (
            FaultRule.BALANCE_DIFFERS
            | FaultRule.ITEMS_DIFFER
            | FaultRule.CHAIN_BROKEN
            | FaultRule.SUMMARY_SUM_DIFFERS
        ):
            stated, counted = (_amount(side, item.head.currency) for side in sides)
        case _:
            stated, counted = (str(side) for side in sides)
    return f"{text}: stated {stated}, counted {counted}"


def _statement(item: StatementSummary) -> dict[str, Any]:
    head, currency = item.head, item.head.currency
    period = None if head.period is None else [day.isoformat() for day in head.period]
    return {
        "id": head.id,
        "kind": head.kind.value,
        "account": head.account,
        "currency": currency,
        "sequence": head.sequence,
        "page": head.page,
        "is_last_page": head.is_last_page,
        "period": period,
        "booked_on": None if head.booked_on is None else head.booked_on.isoformat(),
        "opening": _amount(head.opening_minor, currency),
        "closing": _amount(head.closing_minor, currency),
        "balances": [
            {
                "kind": balance.kind.value,
                "amount": _amount(balance.minor, balance.currency),
                "currency": balance.currency,
                "on": None if balance.on is None else balance.on.isoformat(),
            }
            for balance in head.balances
        ],
        "totals": _totals(item),
        "lines": item.lines,
        "sum": _amount(item.sum_minor, currency),
        "left_out": item.left_out,
        "faults": [
            {
                "rule": fault.rule.value,
                "where": fault.where,
                "stated": fault.stated,
                "counted": fault.counted,
            }
            for fault in item.faults
        ],
    }


def _totals(item: StatementSummary) -> dict[str, Any] | None:
    """The bank's own totals."""
    summary, currency = item.head.summary, item.head.currency
    if summary is None:
        return None

    def stated(one: Stated) -> dict[str, Any]:
        return {"number": one.number, "sum": _amount(one.sum_minor, currency)}

    return {
        "entries": stated(summary.entries),
        "net": _amount(summary.net, currency),
        "credits": stated(summary.credits),
        "debits": stated(summary.debits),
    }


def _entry(line: StatementLine) -> dict[str, Any]:
    return {
        "id": line.id or None,
        "status": line.status.value,
        "booked_on": line.booked_on.isoformat(),
        "value_on": line.value_on.isoformat(),
        "amount": _amount(line.amount_minor, line.currency),
        "currency": line.currency,
        "printed": line.printed,
        "reversal": line.reversal,
        "servicer_ref": line.servicer_ref,
        "code": line.code,
        "batch_ref": line.batch_ref,
        "batch_count": line.batch_count,
        "charges": _amount(line.charges_minor, line.currency),
        "text": line.text,
        "items": [_item(item, line.currency) for item in line.items],
    }


def _item(item: LineItem, currency: str) -> dict[str, Any]:
    return {
        "end_to_end_id": item.end_to_end_id,
        "mandate_ref": item.mandate_ref,
        "tx_id": item.tx_id,
        "amount": _amount(item.amount_minor, currency),
        "charges": _amount(item.charges_minor, currency),
        "return_reason": item.return_reason,
        "remittance": list(item.remittance),
        "counterparty": None if item.counterparty is None else asdict(item.counterparty),
        "other_refs": [list(pair) for pair in item.other_refs],
    }


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else decimal_text(minor, currency)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write(text: str) -> None:
    sys.stdout.write(text)
