"""`acquit payouts`, `payout` and `remit`: people see what goes out, and approve or stop it."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from domain.statement.statement import LineItem, StatementLine
from tests.cli.test_cli import Acquit, acquit
from tests.support.booksbench import StillClock
from tests.support.doors import BookLine, RecordPayment, RequestPayout, RollDay
from tests.support.memory import RAIL, TESTER, board
from tests.support.memory import schedule as planned
from tests.support.payouts import PAYEE, K, Paying, policy, pooled

__all__ = ["acquit"]  # a fixture
DAY = date(2026, 3, 10)
KEY = f"funder-1/CNY/{K}/20260310/1"
WHO = ("--actor", "ops-7", "--approver", "ops-9", "--reason", "checked")
PAYEES = """
[payees.funder-1]
beneficiary = "acct-1"
channel = "simbank"
calendar = "CN"
timezone = "Asia/Shanghai"
cut_off = 16:00:00
"""


@pytest.fixture
def home(acquit: Acquit, tmp_path: Path) -> Path:
    """Books with a payout of 90.00 that waits for two people."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    [file] = home.glob("*.db")
    asyncio.run(_fill(f"sqlite:///{file}"))
    return home


async def _fill(url: str) -> None:
    mine = replace(PAYEE, channel="simbank", approve_within_minor=0)
    rules = replace(Paying.of().books.rules, channels={"simbank": RAIL}, remittance=policy(mine))
    line = StatementLine(
        f"{K}/1", K, DAY, DAY, 10000, "CNY", None, items=(LineItem("T", None, None, 10000),)
    )
    engine = books_engine(url)
    async with SqlBooks(engine, StillClock(datetime(2026, 3, 10, 2, tzinfo=UTC)), rules) as books:
        who = {"actor": TESTER, "reason": "a test"}
        await books.apply(board("L1", pooled(), planned(((10000, 0),))))
        await books.apply(RollDay(id="roll", loan_id="L1", day=DAY, **who))  # type: ignore[arg-type]
        paid = {"loan_id": "L1", "number": 1, "reference": "T", "currency": "CNY"}
        await books.apply(RecordPayment(id="pay", amount_minor=10000, value_on=DAY, **paid, **who))  # type: ignore[arg-type]
        await books.apply(BookLine(id="line", statement_id="S", line=line, **who))  # type: ignore[arg-type]
        asked = {"payee": "funder-1", "currency": "CNY", "account": K, "cut_off_on": DAY}
        await books.apply(RequestPayout(id="ask", **asked, **who))  # type: ignore[arg-type]
    await engine.dispose()


def test_a_payout_is_listed_shown_and_approved_by_two_people(acquit: Acquit, home: Path) -> None:
    """What waits, what it pays, who approved it; one person is refused by name."""
    [row] = json.loads(acquit("payouts", "--needs-operator", "--json", home=home).stdout)["payouts"]
    assert (row["key"], row["amount"], row["state"]) == (KEY, "90.00", "REQUESTED")
    assert row["waits"] == "approval"
    items = json.loads(acquit("payout", KEY, "--items", "--json", home=home).stdout)
    assert [(item["loan"], item["amount"]) for item in items["items"]] == [("L1", "90.00")]
    alone = acquit("payout", "approve", KEY, "--actor", "ops-7", "--reason", "x", home=home)
    assert (alone.returncode, "payout.approver" in alone.stderr) == (1, True)
    done = acquit("payout", "approve", KEY, *WHO, home=home)
    assert (done.returncode, f"{KEY} is APPROVED" in done.stdout) == (0, True), done.stderr
    shown = acquit("payout", KEY, home=home).stdout
    for part in ("APPROVED, 90.00 CNY to funder-1", "a payout is requested", "is approved"):
        assert part in shown
    assert KEY in acquit("payouts", "--state", "APPROVED", home=home).stdout
    cancelled = acquit("payout", "cancel", KEY, *WHO, home=home)
    assert f"{KEY} is CANCELLED" in cancelled.stdout
    assert json.loads(acquit("ledger", "verify", "--json", home=home).stdout)["chain_ok"] is True


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("payout", "pay", KEY), 2, "one of approve, refuse, cancel, settle"),
        (("payout", "approve"), 2, "KEY"),
        (("payout", "none"), 2, "the key of a payout"),
        (("payout", "none", "--items"), 2, "the key of a payout"),
        (("payout", KEY, "--items", "--after", "x"), 2, "what the page before ended with"),
        (("payout", "settle", KEY, "became=paid", *WHO), 2, "became"),
        (("payout", "settle", KEY, "became=executed", *WHO), 1, "payout.state"),
        (("payouts", "--state", "GONE"), 2, "one of REQUESTED"),
        (("remit",), 2, "a policy of payees"),
        (("remit", "--as-of", "today"), 2, "a day such as"),
    ],
)
def test_what_cannot_be_done_says_why(
    acquit: Acquit, home: Path, words: tuple[str, ...], code: int, named: str
) -> None:
    """A word that nobody knows, a payout that is not there, an order that the rules refuse."""
    answer = acquit(*words, home=home)
    assert (answer.returncode, named in answer.stderr) == (code, True), answer.stderr


def test_a_sweep_by_hand_requests_what_is_open(
    acquit: Acquit, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is open any more but what a cancelled payout has let go: it is requested anew."""
    file = tmp_path / "payees.toml"
    file.write_text(PAYEES, encoding="utf-8")
    monkeypatch.setenv("ACQUIT_PAYEES", str(file))
    assert json.loads(acquit("remit", "--json", home=home).stdout)["requested"] == 0
    assert acquit("payout", "cancel", KEY, *WHO, home=home).returncode == 0
    answer = acquit("remit", "--json", home=home)
    assert json.loads(answer.stdout) == {
        "set_off": 0,
        "requested": 0,
        "refunds": 0,
        "refused": 1,
        "failed": 0,
    }
    assert answer.returncode == 1, "the account is not registered in these settings"
