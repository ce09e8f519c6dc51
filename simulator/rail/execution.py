"""What a rail does with accepted orders: execute, execute once more, take back."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Any

from simulator.bank.accounts import Booking, book
from simulator.clock import HOUR, SECOND, at, day_of, iso
from simulator.codes import RETURN_REASONS, TEXTS
from simulator.dice import between, chance, pick, token
from simulator.rail.mandates import find
from simulator.rail.webhooks import emit
from simulator.world import World


def execute(world: World, ref: str, now: int) -> None:
    """Bring a pending order to its final outcome: mandate and cap are looked at on this day."""
    order = _order(world, ref)
    if order["status"] != "PENDING":
        return
    against = _objection(world, order, now)
    if against is not None:
        finish(world, ref, against, "DECLINED", now)
    elif order["plan_minor"] == 0:
        finish(world, ref, order["plan_code"], "DECLINED", now)
    else:
        _debit(world, order, 1, now)
        whole = order["plan_minor"] == order["amount_minor"]
        finish(world, ref, order["plan_code"], "SUCCESS" if whole else "PARTIAL", now)
        if order["again_ms"] and world.rates.twice:
            world.db.schedule(now + order["again_ms"], "again", ref)


def execute_again(world: World, ref: str, now: int) -> None:
    """Take the money a second time without being asked; the order's answer does not show it."""
    _debit(world, _order(world, ref), 2, now)


def finish(world: World, ref: str, code: str, status: str, now: int) -> None:
    """Write the final outcome and queue order.finished."""
    world.db.run("UPDATE orders SET code = ?, status = ? WHERE ref = ?", code, status, ref)
    row = _order(world, ref)
    executed_at = None if row["executed_ms"] is None else iso(row["executed_ms"])
    order: dict[str, Any] = {name: row[name] for name in ("order_no", "code")}
    order |= {"text": TEXTS[code], "status": status, "executed_at": executed_at}
    for name in ("amount_minor", "executed_minor", "bank_ref", "batch_ref"):
        order[name] = row[name]
    body = {"type": "order.finished", "order": order}
    emit(world, row["rail"], ref, row["order_no"], body, now)


def _order(world: World, ref: str) -> sqlite3.Row:
    row = world.db.one("SELECT * FROM orders WHERE ref = ?", ref)
    if row is None:
        msg = f"no order {ref}"
        raise LookupError(msg)
    return row


def _objection(world: World, order: sqlite3.Row, now: int) -> str | None:
    mandate = find(world, order["rail"], order["mandate_ref"])
    today = day_of(now).isoformat()
    if mandate is None or mandate["status"] != "ACTIVE" or mandate["valid_from"] > today:
        return "77"
    if mandate["valid_to"] is not None and mandate["valid_to"] < today:
        return "77"
    if mandate["currency"] != order["currency"]:
        return "77"
    if mandate["cap_minor"] is not None and order["amount_minor"] > mandate["cap_minor"]:
        return "33"
    return None


def _debit(world: World, order: sqlite3.Row, nth: int, now: int) -> None:
    amount, order_no, today = order["plan_minor"], order["order_no"], day_of(now)
    bank_ref = "BK" + token(world.seed, order["ref"], "execution", nth)
    world.db.insert(
        "executions",
        {"bank_ref": bank_ref, "order_ref": order["ref"], "amount_minor": amount}
        | {"executed_ms": now, "value_on": today.isoformat()},
    )
    same_day = chance(world.profile.same_day, world.seed, order_no, "same day")
    wanted = today if same_day else world.days.after(today, 1)
    booking = Booking(
        *("debit", amount, bank_ref, order["rail"], order_no, order["mandate_ref"], None),
        order["purpose"],
    )
    batch = book(world, order["account"], wanted, booking)
    if nth == 1:
        world.db.run(
            "UPDATE orders SET executed_minor = ?, bank_ref = ?, executed_ms = ?, batch_ref = ?"
            " WHERE ref = ?",
            amount,
            bank_ref,
            now,
            batch,
            order["ref"],
        )
    if chance(world.rates.returned, world.seed, bank_ref, "returned"):
        _plan_return(world, bank_ref, today)


def _plan_return(world: World, bank_ref: str, executed_on: date) -> None:
    """Plan a return, usually one or two banking days later, sometimes much later."""
    spans = (((1, 2), 60), ((3, 5), 25), ((6, 12), 15))
    low, high = pick(spans, world.seed, bank_ref, "return span")
    day = world.days.after(executed_on, between(low, high, world.seed, bank_ref, "return after"))
    moment = 9 * HOUR + SECOND * between(0, 6 * 3600, world.seed, bank_ref, "return at")
    world.db.schedule(at(day, moment), "return", bank_ref)


def take_back(world: World, bank_ref: str, now: int) -> None:
    """Return an execution: two movements (amount and fee), one webhook order.returned."""
    done = world.db.one("SELECT * FROM executions WHERE bank_ref = ?", bank_ref)
    if done is None:
        return
    order = _order(world, done["order_ref"])
    reason = pick(RETURN_REASONS, world.seed, bank_ref, "return reason")
    free = chance(world.profile.fee_free, world.seed, bank_ref, "fee free")
    fee = 0 if free else between(1, 5, world.seed, bank_ref, "fee") * 100
    subject = (order["rail"], order["order_no"], order["mandate_ref"])
    common = (bank_ref, *subject, reason, "returned debit")
    book(world, order["account"], day_of(now), Booking("return", -done["amount_minor"], *common))
    if fee:
        book(world, order["account"], day_of(now), Booking("fee", -fee, *common))
    body = {
        "type": "order.returned",
        "order_no": order["order_no"],
        "bank_ref": bank_ref,
        "amount_minor": done["amount_minor"],
        "fee_minor": fee,
        "reason": reason,
        "returned_on": day_of(now).isoformat(),
    }
    emit(world, order["rail"], bank_ref, order["order_no"], body, now)
