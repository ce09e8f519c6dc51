"""Statements: exact arithmetic, unbroken numbers, batches, returns, and their faults."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest_asyncio

from tests.simulator.conftest import Starter
from tests.simulator.driver import Bank
from tests.support.base import base_day

NS = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
ACCOUNT = "ACCT-FUNDER-1-CNY"


@pytest_asyncio.fixture(loop_scope="session")
async def month(start: Starter) -> Bank:
    """A hostile bank that took a hundred orders in eight days, a month later."""
    bank = await start(profile="hostile", seed=11)
    for day in range(8):
        await bank.to_hour(10)
        for n in range(12):
            mandate = f"md-{day}-{n}"
            await bank.sign_up(mandate)
            await bank.debit(f"o-{day}-{n}", mandate, 10_000 + 137 * n)
    await bank.go_on(days=30)
    return bank


def _signed(node: ET.Element) -> int:
    """Return a node's Amt with its CdtDbtInd in minor units of two digits."""
    amount = Decimal(node.findtext("c:Amt", "", NS)) * 100
    return int(amount) if node.findtext("c:CdtDbtInd", "", NS) == "CRDT" else -int(amount)


async def _read(bank: Bank) -> dict[str, ET.Element]:
    """Return every statement that is available, by Stmt/Id, checked against its digest."""
    target = f"/bank/v1/statements?account={ACCOUNT}&from=2000-01-01&to=2999-12-31"
    found = {}
    for row in (await bank.insist("GET", target))["statements"]:
        for _ in range(20):
            raw = await _fetch(bank, f"/bank/v1/statements/{row['id']}")
            if hashlib.sha256(raw).hexdigest() == row["sha256"]:
                break
        stmt = ET.fromstring(raw).find("c:BkToCstmrStmt/c:Stmt", NS)
        assert stmt is not None
        assert stmt.findtext("c:ElctrncSeqNb", "", NS) == str(row["seq"])
        found[stmt.findtext("c:Id", "", NS)] = stmt
    return found


async def _fetch(bank: Bank, target: str) -> bytes:
    for _ in range(20):
        try:
            answer = await bank.call("GET", target)
        except Exception as error:  # noqa: BLE001 - whatever a cut connection looks like
            last: object = error
            continue
        if answer.status_code == 200:
            return answer.content
        last = answer
    raise AssertionError(last)


async def test_balances_and_numbers_of_statements_form_a_chain(month: Bank) -> None:
    """OPBD + entries = CLBD, which is the next OPBD; ElctrncSeqNb has no gap; no money is missing.

    The last closing balance is the sum of all movements that the truth log calls booked.
    """
    await month.go_on(days=10)
    # What is still withheld is handed out: a late one among the last days would be a gap.
    (await month.http.post("/control/calm", json={})).raise_for_status()
    stmts = sorted(
        (await _read(month)).values(), key=lambda s: int(s.findtext("c:ElctrncSeqNb", "", NS))
    )
    truth = await month.truth()
    last_seq = max(row["seq"] for row in truth["statements"])
    assert len(stmts) > 20
    for stmt in stmts:
        opening, closing = (_signed(balance) for balance in stmt.findall("c:Bal", NS))
        entries = sum(_signed(entry) for entry in stmt.findall("c:Ntry", NS))
        assert opening + entries == closing
        for entry in stmt.findall("c:Ntry", NS):
            parts = entry.findall("c:NtryDtls/c:TxDtls", NS)
            assert sum(_signed(part) for part in parts) == _signed(entry)
    for one, two in pairwise(stmts):
        assert int(two.findtext("c:ElctrncSeqNb", "", NS)) == 1 + int(
            one.findtext("c:ElctrncSeqNb", "", NS)
        )
        assert _signed(one.findall("c:Bal", NS)[1]) == _signed(two.findall("c:Bal", NS)[0])
    if len(stmts) == last_seq:
        booked = [row for row in truth["movements"] if row["statement_id"] is not None]
        assert _signed(stmts[-1].findall("c:Bal", NS)[1]) == sum(r["amount_minor"] for r in booked)


async def test_a_returned_debit_is_one_debit_entry_that_includes_the_fee(month: Bank) -> None:
    """The clock brings returns: DBIT, reason in RtrInf, amount plus fee, at times no EndToEndId."""
    truth = await month.truth()
    returned = [row for row in truth["movements"] if row["kind"] == "return"]
    assert returned
    fees = {r["bank_ref"]: r["amount_minor"] for r in truth["movements"] if r["kind"] == "fee"}
    due = sorted(r["amount_minor"] + fees.get(r["bank_ref"], 0) for r in returned)
    entries = [
        entry
        for stmt in (await _read(month)).values()
        for entry in stmt.findall("c:Ntry", NS)
        if entry.find("c:NtryDtls/c:TxDtls/c:RtrInf/c:Rsn/c:Cd", NS) is not None
    ]
    assert sorted(_signed(entry) for entry in entries) == due
    assert all(entry.findtext("c:RvslInd", "", NS) == "true" for entry in entries)
    for entry in entries:
        refs = entry.find("c:NtryDtls/c:TxDtls/c:Refs", NS)
        assert refs is not None
        assert refs.findtext("c:EndToEndId", "", NS)
        assert refs.findtext("c:MndtId", "", NS).startswith("md-")


async def test_bookings_carry_banking_days_only(month: Bank) -> None:
    """No movement and no statement falls on a Saturday or Sunday."""
    truth = await month.truth()
    days = {row["booked_on"] for row in truth["movements"]}
    days |= {row["date"] for row in truth["statements"]}
    assert {date.fromisoformat(day).weekday() for day in days} <= {0, 1, 2, 3, 4}


async def test_statements_come_late_and_repeated_but_come(month: Bank) -> None:
    """A hostile bank withholds some statements for days and repeats others under one Stmt/Id.

    Each does so by a chance of its date: half a year shows both, whatever the date was.
    """
    await month.go_on(days=150)
    rows = (await month.truth())["statements"]
    late = [row for row in rows if row["available_at"][:10] > row["date"] and not row["copy_of"]]
    assert late
    assert [row for row in rows if row["copy_of"]]
    await month.go_on(days=7)
    listed = await _read(month)
    assert {row["id"] for row in late} <= set(listed)


async def test_the_csv_form_says_the_same(month: Bank) -> None:
    """CSV and XML of one statement agree on balances and on each transaction."""
    for name, stmt in (await _read(month)).items():
        if stmt.find("c:Ntry", NS) is None:
            continue
        text = (await _fetch(month, f"/bank/v1/statements/{name}?format=csv")).decode()
        while "\x00" in text:  # garbled; ends after six calls
            text = (await _fetch(month, f"/bank/v1/statements/{name}?format=csv")).decode()
        table = list(csv.DictReader(io.StringIO(text)))
        assert [row["record"] for row in (table[0], table[-1])] == ["OPBD", "CLBD"]
        signs = {"CRDT": 1, "DBIT": -1}
        money = [int(Decimal(r["amount"]) * 100) * signs[r["direction"]] for r in table]
        parts: list[Any] = stmt.findall("c:Ntry/c:NtryDtls/c:TxDtls", NS)
        assert money[1:-1] == [_signed(part) for part in parts]
        assert money[0] + sum(money[1:-1]) == money[-1]
        return
    raise AssertionError("no statement with an entry")


async def test_holidays_given_to_the_bank_are_no_banking_days(
    start: Starter, tmp_path: Path
) -> None:
    """--holidays-file closes weekdays, and opens make-up days, for bookings and statements."""
    soon = base_day() + timedelta(days=30)
    monday = soon + timedelta(days=7 - soon.weekday())
    saturday = monday - timedelta(days=2)
    file = tmp_path / "holidays.json"
    file.write_text(json.dumps({"off": [monday.isoformat()], "work": [saturday.isoformat()]}))
    bank = await start("--holidays-file", str(file))
    await bank.to_hour(10)
    await bank.sign_up("md-h")
    await bank.debit("h-1", "md-h")
    await bank.go_on(days=60)
    days = {row["date"] for row in (await bank.truth())["statements"]}
    assert saturday.isoformat() in days
    assert monday.isoformat() not in days
    assert (monday + timedelta(days=1)).isoformat() in days
