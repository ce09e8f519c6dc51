"""What every writer writes under the chain head's lock beside the journal: cases and messages."""

from collections.abc import Mapping

from sqlalchemy import bindparam, insert, update

from adapters.sql.faults import Raced
from adapters.sql.rows import Row, message_row
from adapters.sql.schema.tables import cases, outbox
from adapters.sql.write.lookup import lookups
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset

_UPDATE_CASE = update(cases).where(cases.c.key == bindparam("key_key"))


async def write_cases(unit: Unit, work: Workset, found: Mapping[str, Row]) -> None:
    """Write what the cases that changed are found by; they themselves are written as subjects.

    Raises:
        Raced: a case that is new to this group is on the books, as a rule resolved; the next try
            reads it. Resolved cases are not read beforehand: a loan may have very many.
    """
    new = sorted(found.keys() - work.cases_before.keys())
    known_already = await unit.find(lookups(postgres=unit.postgres).case_keys, new)
    if known_already:
        work.cases_named.update(row.key for row in known_already)
        raise Raced(known_already[0].key)
    await unit.many(insert(cases), [found[key] for key in new])
    known = sorted(found.keys() & work.cases_before.keys())
    await unit.many(_UPDATE_CASE, [{**found[key], "key_key": key} for key in known])


async def write_messages(unit: Unit, work: Workset) -> None:
    """Write the messages that leave after the commit, in the order of the decisions."""
    left = [
        message_row(message, work.at, work.origins.get(command_id))
        for message, command_id in work.messages
    ]
    await unit.many(insert(outbox), left)
