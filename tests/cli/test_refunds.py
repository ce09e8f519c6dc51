"""`acquit refunds` and `acquit refund`: a duplicate is requested, approved, and followed."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from domain.statement.statement import LineItem, StatementLine
from tests.cli.test_cli import Acquit, acquit
from tests.support.booksbench import StillClock
from tests.support.doors import BookLine, RecordPayment, RollDay
from tests.support.memory import RAIL, TESTER, board
from tests.support.memory import schedule as planned
from tests.support.payouts import REFUNDS, K, Paying, policy, sole

__all__ = ["acquit"]  # a fixture
DAY = date(2026, 3, 10)
WHO = ("--actor", "ops-7", "--reason", "paid twice")
PAYEES = """
[refunds]
channel = "simbank"
calendar = "CN"
timezone = "Asia/Shanghai"
"""


@pytest.fixture
def home(acquit: Acquit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Books with a loan that was paid twice, by P1 and P2."""
    home, file = tmp_path / "home", tmp_path / "payees.toml"
    file.write_text(PAYEES, encoding="utf-8")
    registry = tmp_path / "accounts.toml"
    registry.write_text(ACCOUNTS, encoding="utf-8")
    monkeypatch.setenv("ACQUIT_PAYEES", str(file))
    monkeypatch.setenv("ACQUIT_ACCOUNTS", str(registry))
    acquit("db", "upgrade", home=home)
    [books] = home.glob("*.db")
    asyncio.run(_fill(f"sqlite:///{books}"))
    return home


ACCOUNTS = f"""
[accounts.{K}]
owner = "platform"
purpose = "collection"
currency = "CNY"
rails = ["simbank"]
may_pay_from = true
"""


async def _fill(url: str) -> None:
    mine = policy(refunds=replace(REFUNDS, channel="simbank"))
    rules = Paying.of().books.rules
    calendars = {**rules.calendars, "CN": rules.calendars["PLAIN"]}
    rules = replace(rules, channels={"simbank": RAIL}, remittance=mine, calendars=calendars)
    engine = books_engine(url)
    async with SqlBooks(engine, StillClock(datetime(2026, 3, 10, 2, tzinfo=UTC)), rules) as books:
        who = {"actor": TESTER, "reason": "a test"}
        await books.apply(
            board("L1", replace(sole("funder-1"), calendar="CN"), planned(((10000, 0),)))
        )
        await books.apply(RollDay(id="roll", loan_id="L1", day=DAY, **who))  # type: ignore[arg-type]
        for ref, day in (("T1", DAY - timedelta(days=1)), ("T2", DAY)):
            paid = {"loan_id": "L1", "number": 1, "reference": ref, "currency": "CNY"}
            await books.apply(
                RecordPayment(id=ref, amount_minor=10000, value_on=day, **paid, **who)  # type: ignore[arg-type]
            )
            item = LineItem(ref, None, None, 10000)
            line = StatementLine(f"{K}/{ref}", K, DAY, DAY, 10000, "CNY", None, items=(item,))
            await books.apply(BookLine(id=f"l{ref}", statement_id="S", line=line, **who))  # type: ignore[arg-type]
    await engine.dispose()


def test_a_refund_is_requested_approved_and_followed(acquit: Acquit, home: Path) -> None:
    """One person requests it, two others approve it, and its status is what the payer is told."""
    [case] = json.loads(acquit("cases", "--json", home=home).stdout)["cases"]
    payment = case["payment"]
    asked = acquit("refund", payment, "--request", *WHO, home=home)
    assert (asked.returncode, "REQUESTED" in asked.stdout) == (0, True), asked.stderr
    [row] = json.loads(acquit("refund", payment, "--json", home=home).stdout)["refunds"]
    assert (row["status"], row["amount"], row["payment"]) == ("requested", "100.00", payment)
    again = acquit("refund", payment, "--request", *WHO, home=home)
    assert (again.returncode, "refund.nothing" in again.stderr) == (1, True)
    own = acquit("payout", "approve", row["key"], *WHO, "--approver", "ops-8", home=home)
    assert (own.returncode, "payout.requester" in own.stderr) == (1, True)
    two = ("--actor", "ops-8", "--approver", "ops-9", "--reason", "checked")
    done = acquit("payout", "approve", row["key"], *two, home=home)
    assert done.returncode == 0, done.stderr
    shown = acquit("payout", row["key"], home=home).stdout
    assert f"refund of payment {payment}, prepared" in shown
    assert "prepared" in acquit("refunds", home=home).stdout
    assert json.loads(acquit("payouts", "--json", home=home).stdout)["payouts"]


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("refund", "P-NONE"), 2, "a payment that was refunded"),
        (("refund", "P-NONE", "--request", *WHO), 1, "refund.payment"),
        (("refund", "P-NONE", "--request"), 2, "actor"),
        (("refund", "P-NONE", "--request", *WHO, "--beneficiary", "an account"), 2, "letters"),
    ],
)
def test_what_cannot_be_done_says_why(
    acquit: Acquit, home: Path, words: tuple[str, ...], code: int, named: str
) -> None:
    """A payment that nobody knows, an order without a name, and an account that is no token."""
    answer = acquit(*words, home=home)
    assert (answer.returncode, named in answer.stderr) == (code, True), answer.stderr
