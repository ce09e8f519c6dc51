"""Two rails of one bank: orders, mandates and logs apart, money on the same account."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from simulator.railfile import read_rails
from simulator.store import Store
from tests.simulator.conftest import Starter
from tests.simulator.driver import RAIL, SECOND, SECOND_SECRET, SECRET, Bank, until
from tests.simulator.receiver import Receiver
from tests.simulator.test_statements import ACCOUNT, NS

RAILS = (RAIL, SECOND)


async def _paid(bank: Bank, number: str) -> None:
    """Debit 100.00 over each rail under the same number and mandate."""
    for rail in RAILS:
        await bank.sign_up(f"md-{number}", rail=rail)
        answer = await bank.debit(number, f"md-{number}", rail=rail)
        assert answer["code"] == "00", answer


async def test_one_number_at_two_rails_is_two_orders(bank: Bank) -> None:
    """Each rail takes the number once, and its own log holds its own order and nothing else."""
    await bank.to_hour(10)
    await _paid(bank, "both")
    logs = {rail: await bank.truth(f"/rails/{rail}") for rail in RAILS}
    orders = {
        rail: [row for row in log["orders"] if row["order_no"] == "both"]
        for rail, log in logs.items()
    }
    assert {rail: [row["rail"] for row in rows] for rail, rows in orders.items()} == {
        rail: [rail] for rail in RAILS
    }
    refs = {done["bank_ref"] for rows in orders.values() for done in rows[0]["executions"]}
    assert len(refs) == len(RAILS)
    assert {"movements", "statements", "notices"} & {*logs[RAIL], *logs[SECOND]} == set()


async def test_a_mandate_is_known_to_the_rail_where_it_was_signed(bank: Bank) -> None:
    """An order over the other rail is declined for want of a mandate."""
    await bank.to_hour(10)
    await bank.sign_up("md-first-only")
    assert (await bank.debit("first-only", "md-first-only", rail=SECOND))["code"] == "77"


async def test_a_secret_opens_its_own_rail_only(bank: Bank) -> None:
    """Either way, and there is no rail of another name; the bank takes any of its customer's."""
    statements = f"/bank/v1/statements?account={ACCOUNT}&from=2000-01-01&to=2000-01-02"
    cases = [
        (f"/rails/{RAIL}/dd/v1/orders/x", SECOND_SECRET, 401),
        (f"/rails/{SECOND}/dd/v1/orders/x", SECRET, 401),
        (f"/rails/{SECOND}/dd/v1/orders/x", SECOND_SECRET, 200),
        ("/rails/nobody/dd/v1/orders/x", SECRET, 401),
        (statements, SECRET, 200),
        (statements, SECOND_SECRET, 200),
        (statements, "a guess", 401),
    ]
    for target, secret, status in cases:
        answer = await bank.call("GET", target, secret=secret)
        assert answer.status_code == status, (target, secret)


async def test_both_rails_settle_on_one_account_and_in_one_statement(start: Starter) -> None:
    """The bank's log has the money of both, with a transfer in and one out; one paper a day."""
    bank = await start(seed=4)
    await bank.to_hour(10)
    await _paid(bank, "same-1")
    for amount in (700, -250):
        sent = await bank.http.post(
            "/bank/control/transfers", json={"account": ACCOUNT, "amount_minor": amount}
        )
        assert sent.is_success
    await bank.go_on(days=5)
    log = await bank.truth("/bank")
    assert set(log) == {"movements", "statements"}
    moved = [(row["kind"], row["rail"], row["amount_minor"]) for row in log["movements"]]
    assert sorted(moved, key=str) == sorted(
        [
            ("debit", RAIL, 10_000),
            ("debit", SECOND, 10_000),
            ("credit", None, 700),
            ("transfer", None, -250),
        ],
        key=str,
    )
    days = [(row["account"], row["date"]) for row in log["statements"]]
    assert len(days) == len(set(days)) > 1
    papers = [await _paper(bank, row["id"]) for row in log["statements"]]
    ends = [node.text for paper in papers for node in paper.iterfind(".//c:EndToEndId", NS)]
    assert ends.count("same-1") == len(RAILS)


async def _paper(bank: Bank, name: str) -> ET.Element:
    answer = await bank.call("GET", f"/bank/v1/statements/{name}")
    assert answer.is_success
    return ET.fromstring(answer.content)


async def test_webhooks_go_to_the_merchant_of_their_own_rail(
    bank: Bank, receiver: Receiver
) -> None:
    """A rail whose address was changed sends there; the other one goes on as before."""
    moved = {"webhook_url": receiver.url + "/of-the-second"}
    changed = await bank.http.post(f"/rails/{SECOND}/control/config", json=moved)
    assert changed.is_success
    await bank.to_hour(10)
    await _paid(bank, "hooks")
    await bank.go_on(seconds=5)

    async def both() -> bool:
        return len(receiver.about("hooks")) == len(RAILS)

    await until(both)
    assert sorted(message.path for message in receiver.about("hooks")) == [
        "/hooks",
        "/hooks/of-the-second",
    ]


async def test_a_transfer_that_cannot_be_is_refused(bank: Bank) -> None:
    """The field is named, nothing is booked; an account that nobody has is 404."""
    good: dict[str, Any] = {"account": ACCOUNT, "amount_minor": 1}
    for wrong in ({"amount_minor": 0}, {"amount_minor": True}, {"account": 7}, {"text": 7}):
        answer = await bank.http.post("/bank/control/transfers", json=good | wrong)
        assert (answer.status_code, next(iter(wrong)) in answer.text) == (400, True)
    answer = await bank.http.post("/bank/control/transfers", json=good | {"account": "nobody's"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "rails: must be tables"),
        ("[rails.Bank]", "rails.Bank: must be a table"),
        ("[rails.a]\ncolor = 'red'", "rails.a.color: no such field"),
        ("[rails.a]\nmerchant_id = 7", "rails.a.merchant_id: must be text"),
        ("[rails.a]\nmerchant_id = 'M'", "rails.a.api_secret: must be given"),
        ("[rails.a]\n[rails.a]", "twice"),
    ],
)
def test_a_faulty_file_of_rails_is_refused_by_field(tmp_path: Path, text: str, said: str) -> None:
    """The program ends with what is wrong, as it does for its other files."""
    path = tmp_path / "rails.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_rails(str(path))


def test_secrets_may_lie_in_files_of_their_own(tmp_path: Path) -> None:
    """Named from the folder of the file that names them, without the end of their line."""
    (tmp_path / "key").write_text("s3cret\n", encoding="utf-8")
    path = tmp_path / "rails.toml"
    path.write_text("[rails.a]\nmerchant_id = 'M'\napi_secret_file = 'key'", encoding="utf-8")
    assert read_rails(str(path)) == {"a": {"merchant_id": "M", "api_secret": "s3cret"}}


def test_a_database_of_another_release_is_refused(tmp_path: Path) -> None:
    """Its tables are others: it says so, and nothing in it is changed."""
    path = str(tmp_path / "sim.db")
    store = Store(path)
    store.run("PRAGMA user_version = 1")
    store.close()
    with pytest.raises(ValueError, match="another release"):
        Store(path)
