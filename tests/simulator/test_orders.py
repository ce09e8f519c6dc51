"""Direct debit orders over real HTTP."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.simulator.driver import API, Bank, until
from tests.simulator.receiver import Receiver

SHAPE = {
    "order_no", "code", "text", "status", "amount_minor", "executed_minor", "bank_ref",
    "executed_at", "batch_ref",
}  # fmt: skip


async def _good(bank: Bank, stem: str) -> str:
    """Return the number of an order that succeeded."""
    await bank.sign_up(f"md-{stem}")
    for n in range(20):
        answer = await bank.debit(f"{stem}-{n}", f"md-{stem}", 12_345)
        if answer["code"] == "00":
            return f"{stem}-{n}"
    raise AssertionError(answer)


async def test_an_order_is_executed_once_however_often_it_is_posted(bank: Bank) -> None:
    """The bank is idempotent on merchant and order number: a repeat answers the stored state."""
    await bank.to_hour(10)
    number = await _good(bank, "once")
    first = await bank.debit(number, "md-once", 12_345)
    assert set(first) == SHAPE
    assert first == await bank.debit(number, "md-once", 12_345) == await bank.inquire(number)
    assert first["executed_minor"] == first["amount_minor"] == 12_345
    truth = await bank.truth()
    (order,) = [row for row in truth["orders"] if row["order_no"] == number]
    assert order["posts"] >= 3
    assert [done["bank_ref"] for done in order["executions"]] == [first["bank_ref"]]
    moved = [row for row in truth["movements"] if row["order_no"] == number]
    assert [(row["kind"], row["amount_minor"]) for row in moved] == [("debit", 12_345)]


async def test_an_order_number_with_other_content_is_refused(bank: Bank) -> None:
    """Code 12 where the number was used before with another amount; nothing is taken."""
    await bank.to_hour(10)
    number = await _good(bank, "other")
    answer = await bank.debit(number, "md-other", 99)
    assert (answer["code"], answer["status"], answer["executed_minor"]) == ("12", "ERROR", 0)
    assert (await bank.inquire(number))["amount_minor"] == 12_345


async def test_a_wrong_signature_is_refused_before_anything_else(bank: Bank) -> None:
    """Wrong secret, stale stamp, repeated nonce: 401 and code 11, and no trace of the order."""
    await bank.to_hour(10)
    body = bank.order("unsigned", "md-x")
    late = str(int(bank.now().timestamp()) - 400)
    for bad in ({"secret": "guess"}, {"stamp": late}):
        answer = await bank.call("POST", f"{API}/orders", body, **bad)
        assert (answer.status_code, answer.json()["code"]) == (401, "11")
    head = bank.headers("GET", f"{API}/orders/unsigned", b"")
    codes = [
        (await bank.http.get(f"{API}/orders/unsigned", headers=head)).status_code for _ in range(2)
    ]
    assert codes == [200, 401]
    assert (await bank.inquire("unsigned"))["code"] == "34"


async def test_an_unknown_order_is_answered_34_not_an_http_error(bank: Bank) -> None:
    """Not found is a business answer, so that it cannot be confused with a broken call."""
    answer = await bank.inquire("never-seen")
    assert (answer["code"], answer["status"], set(answer)) == ("34", "NOT_FOUND", SHAPE)


async def test_orders_are_taken_in_service_hours_only(bank: Bank) -> None:
    """Outside 07:00 to 22:00 in Shanghai the answer is 39 and nothing is kept."""
    await bank.to_hour(22, 30)
    await bank.sign_up("md-night")
    assert (await bank.debit("night", "md-night"))["code"] == "39"
    assert (await bank.inquire("night"))["code"] == "34"
    await bank.to_hour(7, 5)
    assert (await bank.debit("night", "md-night"))["code"] != "39"


async def test_an_order_for_another_day_waits_and_can_be_cancelled(bank: Bank) -> None:
    """A future value date is accepted (05, PENDING), executed on its day, or cancelled before."""
    await bank.to_hour(10)
    await bank.sign_up("md-later")
    await bank.go_on(hours=24)
    later = bank.today()
    bank_day: dict[str, Any] = {"value_on": _days_on(later, 3)}
    for number in ("later-1", "later-2"):
        answer = await bank.debit(number, "md-later", **bank_day)
        assert answer["status"] == "PENDING"
    cancelled = await bank.insist("POST", f"{API}/orders/later-2/cancel", {"merchant_id": "M-1"})
    assert (cancelled["code"], cancelled["status"]) == ("00", "CANCELLED")
    assert (await bank.inquire("later-1"))["status"] == "PENDING"
    await bank.go_on(days=5)
    done = await bank.inquire("later-1")
    assert done["status"] != "PENDING"
    (truth,) = [row for row in (await bank.truth())["orders"] if row["order_no"] == "later-1"]
    assert {row["value_on"] for row in truth["executions"]} <= {bank_day["value_on"]}
    refused = await bank.insist("POST", f"{API}/orders/later-1/cancel", {"merchant_id": "M-1"})
    assert refused["code"] == "30"
    assert (await bank.inquire("later-2"))["status"] == "CANCELLED"


def _days_on(day: str, count: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=count)).isoformat()


async def test_a_final_outcome_is_reported_by_a_signed_webhook(
    bank: Bank, receiver: Receiver
) -> None:
    """order.finished carries the same order as the answer, under a Standard Webhooks signature."""
    await bank.to_hour(10)
    number = await _good(bank, "hook")
    await bank.go_on(seconds=5)

    async def reported() -> bool:
        return bool(receiver.about(number))

    await until(reported)
    message = receiver.about(number)[0]
    assert message.genuine
    assert message.body == {"type": "order.finished", "order": await bank.inquire(number)}
    assert abs(int(message.headers["webhook-timestamp"]) - bank.now().timestamp()) < 60
