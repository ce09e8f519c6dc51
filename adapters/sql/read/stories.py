"""Reads the journal for people: the story of a loan, the trail of a payment, all postings."""

import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.rows import read_posting
from adapters.sql.schema.tables import commands, entries, portions, postings, subjects, transitions
from domain.case.lifecycle import CaseEvent
from domain.debit.attempt import AttemptState
from domain.kernel.subject import Subject
from domain.ledger.entry import JournalPosting
from domain.loan.view import INSTALLMENT, installment, installment_of
from domain.money import decimal_text
from ports.queries import OpenItem, StoryLine

_OF_ENTRY = ("event", "at", "posted_on", "value_on", "ledger")
_POSTINGS: Select[Any] = (
    select(*(entries.c[name] for name in _OF_ENTRY), postings)
    .join(postings, postings.c.seq == entries.c.seq)
    .order_by(postings.c.seq, postings.c.position)
)
# Of one command: what became of an order, then the money, then the states, then a new order.
_ORDER_NEWS, _ENTRY, _STATE, _NEW_ORDER, _COMMAND = range(5)
_Line = tuple[int, StoryLine]


async def story_of(
    conn: AsyncConnection, loan_id: str, number: int | None
) -> tuple[StoryLine, ...]:
    """Everything that commands did to a loan or installment, causes before effects.

    Lines of one command stand together: news of an order, entries, moves of the installment, a new
    order. A command that left neither move nor entry (reminder, hold, refusal) is a line itself.
    """
    found = [_move_line(row) for row in await conn.execute(_moves(loan_id, number))]
    found += await _entry_lines(conn, loan_id, number)
    given = {row.id: row for row in await conn.execute(_commands(loan_id, number))}
    silent = given.keys() - {line.command_id for _, line in found}
    found += [(_COMMAND, _command_line(given[name])) for name in silent]
    found.sort(key=lambda item: _place(item, given))
    return tuple(_with_command(line, given) for _, line in found)


_OF_ITEMS = (CaseEvent.ITEM_ADDED.value, CaseEvent.ITEM_CLEARED.value)


async def history_of(conn: AsyncConnection, subject: Subject) -> tuple[StoryLine, ...]:
    """The moves of one subject, and the commands about it that moved nothing.

    Items of a case that came and went are left out: there may be very many, and they are listed.
    """
    of = (subjects.c.kind == subject.kind, subjects.c.key == subject.key)
    known = select(subjects.c.loan_id).where(*of).scalar_subquery()
    loan_id = func.coalesce(known, "")  # a mandate is none of the subjects, and about no loan

    def about(table: Table) -> ColumnElement[bool]:
        mine = (table.c.subject_kind == subject.kind, table.c.subject_key == subject.key)
        return and_(table.c.loan_id == loan_id, *mine)

    moves = select(transitions).where(about(transitions), transitions.c.event.not_in(_OF_ITEMS))
    moved = [_move_line(row) for row in await conn.execute(moves)]
    given = {row.id: row for row in await conn.execute(select(commands).where(about(commands)))}
    silent = given.keys() - {line.command_id for _, line in moved}
    found = [*moved, *((_COMMAND, _command_line(given[name])) for name in silent)]
    found.sort(key=lambda item: _place(item, given))
    return tuple(_with_command(line, given) for _, line in found)


async def trail_of(conn: AsyncConnection, key: str) -> tuple[JournalPosting, ...]:
    """Every posting about one payment, one debit order or one bank line."""
    of_order = select(portions.c.id).where(portions.c.order_no == key)
    about = or_(postings.c.payment == key, postings.c.payment.in_(of_order))
    found = (await conn.execute(_POSTINGS.where(about))).all()
    if not found:
        found = (await conn.execute(_POSTINGS.where(postings.c.line == key))).all()
    return tuple(_posting(row) for row in found)


async def items_of(conn: AsyncConnection, account: str, limit: int) -> tuple[OpenItem, ...]:
    """The items of an account, in order of loan, installment, component, payment and place."""
    return tuple(
        OpenItem(
            account,
            row.currency,
            row.loan,
            row.number,
            row.component,
            row.party,
            row.payment,
            row.place,
            int(row.minor),
        )
        for row in await conn.execute(items_statement(account, limit))
    )


def items_statement(account: str, limit: int) -> Select[Any]:
    """Reads one account by item: a part of the index, however long the journal is."""
    of = postings.c
    key = (of.loan, of.number, of.component, of.payment, of.place, of.party, of.currency)
    total = func.sum(of.minor)
    return (
        select(*key, total.label("minor"))
        .where(of.account == account)
        .group_by(*key)
        .having(total != 0)
        .order_by(*(column.nulls_first() for column in key))
        .limit(limit)
    )


async def journal_of(conn: AsyncConnection) -> AsyncGenerator[JournalPosting]:
    """Every posting, a page of rows in memory at a time."""
    async with conn.stream(_POSTINGS) as rows:
        async for row in rows:
            yield _posting(row)


def _about(table: Table, loan_id: str, number: int | None) -> ColumnElement[bool]:
    """Rows of moves or commands about a loan, or about one installment of it."""
    of_loan = table.c.loan_id == loan_id
    if number is None:
        return of_loan
    return and_(of_loan, table.c.subject_key == installment(loan_id, number).key)


def _posted(loan_id: str, number: int | None) -> ColumnElement[bool]:
    of_loan = postings.c.loan == loan_id
    return of_loan if number is None else and_(of_loan, postings.c.number == number)


def _moves(loan_id: str, number: int | None) -> Select[Any]:
    about = _about(transitions, loan_id, number)
    return select(transitions).where(about).order_by(transitions.c.seq)


def _commands(loan_id: str, number: int | None) -> Select[Any]:
    """Commands about the subject, and those whose effects it shows."""
    moved, posted = _about(transitions, loan_id, number), _posted(loan_id, number)
    entry = entries.join(postings, postings.c.seq == entries.c.seq)
    return select(commands).where(
        or_(
            _about(commands, loan_id, number),
            commands.c.id.in_(select(transitions.c.command_id).where(moved)),
            commands.c.id.in_(select(entries.c.command_id).select_from(entry).where(posted)),
        )
    )


def _place(item: _Line, given: Mapping[str, Row[Any]]) -> tuple[Any, ...]:
    """Where a line stands: by the number of its command in the chain, then by kind of effect."""
    rank, line = item
    command = given.get(line.command_id)
    number = line.seq if command is None else command.seq
    return (number, line.at, line.command_id, rank, line.seq)


def _with_command(line: StoryLine, given: Mapping[str, Row[Any]]) -> StoryLine:
    row = given.get(line.command_id)
    if row is None:
        return line
    return replace(line, command=row.kind, approver=row.approver or "", reason=row.reason)


async def _entry_lines(conn: AsyncConnection, loan_id: str, number: int | None) -> list[_Line]:
    """One line for each entry that posts something about the subject, with all its postings."""
    about = _posted(loan_id, number)
    statement = (
        select(entries, postings)
        .join(postings, postings.c.seq == entries.c.seq)
        .where(entries.c.seq.in_(select(postings.c.seq).where(about)))
        .order_by(entries.c.seq, postings.c.position)
    )
    by_entry: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in await conn.execute(statement):
        by_entry[row.seq].append(row)
    lines: list[_Line] = []
    for seq, rows in by_entry.items():
        first = rows[0]
        parts = "; ".join(_part(row) for row in rows)
        detail = f"value {first.value_on.isoformat()}: {parts}"
        whose = number if number is not None else _only({row.number for row in rows} - {None})
        line = StoryLine(
            seq,
            first.at,
            _actor(first),
            first.event,
            detail,
            whose,
            command_id=first.command_id,
            payments=_names(row.payment for row in rows),
            lines=_names(row.line for row in rows),
        )
        lines.append((_ENTRY, line))
    return lines


def _names(found: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in found if name))


def _only(numbers: set[int]) -> int | None:
    return next(iter(numbers)) if len(numbers) == 1 else None


def _part(row: Row[Any]) -> str:
    side = "Dr" if row.minor > 0 else "Cr"
    at = f" at {row.place}" if row.place not in {None, row.account} else ""
    amount = decimal_text(abs(row.minor), row.currency)
    return f"{side} {row.account}{at} {amount} {row.currency}"


def _actor(row: Row[Any]) -> str:
    return f"{row.actor_kind}/{row.actor_id}"


def _move_line(row: Row[Any]) -> _Line:
    subject = f"order {row.order_no}: " if row.order_no else ""
    more = f" ({row.detail})" if row.detail else ""
    detail = f"{subject}{row.source} -> {row.target}{more}"
    rank = _STATE
    if row.order_no:
        rank = _NEW_ORDER if row.target == AttemptState.INTENDED else _ORDER_NEWS
    line = StoryLine(
        row.seq, row.at, _actor(row), row.event, detail, _number(row), command_id=row.command_id
    )
    return rank, line


def _command_line(row: Row[Any]) -> StoryLine:
    refused = row.rule is not None
    detail = f"refused by {row.rule}: {row.answer}" if refused else _note_of(row.answer)
    return StoryLine(
        row.seq,
        row.at,
        row.actor,
        row.kind,
        detail,
        _number(row),
        command_id=row.id,
        is_command=True,
    )


def _number(row: Row[Any]) -> int | None:
    """The installment that a move or command is about, None for the whole loan."""
    if row.subject_kind != INSTALLMENT:
        return None
    return installment_of(Subject(row.subject_kind, row.subject_key))[1]


def _note_of(answer: str) -> str:
    """What a command was answered in a word, such as the result of a rail."""
    return str(json.loads(answer).get("note", ""))


def _posting(row: Row[Any]) -> JournalPosting:
    entry = {name: row._mapping[name] for name in _OF_ENTRY}  # noqa: SLF001  (by name)
    return read_posting(JournalPosting, row, seq=row.seq, **entry)
