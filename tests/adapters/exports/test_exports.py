"""Exports: another program adds the journal up to the same balances."""

import asyncio
import csv
import io
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.exports.csvfile import COLUMNS, journal_csv
from adapters.exports.hledger import account_name, hledger
from domain.ledger.entry import JournalPosting
from domain.money import exponent
from domain.text import is_plain
from tests.support.auditbench import paid_and_closed

AT = datetime(2026, 3, 10, 2, tzinfo=UTC)
DAY = date(2026, 3, 10)


def posting(
    seq: int,
    account: str,
    minor: int,
    currency: str = "CNY",
    line: str | None = None,
    event: str = "test",
) -> JournalPosting:
    """Give a posting of a hand-made journal."""
    return JournalPosting(
        account,
        minor,
        currency,
        "L1",
        1,
        "interest",
        line=line,
        seq=seq,
        event=event,
        party="funder-1",
        place="bank/x",
        at=AT,
        posted_on=DAY,
        value_on=DAY,
        ledger="main",
    )


def walked() -> list[JournalPosting]:
    """Give the journal of an installment from reminder to closure, and entries of other kinds."""
    found = paid_and_closed().postings
    last = found[-1].seq
    return [
        *found,
        posting(last + 1, "bank/ACCT-JPY", 12345, "JPY", line="A/S 1, or so; yes/1"),
        posting(last + 1, "suspense/line/A/S 1, or so; yes/1", -12345, "JPY"),
        posting(last + 2, "bank/ACCT-KWD", -7, "KWD"),
        posting(last + 2, "rail_fees/a:b  c;d", 7, "KWD"),
        posting(last + 3, "bank//x", 1_000_000_000_000_001),
        posting(last + 3, "held_by/funder-1", -1_000_000_000_000_001),
    ]


async def streamed(items: Iterable[JournalPosting]) -> AsyncIterator[JournalPosting]:
    for item in items:
        yield item


async def written(items: Iterable[JournalPosting]) -> str:
    return "".join([piece async for piece in hledger(streamed(items), "f" * 64)])


def balances(items: Iterable[JournalPosting]) -> dict[tuple[str, str], Decimal]:
    """Give balances by account name and currency, zero ones left out."""
    sums: Counter[tuple[str, str]] = Counter()
    for item in items:
        sums[(account_name(item.account), item.currency)] += item.minor
    return {key: Decimal(minor).scaleb(-exponent(key[1])) for key, minor in sums.items() if minor}


def test_hledger_adds_up_to_the_same_balances(tmp_path: Path) -> None:
    """An independent program reads the journal, finds it balanced, and agrees on every account."""
    program = shutil.which("hledger")
    if program is None:
        pytest.skip("hledger is not installed: apt-get install hledger")
    items = walked()
    path = tmp_path / "books.journal"
    path.write_text(asyncio.run(written(items)), encoding="utf-8")
    subprocess.run([program, "-f", path, "check"], check=True, timeout=60)
    out = subprocess.run(
        [program, "-f", path, "balance", "--flat", "--no-total", "-O", "json"],
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout
    rows = json.loads(out)[0]
    found = {
        (row[0], amount["acommodity"]): Decimal(amount["aquantity"]["decimalMantissa"]).scaleb(
            -amount["aquantity"]["decimalPlaces"]
        )
        for row in rows
        for amount in row[3]
    }
    assert found == balances(items)


async def test_each_entry_is_one_transaction_with_its_number_and_tags() -> None:
    """What a person looks for in the file is there: number, event, loan, bank line."""
    text = await written(walked())
    assert text.startswith("; acquit ledger export, chain head ffff")
    transactions = [line for line in text.splitlines() if line[:1].isdigit()]
    assert len(transactions) == len({item.seq for item in walked()})
    posted = "posted:2026-03-10T01:30:00+00:00, posted_on:2026-03-10, ledger:main"
    assert f"* (1) fell_due  ; {posted}" in transactions[0]
    assert "owed:L1:1:principal  100.00 CNY  ; loan:L1, number:1, component:principal" in text
    assert "line:A/S 1  or so; yes/1, party:funder-1, place:bank/x" in text
    assert "party:funder-1, place:bank/ACCT-FUNDER-1-CNY" in text


async def test_commodities_are_declared_once_with_their_own_digits() -> None:
    """Yen have none and dinars three."""
    text = await written(walked())
    declared = [line for line in text.splitlines() if line.startswith("commodity")]
    assert declared == [
        "commodity 1000.00 CNY",
        "commodity 1000. JPY",
        "commodity 1000.000 KWD",
    ]


async def test_an_empty_journal_is_a_valid_file() -> None:
    """Books without an entry export too."""
    said = f"; acquit ledger export, chain head {'f' * 64} as kept when it began\n"
    reported = "; nothing was verified for it: `acquit ledger verify` recomputes the chain"
    assert await written([]) == f"{said}{reported}\n"


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("owed/L1/2/interest", "owed:L1:2:interest"),
        ("rail_fees/a:b", "rail_fees:a%3Ab"),
        ("suspense/line/x  y;z", "suspense:line:x%20%20y%3Bz"),
        ("bank//x", "bank:%:x"),
        ("suspense/line/a\nb\t\x1b%", "suspense:line:a%0Ab%09%1B%25"),
        ("suspense/line/a\u2028\u00a0b", "suspense:line:a%E2%80%A8%C2%A0b"),
    ],
)
def test_account_names_survive_what_hledger_reads_as_syntax(account: str, name: str) -> None:
    """Colons divide, two spaces end, a semicolon begins a remark."""
    assert account_name(account) == name


async def test_csv_has_one_row_for_each_posting_and_no_formulas() -> None:
    """A spreadsheet gets text where text is, and exact amounts in both forms."""
    items = [*walked(), posting(99, "bank/x", 5, line="=1+1"), posting(99, "bank/y", -5)]
    text = "".join([piece async for piece in journal_csv(streamed(items))])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(items)
    assert rows[-2]["line"] == "'=1+1"
    assert [int(row["minor"]) for row in rows] == [item.minor for item in items]
    assert rows[0]["amount"] == "100.00"
    assert [row["place"] for row in rows] == [item.place or "" for item in items]
    assert [row["party"] for row in rows] == [item.party or "" for item in items]
    assert {(row["posted_on"], row["ledger"]) for row in rows[-2:]} == {("2026-03-10", "main")}


HOSTILE = "T-77\r\n2026-01-01 forged  ; x:y\n    bank:x  1.00 CNY\u2028\x1b[2J"


async def test_a_line_break_in_a_reference_forges_no_line() -> None:
    """Books that hold one from before export to as many lines as without it."""
    good = [posting(1, "bank/x", 5, line="T-77"), posting(1, "bank/y", -5)]
    bad = [posting(1, "bank/x", 5, line=HOSTILE), posting(1, f"bank/{HOSTILE}", -5)]
    text = await written(bad)
    assert len(text.splitlines()) == len((await written(good)).splitlines())
    assert all(is_plain(line) for line in text.splitlines())
    rows = "".join([piece async for piece in journal_csv(streamed(bad))]).splitlines()
    assert len(rows) == 3
    assert all(is_plain(row) for row in rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\t", "\r", " =", "\uff1d"])
async def test_no_cell_is_a_formula(start: str) -> None:
    """Whatever a spreadsheet would work out, or strip to something that it would, is text."""
    items = [posting(1, "bank/x", 5, line=f"{start}1+1"), posting(1, "bank/y", -5)]
    text = "".join([piece async for piece in journal_csv(streamed(items))])
    (row, _) = csv.DictReader(io.StringIO(text))
    assert row["line"].startswith("'")
