"""Webhooks: signed, tried again within bounds, and the noise that a hostile bank adds."""

from __future__ import annotations

from collections import Counter

from tests.simulator.conftest import Starter
from tests.simulator.driver import API, Bank, until
from tests.simulator.receiver import Receiver


async def test_a_refused_webhook_is_tried_again_on_the_simulators_clock(
    start: Starter, receiver: Receiver
) -> None:
    """While the receiver answers 500 nothing is lost; a retry carries the same Webhook-Id.

    Retries follow the simulator's clock, not the wall.
    """
    bank = await start(hooks=receiver.url, seed=3)
    await bank.to_hour(10)
    receiver.status = 500
    await bank.sign_up("md-again")
    await bank.debit("again-1", "md-again")
    await bank.go_on(seconds=2)

    async def came(times: int) -> bool:
        return len(receiver.about("again-1")) >= times

    await until(lambda: came(1))
    await bank.quiet()
    assert (await bank.http.get("/control/next")).json()["next"] is not None
    receiver.status = 200
    await bank.go_on(minutes=1)
    await until(lambda: came(2))
    await bank.quiet()
    await bank.go_on(days=3)
    await bank.quiet()
    ids = [message.headers["webhook-id"] for message in receiver.about("again-1")]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_hostile_noise_can_be_distinguished_from_reports(
    start: Starter, receiver: Receiver
) -> None:
    """Forged ones fail the signature, stale ones carry an old stamp, duplicates the same id.

    Strangers carry an order number that nobody sent, and some news never comes.
    """
    bank = await start(hooks=receiver.url, profile="hostile", seed=9)
    await bank.to_hour(10)
    for n in range(150):
        await bank.sign_up(f"md-{n}")
        await bank.debit(f"noise-{n}", f"md-{n}")
    await bank.go_on(days=4)
    jumped = bank.now().timestamp()
    await bank.quiet()
    rows = (await bank.truth())["webhooks"]
    assert {row["flavour"] for row in rows} == {
        "real", "lost", "duplicate", "forged", "stale", "unknown",
    }  # fmt: skip
    assert {row["state"] for row in rows} == {"delivered", "lost"}
    sent = [m for m in receiver.messages if "noise-" in m.raw.decode() or b'"U' in m.raw]
    forged = [m for m in sent if not m.genuine]
    assert len(forged) == sum(row["flavour"] == "forged" for row in rows)
    stale = [m for m in sent if 80_000 < jumped - int(m.headers["webhook-timestamp"]) < 90_000]
    assert len(stale) == sum(row["flavour"] == "stale" for row in rows)
    known = {row["order_no"] for row in (await bank.truth())["orders"]}
    strangers = [row for row in rows if row["flavour"] == "unknown"]
    assert not {row["order_no"] for row in strangers} & known
    repeats = Counter(m.headers["webhook-id"] for m in sent if m.genuine)
    assert max(repeats.values()) > 1


async def test_a_return_is_reported_with_amount_fee_and_reason(
    start: Starter, receiver: Receiver
) -> None:
    """order.returned names the execution; its amount and fee are the two movements of the truth."""
    bank = await start(hooks=receiver.url, profile="hostile", seed=12)
    await bank.to_hour(10)
    for n in range(120):
        await bank.sign_up(f"md-{n}")
        await bank.debit(f"ret-{n}", f"md-{n}", 5_000 + n)
    await bank.go_on(days=30)
    await bank.quiet()
    moves = (await bank.truth())["movements"]
    reported = {
        m.body["bank_ref"]: m.body
        for m in receiver.messages
        if m.body["type"] == "order.returned" and m.genuine and m.body["order_no"][:4] == "ret-"
    }
    assert reported
    for ref, body in reported.items():
        kinds = {r["kind"]: r["amount_minor"] for r in moves if r["bank_ref"] == ref}
        assert kinds["debit"] == body["amount_minor"] == -kinds["return"]
        assert -kinds.get("fee", 0) == body["fee_minor"]
        assert body["reason"] in {"AM04", "MD06", "MS03", "AC06"}


async def test_a_debit_without_a_living_mandate_is_declined_77(bank: Bank) -> None:
    """Unknown, ended, foreign-currency and expired mandates decline; a cap declines with 33."""
    await bank.to_hour(10)
    assert (await bank.debit("nomd-1", "md-nobody"))["code"] == "77"
    await bank.sign_up("md-ended")
    ended = await bank.insist("DELETE", f"{API}/mandates/md-ended")
    assert ended["status"] == "ENDED"
    assert (await bank.sign_up("md-ended"))["status"] == "ENDED"
    assert (await bank.debit("nomd-2", "md-ended"))["code"] == "77"
    await bank.sign_up("md-old", valid_to="2020-02-01")
    assert (await bank.debit("nomd-3", "md-old"))["code"] == "77"
    await bank.sign_up("md-cap", cap_minor=500)
    assert (await bank.debit("nomd-4", "md-cap", 501))["code"] == "33"
    assert (await bank.insist("GET", f"{API}/mandates/md-cap"))["cap_minor"] == 500
