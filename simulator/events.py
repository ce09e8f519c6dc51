"""Everything that can fall due, at the bank and at the rails, and the end of all faults."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.bank.payouts import bounce
from simulator.bank.payouts import execute as execute_payout
from simulator.bank.statements import end_day
from simulator.bureau import record
from simulator.clock import day_of, next_service
from simulator.rail.execution import execute, execute_again, take_back
from simulator.rail.webhooks import NOISE
from simulator.timeline import catch_up
from simulator.world import Happening, World


def published(world: World, _statement_id: str, _due: int) -> None:
    """Wake whoever waits for a statement that can be fetched from now on."""
    world.wake.set()


EVENTS: Mapping[str, Happening] = {
    "execute": execute,
    "again": execute_again,
    "return": take_back,
    "payout": execute_payout,
    "bounce": bounce,
    "report": record,
    "day_end": end_day,
    "published": published,
}
"""What makes an event happen, by its kind."""


def calm(world: World) -> None:
    """End every fault: what hangs is resolved, what is withheld is handed out, noise is dropped."""
    with world.db.tx():
        now = catch_up(world)
        world.calm_down()
        world.db.run("DELETE FROM events WHERE kind = 'again'")
        _resolve_hanging(world, now)
        _hand_out(world, now)
        marks = ", ".join("?" for _ in NOISE)
        world.db.run(
            f"DELETE FROM webhooks WHERE state = 'queued' AND flavour IN ({marks})",  # noqa: S608
            *NOISE,
        )
        world.db.run("UPDATE webhooks SET due_ms = MIN(due_ms, ?) WHERE state = 'queued'", now)
        catch_up(world)
        world.wake.set()


def _resolve_hanging(world: World, now: int) -> None:
    """Bring forward orders that were to be decided later, unless their own day has not come."""
    rows = world.db.all(
        "SELECT ref FROM orders WHERE status = 'PENDING' AND value_on <= ?", day_of(now).isoformat()
    )
    for row in rows:
        world.db.run("DELETE FROM events WHERE kind = 'execute' AND ref = ?", row["ref"])
        world.db.schedule(next_service(now), "execute", row["ref"])


def _hand_out(world: World, now: int) -> None:
    world.db.run("DELETE FROM events WHERE kind = 'published'")
    world.db.run(
        "UPDATE statements SET available_ms = ? WHERE available_ms > ? AND copy_of IS NULL",
        now,
        now,
    )
    world.db.run("DELETE FROM statements WHERE available_ms > ?", now)
