"""Makes everything that is due happen, each thing at its own instant."""

from __future__ import annotations

from typing import Any

from simulator.clock import day_of, iso, next_service
from simulator.execution import execute, execute_again, take_back
from simulator.statements import end_day
from simulator.webhooks import NOISE
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
            _happen(world, kind, ref, due)


def _happen(world: World, kind: str, ref: str, due: int) -> None:
    match kind:
        case "execute":
            execute(world, ref, due)
        case "again":
            execute_again(world, ref, due)
        case "return":
            take_back(world, ref, due)
        case "day_end":
            end_day(world, ref, due)
        case "published":
            world.wake.set()
        case _:
            msg = f"an event of unknown kind {kind}"
            raise AssertionError(msg)


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
