"""What simulated rails say was taken on a day, by their own logs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from domain.errors import Unavailable
from sandbox.auditing import truth_of
from sandbox.truthlogs import addresses_of, fetch_logs, kept_log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from domain.audit.threeway import Reported
    from workers.rails import RailEntry


async def reported_by(
    rails: Mapping[str, RailEntry], home: Path, day: date
) -> tuple[Reported, frozenset[str]]:
    """What was taken on a value day, and the rails that say so; rails that ended left a log.

    Raises:
        Unavailable: no simulated rail is known, or one does not answer and left no log.
    """
    addresses = addresses_of(rails)
    try:
        document = await fetch_logs(addresses)
    except Unavailable:
        kept = kept_log(home, addresses)
        if kept is None:
            raise
        document = kept[1]
    found: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for order in truth_of(document).orders:
        for done in order.executions:
            if done.value_on == day:
                found[order.rail, order.order_no, order.currency] += done.amount_minor
    return dict(found), frozenset(addresses)
