"""Reads stories from the journal: commands in the order of the chain, each with its effects.

A command stands in the chain before its effects, and those of the next one after them. So a page of
commands, and all that they did, is one range of the chain.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.read.cursors import read_cursor, write_cursor
from adapters.sql.readrows import read_posting
from adapters.sql.schema.tables import commands, entries, postings, subjects, transitions
from domain.case.lifecycle import CaseEvent
from domain.debit.attempt import AttemptState
from domain.kernel.subject import Subject
from domain.ledger.entry import Posting
from domain.loan.view import INSTALLMENT, installment, installment_of
from domain.story.events import Effect, LeftNothing, Moved, Posted, RefusedBy, StoryEvent
from ports.paging import Page, checked_limit

_LIST = "story"
# Of one command: what became of an order, then the money, then the states, then a new order.
_ORDER_NEWS, _ENTRY, _STATE, _NEW_ORDER = range(4)
_Effects = defaultdict[str, list[tuple[int, int, Effect]]]
"""By command: rank, place in the chain, effect."""


class _Range(NamedTuple):
    """A part of the chain; `below` is None at its end."""

    above: int
    below: int | None

    def holds(self, column: ColumnElement[int]) -> ColumnElement[bool]:
        behind = column > self.above
        return behind if self.below is None else and_(behind, column < self.below)


async def story_of(
    conn: AsyncConnection, loan_id: str, number: int | None, after: str, limit: int
) -> Page[StoryEvent]:
    """What commands did to a loan or installment, causes before effects.

    A command that left neither move nor entry (reminder, hold, refusal) is an event as well.
    """
    moved, posted = _about(transitions, loan_id, number), _posted(loan_id, number)
    entry = entries.join(postings, postings.c.seq == entries.c.seq)
    mine = or_(
        _about(commands, loan_id, number),
        commands.c.id.in_(select(transitions.c.command_id).where(moved)),
        commands.c.id.in_(select(entries.c.command_id).select_from(entry).where(posted)),
    )
    given, part, cursor = await _page(conn, mine, after, limit)
    effects = await _moves(conn, moved, part)
    await _entries(conn, effects, posted, number, part)
    return Page(tuple(_event(row, effects) for row in given), cursor)


_OF_ITEMS = (CaseEvent.ITEM_ADDED.value, CaseEvent.ITEM_CLEARED.value)


async def history_of(
    conn: AsyncConnection, subject: Subject, after: str, limit: int
) -> Page[StoryEvent]:
    """The moves of one subject, and the commands about it that moved nothing.

    Items of a case that came and went are left out: there may be very many, and they are listed.
    """
    of = (subjects.c.kind == subject.kind, subjects.c.key == subject.key)
    known = select(subjects.c.loan_id).where(*of).scalar_subquery()
    loan_id = func.coalesce(known, "")  # a mandate is none of the subjects, and about no loan

    def about(table: Table) -> ColumnElement[bool]:
        mine = (table.c.subject_kind == subject.kind, table.c.subject_key == subject.key)
        return and_(table.c.loan_id == loan_id, *mine)

    moved = and_(about(transitions), transitions.c.event.not_in(_OF_ITEMS))
    mine = or_(about(commands), commands.c.id.in_(select(transitions.c.command_id).where(moved)))
    given, part, cursor = await _page(conn, mine, after, limit)
    effects = await _moves(conn, moved, part)
    return Page(tuple(_event(row, effects) for row in given), cursor)


async def _page(
    conn: AsyncConnection, mine: ColumnElement[bool], after: str, limit: int
) -> tuple[Sequence[Row[Any]], _Range, str]:
    """The commands of a page, the part of the chain that it is, and where the next one begins."""
    above = read_cursor(_LIST, after, (int,))[0] if after else 0
    found = select(commands).where(mine, commands.c.seq > above).order_by(commands.c.seq)
    rows = (await conn.execute(found.limit(checked_limit(limit) + 1))).fetchall()
    if len(rows) <= limit:
        return rows, _Range(above, None), ""
    cursor = write_cursor(_LIST, (rows[limit - 1].seq,))
    return rows[:limit], _Range(above, rows[limit].seq), cursor


async def _moves(conn: AsyncConnection, moved: ColumnElement[bool], part: _Range) -> _Effects:
    effects: _Effects = defaultdict(list)
    found = select(transitions).where(moved, part.holds(transitions.c.seq))
    for row in await conn.execute(found):
        rank = _STATE
        if row.order_no:
            rank = _NEW_ORDER if row.target == AttemptState.INTENDED else _ORDER_NEWS
        order_no = row.order_no or ""
        move = Moved(row.seq, row.event, _number(row), row.source, row.target, row.detail, order_no)
        effects[row.command_id].append((rank, row.seq, move))
    return effects


async def _entries(
    conn: AsyncConnection,
    effects: _Effects,
    posted: ColumnElement[bool],
    number: int | None,
    part: _Range,
) -> None:
    """Add each entry that posts something about the subject, with all its postings."""
    about = select(postings.c.seq).where(posted, part.holds(postings.c.seq))
    statement: Select[Any] = (
        select(entries, postings)
        .join(postings, postings.c.seq == entries.c.seq)
        .where(entries.c.seq.in_(about))
        .order_by(entries.c.seq, postings.c.position)
    )
    by_entry: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in await conn.execute(statement):
        by_entry[row.seq].append(row)
    for seq, rows in by_entry.items():
        whose = number if number is not None else _only({row.number for row in rows} - {None})
        lines = tuple(read_posting(Posting, row) for row in rows)
        entry = Posted(seq, rows[0].event, whose, rows[0].value_on, lines)
        effects[rows[0].command_id].append((_ENTRY, seq, entry))


def _event(row: Row[Any], effects: Mapping[str, list[tuple[int, int, Effect]]]) -> StoryEvent:
    found = sorted(effects.get(row.id, ()), key=lambda item: item[:2])
    return StoryEvent(
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        approver=row.approver or "",
        reason=row.reason,
        command=row.kind,
        command_id=row.id,
        effects=tuple(effect for *_, effect in found) or (_without_effect(row),),
    )


def _without_effect(row: Row[Any]) -> Effect:
    if row.rule is not None:
        return RefusedBy(_number(row), row.rule, row.answer)
    return LeftNothing(_number(row), str(json.loads(row.answer).get("note", "")))


def _about(table: Table, loan_id: str, number: int | None) -> ColumnElement[bool]:
    """Rows of moves or commands about a loan, or about one installment of it."""
    of_loan = table.c.loan_id == loan_id
    if number is None:
        return of_loan
    return and_(of_loan, table.c.subject_key == installment(loan_id, number).key)


def _posted(loan_id: str, number: int | None) -> ColumnElement[bool]:
    of_loan = postings.c.loan == loan_id
    return of_loan if number is None else and_(of_loan, postings.c.number == number)


def _only(numbers: set[int]) -> int | None:
    return next(iter(numbers)) if len(numbers) == 1 else None


def _number(row: Row[Any]) -> int | None:
    """The installment that a move or command is about, None for the whole loan."""
    if row.subject_kind != INSTALLMENT:
        return None
    return installment_of(Subject(row.subject_kind, row.subject_key))[1]
