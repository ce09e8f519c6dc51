"""Whole runs: determinism, a kill, calm, and the cost of a year."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta
from typing import Any

from tests.simulator.conftest import Starter
from tests.simulator.driver import API, Bank

TIMES = {"received_at", "executed_at"}


async def _drive(bank: Bank, numbers: list[int], *, at_once: bool) -> dict[str, Any]:
    """Sign up, debit in the given order, let three weeks pass; return the truth without times."""
    await bank.to_hour(10)
    jobs = [_one(bank, n) for n in numbers]
    if at_once:
        await asyncio.gather(*jobs)
    else:
        for job in jobs:
            await job
    await bank.go_on(days=21)
    truth = await bank.truth()
    orders = [
        {name: value for name, value in row.items() if name not in TIMES}
        | {"executions": [e | {"executed_at": ""} for e in row["executions"]]}
        for row in truth["orders"]
    ]
    hooks = [
        {name: row[name] for name in ("webhook_id", "flavour", "order_no", "type")}
        for row in truth["webhooks"]
    ]
    return {"orders": orders, "movements": truth["movements"], "webhooks": hooks}


async def _one(bank: Bank, n: int) -> None:
    await bank.sign_up(f"md-{n}")
    await bank.debit(f"o-{n}", f"md-{n}", 10_000 + n)


async def test_the_same_seed_gives_the_same_run_whatever_the_order_of_arrival(
    start: Starter,
) -> None:
    """Sent one by one, or shuffled and at once: the same fate; another seed, another world."""
    numbers = list(range(60))
    mixed = random.Random(3).sample(numbers, len(numbers))
    one = await _drive(await start(folder="a", profile="hostile"), numbers, at_once=False)
    two = await _drive(await start(folder="b", profile="hostile"), mixed, at_once=True)
    three = await _drive(await start(folder="c", profile="hostile", seed=8), numbers, at_once=False)
    assert one == two
    assert one["orders"] != three["orders"]
    assert {row["code"] for row in one["orders"]} > {"00", "64"}


async def test_a_kill_loses_nothing_that_was_answered(start: Starter) -> None:
    """After kill -9 and a restart on the same file: same truth, same clock, same answers."""
    bank = await start(profile="rough")
    await bank.to_hour(10)
    for n in range(10):
        await bank.sign_up(f"md-{n}")
        await bank.debit(f"o-{n}", f"md-{n}")
    await bank.go_on(days=3)
    before, clock = await bank.truth(), (await bank.http.get("/control/next")).json()
    await bank.kill()
    again = await start(profile="rough")
    again.offset = bank.offset
    after = await again.truth()
    for table in ("orders", "movements", "statements", "notices"):
        assert after[table] == before[table]
    now = (await again.http.get("/control/next")).json()
    assert now["next"] == clock["next"]
    assert now["now"] >= clock["now"]
    assert (await again.debit("o-1", "md-1"))["order_no"] == "o-1"
    assert len((await again.truth())["orders"]) == 10


async def test_a_database_of_another_seed_is_refused(start: Starter) -> None:
    """A run taken up with another seed would be neither run: the program says so and ends."""
    bank = await start(seed=1)
    await bank.stop()
    try:
        await start(seed=2)
    except RuntimeError:
        return
    raise AssertionError("the program started")


async def test_the_clock_never_goes_back(bank: Bank) -> None:
    """A smaller offset is refused with 409 and changes nothing."""
    await bank.go_on(hours=1)
    answer = await bank.http.post("/control/clock", json={"offset_s": bank.offset - 60})
    assert answer.status_code == 409
    assert (await bank.inquire("nobody"))["code"] == "34"


async def test_calm_ends_every_fault(start: Starter) -> None:
    """After calm calls are answered at once, orders have outcomes, statements are available."""
    bank = await start(profile="hostile", seed=5)
    for day in range(3):
        await bank.to_hour(10)
        for n in range(30):
            await bank.sign_up(f"md-{day}-{n}")
            await bank.debit(f"o-{day}-{n}", f"md-{day}-{n}")
    await bank.go_on(days=1)
    await bank.to_hour(11)
    for n in range(30):
        await bank.debit(f"o-3-{n}", f"md-2-{n}")
    assert any(row["final_status"] is None for row in (await bank.truth())["orders"])
    await bank.http.post("/control/calm", json={})
    truth = await bank.truth()
    assert all(row["final_status"] is not None for row in truth["orders"])
    now = (await bank.http.get("/control/next")).json()["now"]
    assert all(row["available_at"] <= now for row in truth["statements"])
    for n in range(30):
        answer = await bank.call("GET", f"{API}/orders/o-1-{n}")
        assert answer.status_code == 200
        assert answer.json()["status"] in {"SUCCESS", "PARTIAL", "DECLINED"}
        await bank.sign_up(f"md-after-{n}")
        posted = await bank.call("POST", f"{API}/orders", bank.order(f"after-{n}", f"md-after-{n}"))
        assert posted.json()["status"] in {"SUCCESS", "DECLINED"}
        assert posted.json()["amount_minor"] == 10_000
    await bank.go_on(days=30)
    for row in (await bank.truth())["orders"]:
        if row["order_no"].startswith("after"):
            assert len(row["executions"]) == (row["final_status"] == "SUCCESS")


async def test_retries_for_want_of_funds_recover_about_seventy_percent(start: Starter) -> None:
    """Three later orders on a mandate that lacked funds succeed in 55 to 85 of a hundred cases."""
    bank = await start(profile="hostile", seed=21)
    await bank.to_hour(10)
    for n in range(500):
        await bank.sign_up(f"md-{n}")
        await bank.debit(f"o-{n}", f"md-{n}")
    await bank.go_on(days=3)
    codes = {row["order_no"]: row["code"] for row in (await bank.truth())["orders"]}
    poor = [n for n in range(500) if codes.get(f"o-{n}") in {"64", "90"}]
    first = len(poor)
    assert 35 <= first <= 90
    for attempt in range(3):
        await bank.to_hour(10)
        for n in poor:
            await bank.debit(f"o-{n}-{attempt}", f"md-{n}")
        await bank.go_on(days=3)
        codes = {row["order_no"]: row["code"] for row in (await bank.truth())["orders"]}
        poor = [n for n in poor if codes.get(f"o-{n}-{attempt}", "64") in {"64", "90"}]
    assert 0.55 <= 1 - len(poor) / first <= 0.85


async def test_a_year_with_six_hundred_orders_passes_in_seconds(start: Starter) -> None:
    """The clock costs what happens, not how long: 260 day ends and 600 orders in 5 seconds."""
    bank = await start(profile="rough")
    await bank.to_hour(10)
    start_day = bank.now()
    for n in range(600):
        if n < 50:
            await bank.sign_up(f"md-{n}")
        day = (start_day + timedelta(days=1 + n % 300)).date().isoformat()
        await bank.debit(f"y-{n}", f"md-{n % 50}", value_on=day)
    began = time.monotonic()
    await bank.go_on(days=366)
    took = time.monotonic() - began
    truth = await bank.truth()
    assert all(row["final_status"] for row in truth["orders"])
    assert len(truth["orders"]) == 600
    assert took < 5
