"""Runs the set-based matcher over the books, and reads groups and what is missing from it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import among, is_postgres, listed
from adapters.sql.match import tables as t
from adapters.sql.match.gather import gather
from adapters.sql.match.matcher import SetMatcher, line_result
from adapters.sql.read.looking import look
from adapters.sql.schema.tables import case_items, cases, waiting_pieces
from domain.case.kinds import OF_WAITING_LINES
from domain.loan.aggregate import Rulebook
from domain.matching.group import GROUP_MOST, Group, Meant, Shown
from domain.matching.result import Status
from ports.clock import Clock
from ports.matching import CaseOfLine, MatchFilter, Overdue

_P, _E = t.pieces.c, t.expectations.c
_LABEL = func.coalesce(_P.label, _P.id)
_KINDS = sorted(kind.value for kind in OF_WAITING_LINES)


class SqlMatching:
    """Matching in the books' own database; it writes temporary tables and nothing else."""

    def __init__(self, engine: AsyncEngine, clock: Clock, rules: Rulebook) -> None:
        self._engine, self._clock, self._rules = engine, clock, rules

    async def anything_waits(self) -> bool:
        """Whether any money waits on a line."""
        async with look(self._engine) as conn:
            asked = select(exists(select(waiting_pieces.c.line_id)))
            return bool((await conn.execute(asked)).scalar_one())

    @asynccontextmanager
    async def run(self) -> AsyncIterator["SqlMatchRun"]:
        """Run all passes on one state of the books."""
        async with look(self._engine, unhurried=True) as conn:
            matcher = SetMatcher(conn)
            await matcher.open()
            try:
                await gather(conn, self._rules, postgres=is_postgres(self._engine))
                await matcher.find_words()
                await matcher.match(self._clock.now().date())
                yield SqlMatchRun(conn, postgres=is_postgres(self._engine))
            finally:
                await conn.rollback()
                await matcher.close()
                await conn.commit()


class SqlMatchRun:
    """What one run has found."""

    def __init__(self, conn: AsyncConnection, *, postgres: bool) -> None:
        self._conn, self._postgres = conn, postgres

    async def groups(self, wanted: MatchFilter, after: str, limit: int) -> Sequence[Group]:
        """Groups of pieces in order of their least piece, behind the group of `after`."""
        labels = select(_LABEL.label("label")).where(_LABEL.op(">")(after))
        if wanted.account:
            labels = labels.where(_P.account == wanted.account)
        if wanted.day is not None:
            labels = labels.where(_P.booked == wanted.day.toordinal())
        if wanted.line:
            labels = labels.where(_P.line_id == wanted.line)
        if wanted.statuses:
            labels = labels.where(_P.status.in_([status.value for status in wanted.statuses]))
        labels = labels.distinct().order_by("label").limit(limit)
        names = [row.label for row in await self._conn.execute(labels)]
        of_pieces = await self._grouped(select(t.pieces, _LABEL.label("of")), _LABEL, names)
        of_money = await self._grouped(
            select(t.expectations, _E.label.label("of")), _E.label, names
        )
        loans = sorted({row.loan for rows in of_pieces.values() for row in rows if row.loan})
        for_loans = await self._grouped(select(t.expectations, _E.id.label("of")), _E.id, loans)
        return [
            _group(of_pieces[name], of_money[name] or for_loans[of_pieces[name][0].loan or ""])
            for name in names
        ]

    async def overdue(self, after: str, limit: int) -> Sequence[Overdue]:
        """Expectations that are missing, in order of their ids, behind `after`."""
        missing = select(t.expectations).where(
            _E.status == Status.MISSING.value, _E.id > after, _E.any_amount == 0
        )
        rows = await self._conn.execute(missing.order_by(_E.id).limit(limit))
        return [Overdue(_meant(row), row.currency, Status.MISSING) for row in rows]

    async def cases_of(self, lines: Sequence[str]) -> Sequence[CaseOfLine]:
        """The open cases about some lines; a line that is an item of a case has that one."""
        columns = (cases.c.key, cases.c.owner, cases.c.code, cases.c.opened_at)
        open_ones = (cases.c.closed_at.is_(None), cases.c.kind.in_(_KINDS))
        own = select(cases.c.line.label("line"), *columns).where(
            *open_ones, among(cases.c.line, "values", postgres=self._postgres)
        )
        as_items = select(case_items.c.line, *columns).join(
            cases, cases.c.key == case_items.c.case_key
        )
        as_items = as_items.where(
            *open_ones,
            case_items.c.cleared_at.is_(None),
            among(case_items.c.line, "values", postgres=self._postgres),
        )
        both = union_all(own, as_items).order_by("line", "key")
        rows = await self._conn.execute(both, self._values(lines))
        return [CaseOfLine(*row) for row in rows]

    async def _grouped(
        self, chosen: Select[Any], column: ColumnElement[Any], names: Sequence[str]
    ) -> dict[str, list[Row[Any]]]:
        """Rows by their group, in order of ids: one more at most than a group may have."""
        place = func.row_number().over(partition_by=column, order_by=chosen.selected_columns.id)
        of = among(column, "values", postgres=self._postgres)
        ranked = chosen.add_columns(place.label("place")).where(of).subquery()
        limited = select(ranked).where(ranked.c.place <= GROUP_MOST + 1).order_by(ranked.c.id)
        found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
        for row in await self._conn.execute(limited, self._values(names)):
            found[row.of].append(row)
        return found

    def _values(self, names: Sequence[str]) -> dict[str, object]:
        return {"values": listed(names, postgres=self._postgres)}


def _group(pieces: Sequence[Row[Any]], money: Sequence[Row[Any]]) -> Group:
    is_whole = max(len(pieces), len(money)) <= GROUP_MOST
    shown = tuple(
        Shown(it.id, it.line_id, it.account, date.fromordinal(it.booked), it.minor, it.currency)
        for it in pieces[:GROUP_MOST]
    )
    meant = tuple(_meant(row) for row in money[:GROUP_MOST])
    return Group(line_result(pieces[0]), shown, meant, is_whole)


def _meant(row: Row[Any]) -> Meant:
    by = date.fromordinal(row.by_day) if row.by_day else None
    return Meant(row.id, row.kind, row.loan_id, row.number, row.reference, row.minor, by)
