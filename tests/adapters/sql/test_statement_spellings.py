"""Statements in any format are booked by one activity into real books, and count once."""

from collections.abc import AsyncIterator
from datetime import date
from itertools import permutations

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError

from activities.statements import StatementActivities
from adapters.sql.write.books import SqlBooks
from adapters.statements.anyfile import StatementFileReader
from adapters.statements.csv_map import CsvMap
from domain.statement.statement import LineItem, Statement, StatementLine
from ports.statements import REFUSALS_MOST
from tests.adapters.sql.test_statement_files import Bank
from tests.adapters.statements import bai2_writer, camt_writer, swift_writer
from tests.support.booksbench import StillClock
from tests.support.memory import RULES

DAY = date(2026, 1, 5)
MAP = {
    "kind": "statement",
    "account": "A",
    "currency": "CNY",
    "columns": {
        "booked_on": "Date",
        "amount": "Amount",
        "reference": "Reference",
        "end_to_end_id": "Order",
        "balance": "Balance",
    },
}
MAPS = [
    CsvMap.model_validate({**MAP, "name": "account"}),
    CsvMap.model_validate(
        {
            **MAP,
            "name": "trades",
            "kind": "report",
            "columns": {"booked_on": "Day", "amount": "Sum"},
        }
    ),
]


@pytest_asyncio.fixture
async def bank(engine: AsyncEngine, clock: StillClock) -> AsyncIterator[Bank]:
    """Give a bank with empty books, whose statements may come in any format."""
    async with SqlBooks(engine, clock, RULES) as books:
        bank = Bank(engine, clock, books)
        bank.activities = StatementActivities(bank.archive, StatementFileReader(MAPS), books)
        yield bank


def line(minor: int, ref: str | None, e2e: str) -> StatementLine:
    item = LineItem(e2e, None, None, minor)
    return StatementLine("", "A", DAY, DAY, minor, "CNY", ref, items=(item,))


LINES = (line(10_100, "SR-1", "E1"), line(-500, None, "E2"), line(700, None, "E3"))
STATEMENT = Statement("S1", "A", "CNY", 7, DAY, 100, 10_400, LINES, period=(DAY, DAY))
ROWS = "Date,Amount,Reference,Order,Balance\r\n2026-01-05,101.00,SR-1,E1,102.00\r\n"
SPELLED = {
    "camt": camt_writer.document(STATEMENT),
    "mt940": swift_writer.message(STATEMENT).encode(),
    "bai2": bai2_writer.document(STATEMENT).encode(),
    "csv": (f"{ROWS}2026-01-05,-5.00,,E2,97.00\r\n2026-01-05,7.00,,E3,104.00\r\n".encode()),
}
ORDERS = [order for order in permutations(sorted(SPELLED)) if order[0] != "csv"][::6]


async def postings(bank: Bank) -> list[tuple[str, int]]:
    """Every posting of the books, in an order of its own."""
    return sorted([(one.account, one.minor) async for one in bank.queries.journal()])


@pytest.mark.parametrize("order", [*ORDERS, ("csv", "mt940", "camt", "bai2")])
async def test_the_same_statement_in_another_format_changes_nothing(
    bank: Bank, order: tuple[str, ...]
) -> None:
    """Whichever comes first is booked; of every other one all lines are known before."""
    first, *others = order
    booked = await bank.send(SPELLED[first])
    assert (booked.lines, booked.known_before) == (3, 0)
    assert await bank.balances() == {"A": 10_300}
    held = await postings(bank)
    assert [minor for account, minor in held if account == "bank/A"] == [-500, 700, 10_100]
    for name in others:
        again = await bank.send(SPELLED[name])
        assert (again.lines, again.known_before) == (3, 3)
    assert await postings(bank) == held
    assert "line_contradiction" not in await bank.cases()


MT942 = (
    b":20:R1\r\n:25:A\r\n:28C:3/1\r\n:34F:CNYC0,\r\n:13D:2601051130+0800\r\n"
    b":61:2601050105C5,00NTRFNONREF//B1\r\n-\r\n"
)
CAMT = camt_writer.document(STATEMENT)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MT942, "report 2026-3 (MT942)"),
        (
            CAMT.replace(b"camt.053", b"camt.052")
            .replace(b"BkToCstmrStmt", b"BkToCstmrAcctRpt")
            .replace(b"Stmt>", b"Rpt>"),
            "report S1 (camt.052.001.08)",
        ),
        (
            CAMT.replace(b"camt.053", b"camt.054")
            .replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn")
            .replace(b"Stmt>", b"Ntfctn>"),
            "notification S1 (camt.054.001.08)",
        ),
        (bai2_writer.document(STATEMENT, modifier="3").encode(), "report BANK-20260105 (BAI2)"),
        (b"Day,Sum\r\n2026-01-05,5.00\r\n", "report trades-20260105 (csv trades)"),
    ],
)
async def test_reports_never_move_the_bank_account(bank: Bank, content: bytes, said: str) -> None:
    """They are refused before a line is booked, and a person sees what came."""
    with pytest.raises(ApplicationError) as refused:
        await bank.send(content)
    assert refused.value.type == "StatementRefused"
    assert refused.value.details[0]["value"] == said
    assert await bank.balances() == {}
    assert await bank.cases() == ["statement_refused"]


async def test_a_file_with_many_faults_is_one_case_that_names_them(bank: Bank) -> None:
    """Up to a limit, each with its line; the case holds all that was found."""
    bad = b":61:2602300105C1,NTRFX\r\n" * 40
    with pytest.raises(ApplicationError) as refused:
        await bank.send(SPELLED["mt940"].replace(b":62F:", bad + b":62F:"))
    assert refused.value.message.count("is refused") == REFUSALS_MOST
    (case,) = (await bank.queries.cases()).items
    assert case.text.count("is refused: a date that exists") == REFUSALS_MOST
    assert await bank.balances() == {}


async def test_a_report_behind_a_statement_in_one_file_keeps_both_back(bank: Bank) -> None:
    """Nothing of such a file is booked: what it is cannot be told."""
    with pytest.raises(ApplicationError):
        await bank.send(SPELLED["mt940"] + MT942)
    assert await bank.balances() == {}


async def test_what_is_shown_of_an_entry_is_booked_with_it(bank: Bank) -> None:
    """The other side, further references and the printed amount travel with the line, unread."""
    shown = b":86:166?00GUT?20EREF+E9?21KREF+K9?30BANKDEFF?31DE77?32Payer\r\n:62F:"
    content = SPELLED["mt940"].replace(b":62F:", b":61:2601050105C0,00NTRFX//SR-9\r\n" + shown)
    booked = await bank.send(content)
    assert (booked.lines, booked.faults) == (4, ())
    again = await bank.send(content + b"\r\n")
    assert (again.lines, again.known_before) == (4, 4)


async def test_pending_entries_are_never_booked(bank: Bank) -> None:
    """Of two entries one is expected only: the other alone is on the account."""
    expected = b":61:260106EC9,99NTRFE9\r\n:62F:"
    booked = await bank.send(SPELLED["mt940"].replace(b":62F:", expected))
    assert (booked.lines, booked.faults) == (3, ())
    assert await bank.balances() == {"A": 10_300}


async def test_a_reversal_of_an_earlier_entry_takes_its_money_back(bank: Bank) -> None:
    """MT940: the credit of yesterday is taken back today by a mark of its own."""
    await bank.send(SPELLED["mt940"])
    back = (
        b":20:X\r\n:25:A\r\n:28C:8/1\r\n:60F:C260105CNY104,00\r\n"
        b":61:2601060106RC101,00NTRFE1//SR-2\r\n:62F:C260106CNY3,00\r\n-\r\n"
    )
    booked = await bank.send(back)
    assert (booked.lines, booked.faults) == (1, ())
    assert await bank.balances() == {"A": 200}
