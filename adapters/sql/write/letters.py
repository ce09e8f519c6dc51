"""Dead letters of the outbox that orders name: read under a lock, and written as they become."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select, update

from adapters.sql.schema.outboxtable import state_of
from adapters.sql.schema.tables import outbox
from adapters.sql.schema.types import Instant
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset
from domain.kernel.change import LetterFate
from domain.kernel.message import Letter

_KEY = outbox.c.id == bindparam("key_id")
_UNDECIDED = outbox.c.delivered_at.is_(None) & outbox.c.dropped_at.is_(None)
_FATES = {
    LetterFate.RETRIED: update(outbox)
    .where(_KEY, _UNDECIDED, outbox.c.dead_at.is_not(None))
    .values(dead_at=None, tries=0, retry_at=None, claimed_until=None, case_due=None),
    LetterFate.DROPPED: update(outbox)
    .where(_KEY, _UNDECIDED, outbox.c.deaths > 0)
    .values(
        dropped_at=bindparam("new_at", type_=Instant()),
        dead_at=func.coalesce(outbox.c.dead_at, bindparam("new_at", type_=Instant())),
        case_due=None,
    ),
}
_LOCK = (
    select(outbox)
    .where(outbox.c.id.in_(bindparam("messages", expanding=True)))
    .order_by(outbox.c.id)
    .with_for_update()
)


async def load_letters(unit: Unit, work: Workset, messages: Sequence[int]) -> None:
    """Lock and read the messages of the outbox that orders name, by their numbers."""
    if messages:
        for row in await unit.rows(_LOCK, {"messages": list(messages)}):
            work.letters[row.id] = Letter(state_of(row), has_died=row.deaths > 0)


async def write_letters(unit: Unit, work: Workset) -> None:
    """Write what orders make of dead letters."""
    for fate, statement in _FATES.items():
        ids = sorted(one for one, what in work.fates.items() if what is fate)
        more = {"new_at": work.at} if fate is LetterFate.DROPPED else {}
        await unit.many(statement, [{"key_id": one, **more} for one in ids])
