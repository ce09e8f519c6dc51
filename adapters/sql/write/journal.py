"""Appends to the journal: numbers, hashes, postings, balances. The chain head is locked here."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any, assert_never

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from adapters.sql.rows import Row, answer_text
from adapters.sql.schema.tables import (
    balances,
    chain_head,
    commands,
    entries,
    postings,
    transitions,
)
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset, Written
from domain.errors import InvariantBroken
from domain.kernel.change import Stamp, Transition
from domain.ledger.chain import Booked, ChainItem, Commanded, Moved, next_hash
from domain.ledger.entry import Entry, Posting

_C = chain_head.c
_HEAD = select(_C.ledger, _C.seq, _C.hash, _C.posted_on).where(_C.id == 1).with_for_update()
_MOVE_HEAD = (
    update(chain_head)
    .where(_C.id == 1)
    .values(
        seq=bindparam("new_seq"), hash=bindparam("new_hash"), posted_on=bindparam("new_posted_on")
    )
)


def _add_balance(dialect: Any) -> Any:  # noqa: ANN401  (two dialects' inserts share no type)
    new = dialect.insert(balances)
    return new.on_conflict_do_update(
        index_elements=["account", "currency"],
        set_={"minor": balances.c.minor + new.excluded.minor},
    )


_ADD_BALANCE = {True: _add_balance(postgresql), False: _add_balance(sqlite)}


async def append_journal(unit: Unit, work: Workset) -> None:
    """Append every command of the group, each before its moves and entries."""
    head = await unit.rows(_HEAD)
    if len(head) != 1:
        raise InvariantBroken("the chain has no head row")
    ledger, posted_on = head[0].ledger, head[0].posted_on
    seq, hash_ = head[0].seq, head[0].hash
    command_rows: list[Row] = []
    entry_rows: list[Row] = []
    posting_rows: list[Row] = []
    move_rows: list[Row] = []
    net: defaultdict[tuple[str, str], int] = defaultdict(int)
    for written in work.written:
        stamp = _not_before(posted_on, written.stamp)
        posted_on = stamp.posted_on
        whats = [("", commanded(written)), *written.items]
        for product, what in whats:
            seq += 1
            item = chain_item(seq, ledger, stamp, product, what)
            hash_ = next_hash(hash_, item)
            match item.what:
                case Booked(event=event, value_on=value_on, postings=parts):
                    more = {"ledger": ledger, "event": event, "value_on": value_on}
                    entry_rows.append(_row(item, hash_, **more))
                    posting_rows += [_posting(seq, i, part) for i, part in enumerate(parts)]
                    for part in parts:
                        net[part.account, part.currency] += part.minor
                case Moved():
                    move_rows.append(_move(item, item.what, hash_))
                case Commanded():
                    command_rows.append(_command(item, item.what, hash_, written.log.written_by))
                case _:
                    assert_never(item.what)
    moved = {"new_seq": seq, "new_hash": hash_, "new_posted_on": posted_on}
    await unit.many(_MOVE_HEAD, [moved])
    await unit.many(insert(commands), command_rows)
    await unit.many(insert(entries), entry_rows)
    await unit.many(insert(postings), posting_rows)
    await unit.many(insert(transitions), move_rows)
    await unit.many(
        _ADD_BALANCE[unit.postgres],
        [
            {"account": account, "currency": currency, "minor": minor}
            for (account, currency), minor in sorted(net.items())
        ],
    )


def _not_before(day: date | None, stamp: Stamp) -> Stamp:
    """A stamp no earlier than the day of what it follows: clocks of processes differ."""
    return stamp if day is None or day <= stamp.posted_on else replace(stamp, posted_on=day)


def commanded(written: Written) -> Commanded:
    """A command and its answer as the command log keeps them."""
    log, command = written.log, written.command
    refused = log.answer is None
    return Commanded(
        kind=command.kind,
        identity=log.identity,
        dedup_key=log.dedup_key,
        approver=getattr(command, "approver", None),
        rule=log.rule if refused else None,
        answer=log.refusal if log.answer is None else answer_text(log.answer),
        subject=log.subject,
        loan_id=log.loan_id,
    )


def chain_item(
    seq: int, ledger: str, stamp: Stamp, product: str, what: Entry | Transition | Commanded
) -> ChainItem:
    """What is hashed for one command, entry or transition."""
    content: Booked | Moved | Commanded
    match what:
        case Commanded():
            content = what
        case Entry():
            content = Booked(ledger, what.event, what.value_on, what.postings)
        case Transition():
            content = Moved(
                what.subject,
                what.loan_id,
                what.source,
                what.target,
                what.event,
                what.order_no,
                what.detail,
            )
    return ChainItem(
        seq,
        stamp.command_id,
        stamp.actor.kind,
        stamp.actor.id,
        stamp.reason,
        product,
        stamp.at,
        stamp.posted_on,
        content,
    )


def _row(item: ChainItem, hash_: str, **more: object) -> Row:
    return {
        "seq": item.seq,
        "command_id": item.command_id,
        "actor_kind": item.actor_kind,
        "actor_id": item.actor_id,
        "reason": item.reason,
        "product": item.product,
        "at": item.at,
        "posted_on": item.posted_on,
        "hash": hash_,
        **more,
    }


def _command(item: ChainItem, what: Commanded, hash_: str, written_by: str) -> Row:
    return {
        "id": item.command_id,
        "identity": what.identity,
        "kind": what.kind,
        "dedup_key": what.dedup_key,
        "at": item.at,
        "actor": f"{item.actor_kind}/{item.actor_id}",
        "approver": what.approver,
        "reason": item.reason,
        "rule": what.rule,
        "answer": what.answer,
        "subject_kind": what.subject.kind if what.subject else "",
        "subject_key": what.subject.key if what.subject else "",
        "loan_id": what.loan_id,
        "seq": item.seq,
        "posted_on": item.posted_on,
        "hash": hash_,
        "written_by": written_by,
    }


def _move(item: ChainItem, move: Moved, hash_: str) -> Row:
    return _row(
        item,
        hash_,
        subject_kind=move.subject.kind,
        subject_key=move.subject.key,
        loan_id=move.loan_id,
        source=move.source,
        target=move.target,
        event=move.event,
        order_no=move.order_no,
        detail=move.detail,
    )


def _posting(seq: int, position: int, posting: Posting) -> Row:
    return {
        "seq": seq,
        "position": position,
        "account": posting.account,
        "minor": posting.minor,
        "currency": posting.currency,
        "loan": posting.loan,
        "number": posting.number,
        "component": posting.component,
        "payment": posting.payment,
        "order_no": posting.order_no,
        "line": posting.line,
        "party": posting.party,
        "place": posting.place,
        "payout": posting.payout,
    }
