"""Makes everything that is due happen, each thing at its own instant."""

from __future__ import annotations

from typing import Any

from simulator.clock import iso
from simulator.world import World


class Backwards(ValueError):
    """The clock was asked to go back."""


def catch_up(world: World) -> int:
    """Make happen what is due by now, in order of time; return the present instant."""
    now = world.clock.now()
    with world.db.tx():
        while True:
            row = world.db.one(
                "SELECT due_ms, kind, ref FROM events WHERE due_ms <= ?"
                " ORDER BY due_ms, kind, ref LIMIT 1",
                now,
            )
            if row is None:
                return now
            due, kind, ref = int(row["due_ms"]), str(row["kind"]), str(row["ref"])
            world.db.run(
                "DELETE FROM events WHERE due_ms = ? AND kind = ? AND ref = ?", due, kind, ref
            )
            world.happen[kind](world, ref, due)


def advance(world: World, offset_ms: int) -> int:
    """Set the clock's offset and catch up, in one transaction; return the new now.

    Raises Backwards for an offset smaller than the present one.
    """
    before = world.clock.offset_ms
    if offset_ms < before:
        msg = f"the offset is {before} ms and only grows"
        raise Backwards(msg)
    try:
        with world.db.tx():
            world.clock.offset_ms = offset_ms
            world.db.put("offset_ms", str(offset_ms))
            return catch_up(world)
    except BaseException:
        world.clock.offset_ms = before
        raise


def outlook(world: World) -> dict[str, Any]:
    """Say when something happens next, and how much is due but not done (webhooks on their way)."""
    now = catch_up(world)
    due = world.db.count(
        "SELECT COUNT(*) FROM webhooks WHERE state = 'queued' AND due_ms <= ?", now
    )
    webhook = "SELECT MIN(due_ms) FROM webhooks WHERE state = 'queued' AND due_ms > ?1"
    event = "SELECT MIN(due_ms) AS m FROM events WHERE due_ms > ?1"
    # Ends of days and late statements wait for whoever asks for statements; the rest has news.
    news = f"{event} AND kind NOT IN ('day_end', 'published')"
    either = "SELECT MIN(m) FROM ({} UNION ALL {})"
    ahead = world.db.count(either.format(event, webhook), now)
    reported = world.db.count(either.format(news, webhook), now)
    return {
        "now": iso(now),
        "next": iso(ahead) if ahead else None,
        "next_news": iso(reported) if reported else None,
        "due": due,
    }
