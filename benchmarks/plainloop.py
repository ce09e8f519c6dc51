"""What one writes without Acquit: one transaction for each entry, chained all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.schema.tables import balances, chain_head, commands, entries, postings
from adapters.sql.write.journal import chain_item
from domain.kernel.change import Stamp
from domain.kernel.command import Actor
from domain.ledger.chain import Commanded, next_hash
from domain.ledger.entry import Entry, Posting

_WHO = Actor("benchmark", "plain")
_ASKED = Commanded("plain", "", None, None, None, "{}", None, "")


def hot_entry(name: str, account: str, minor: int, day: date) -> Entry:
    """Money reported: the hot account against what waits of one payment."""
    return Entry(
        "payment_recorded",
        day,
        (
            Posting(account, minor, "CNY", order_no=name, place=account),
            Posting(f"suspense/{name}", -minor, "CNY", order_no=name, place=account),
        ),
    )


async def book_plainly(
    engine: AsyncEngine, command_id: str, entry: Entry, *, postgres: bool
) -> None:
    """Lock the head, write entry, postings and balances, move the head, commit."""
    now = datetime.now(UTC)
    stamp = Stamp(command_id, _WHO, "", now, now.date())
    upsert = (postgresql if postgres else sqlite).insert(balances)
    add = upsert.on_conflict_do_update(
        index_elements=["account", "currency"],
        set_={"minor": balances.c.minor + upsert.excluded.minor},
    )
    async with engine.begin() as conn:
        head = (await conn.execute(select(chain_head).with_for_update())).one()
        asked = chain_item(head.seq + 1, head.ledger, stamp, "", _ASKED)
        asked_hash = next_hash(head.hash, asked)
        item = chain_item(head.seq + 2, head.ledger, stamp, "", entry)
        hash_ = next_hash(asked_hash, item)
        await conn.execute(
            insert(entries),
            {
                "seq": item.seq,
                "command_id": command_id,
                "actor_kind": _WHO.kind,
                "actor_id": _WHO.id,
                "reason": "",
                "product": "",
                "at": now,
                "posted_on": now.date(),
                "hash": hash_,
                "ledger": head.ledger,
                "event": entry.event,
                "value_on": entry.value_on,
            },
        )
        await conn.execute(insert(postings), _postings(item.seq, entry))
        await conn.execute(
            add,
            [
                {"account": part.account, "currency": part.currency, "minor": part.minor}
                for part in sorted(entry.postings, key=lambda part: part.account)
            ],
        )
        await conn.execute(
            insert(commands),
            {
                "id": command_id,
                "identity": _ASKED.identity,
                "kind": _ASKED.kind,
                "at": now,
                "actor": f"{_WHO.kind}/{_WHO.id}",
                "reason": "",
                "answer": _ASKED.answer,
                "subject_kind": "",
                "subject_key": "",
                "loan_id": "",
                "seq": asked.seq,
                "posted_on": now.date(),
                "hash": asked_hash,
                "written_by": "",
            },
        )
        await conn.execute(
            update(chain_head).values(seq=item.seq, hash=hash_, posted_on=now.date())
        )


def _postings(seq: int, entry: Entry) -> list[dict[str, object]]:
    return [
        {
            "seq": seq,
            "position": position,
            "account": part.account,
            "minor": part.minor,
            "currency": part.currency,
            "loan": part.loan,
            "number": part.number,
            "component": part.component,
            "payment": part.payment,
            "order_no": part.order_no,
            "line": part.line,
            "party": part.party,
            "place": part.place,
        }
        for position, part in enumerate(entry.postings)
    ]
