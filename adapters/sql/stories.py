"""The journal told: story of an installment, trail of a receipt, every posting in order."""

from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import commands, entries, postings, transitions
from domain.money import decimal_text
from ports.desk import JournalPosting, StoryLine

_POSTINGS = (
    select(entries.c.event, entries.c.at, entries.c.value_on, postings)
    .join(postings, postings.c.seq == entries.c.seq)
    .order_by(postings.c.seq, postings.c.position)
)
# Journal lines first, then what a command did that the journal does not hold.
_JOURNAL, _COMMAND = 0, 1


async def story_of(
    conn: AsyncConnection, loan_id: str, number: int | None
) -> tuple[StoryLine, ...]:
    """Moves, entries, and commands that left neither (reminders, holds, refusals), in order."""
    told: list[tuple[int, int, StoryLine]] = []
    spoken: set[str] = set()
    moves = (await conn.execute(_moves(loan_id, number))).all()
    told += [(row.seq, _JOURNAL, _move_line(row)) for row in moves]
    spoken |= {row.command_id for row in moves}
    for line, command_id in await _entry_lines(conn, loan_id, number):
        told.append((line.seq, _JOURNAL, line))
        spoken.add(command_id)
    for row in await conn.execute(_commands(loan_id, number)):
        if row.id not in spoken:
            told.append((row.seq, _COMMAND, _command_line(row)))
    told.sort(key=lambda item: item[:2])
    return tuple(line for _, _, line in told)


async def trail_of(conn: AsyncConnection, receipt_id: str) -> tuple[JournalPosting, ...]:
    """Every posting about one receipt."""
    rows = await conn.execute(_POSTINGS.where(postings.c.receipt == receipt_id))
    return tuple(_posting(row) for row in rows)


async def journal_of(conn: AsyncConnection) -> AsyncGenerator[JournalPosting]:
    """Every posting, a page of rows in memory at a time."""
    async with conn.stream(_POSTINGS) as rows:
        async for row in rows:
            yield _posting(row)


def _about(
    loan: ColumnElement[Any], number_of: ColumnElement[Any], loan_id: str, number: int | None
) -> ColumnElement[bool]:
    return loan == loan_id if number is None else and_(loan == loan_id, number_of == number)


def _moves(loan_id: str, number: int | None) -> Select[Any]:
    about = _about(transitions.c.loan_id, transitions.c.number, loan_id, number)
    return select(transitions).where(about).order_by(transitions.c.seq)


def _commands(loan_id: str, number: int | None) -> Select[Any]:
    about = _about(commands.c.loan_id, commands.c.number, loan_id, number)
    return select(commands).where(about).order_by(commands.c.seq, commands.c.at, commands.c.id)


async def _entry_lines(
    conn: AsyncConnection, loan_id: str, number: int | None
) -> list[tuple[StoryLine, str]]:
    """One line for each entry that posts something about the subject, with all its postings."""
    about = _about(postings.c.loan, postings.c.number, loan_id, number)
    statement = (
        select(entries, postings)
        .join(postings, postings.c.seq == entries.c.seq)
        .where(entries.c.seq.in_(select(postings.c.seq).where(about)))
        .order_by(entries.c.seq, postings.c.position)
    )
    by_entry: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in await conn.execute(statement):
        by_entry[row.seq].append(row)
    lines: list[tuple[StoryLine, str]] = []
    for seq, rows in by_entry.items():
        first = rows[0]
        parts = "; ".join(_part(row) for row in rows)
        detail = f"value {first.value_on.isoformat()}: {parts}"
        whose = number if number is not None else _only({row.number for row in rows} - {None})
        line = StoryLine(seq, first.at, _actor(first), first.event, detail, whose)
        lines.append((line, first.command_id))
    return lines


def _only(numbers: set[int]) -> int | None:
    return next(iter(numbers)) if len(numbers) == 1 else None


def _part(row: Row[Any]) -> str:
    side = "Dr" if row.minor > 0 else "Cr"
    return f"{side} {row.account} {decimal_text(abs(row.minor), row.currency)} {row.currency}"


def _actor(row: Row[Any]) -> str:
    return f"{row.actor_kind}/{row.actor_id}"


def _move_line(row: Row[Any]) -> StoryLine:
    subject = f"order {row.order_no}: " if row.order_no else ""
    more = " ".join(part for part in (row.detail, row.reason) if part)
    detail = f"{subject}{row.source} -> {row.target}" + (f" ({more})" if more else "")
    return StoryLine(row.seq, row.at, _actor(row), row.event, detail, row.number)


def _command_line(row: Row[Any]) -> StoryLine:
    refused = row.rule is not None
    detail = f"refused by {row.rule}: {row.answer}" if refused else row.reason
    return StoryLine(row.seq, row.at, row.actor, row.kind, detail, row.number)


def _posting(row: Row[Any]) -> JournalPosting:
    return JournalPosting(
        seq=row.seq,
        event=row.event,
        at=row.at,
        value_on=row.value_on,
        account=row.account,
        minor=row.minor,
        currency=row.currency,
        loan=row.loan,
        number=row.number,
        component=row.component,
        receipt=row.receipt,
        order_no=row.order_no,
        line=row.line,
    )
