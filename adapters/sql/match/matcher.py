"""One run of the set-based matcher on a connection: fill, match, and read what was found.

The number of statements is the same whatever the number of lines. No list of lines or expectations
is held here, and temporary tables lie on disk where they are large.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Row,
    Select,
    Table,
    bindparam,
    exists,
    insert,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.match import statements as sql
from adapters.sql.match import tables
from domain.matching.model import EXACT, OF_LOANS, Expectation, Pass, Piece
from domain.matching.passes import SHARED_MOST
from domain.matching.result import Cause, ExpectationResult, LineResult, Status
from domain.matching.similar import blocks, similarity

Given = Mapping[str, Any]
_P, _E = tables.pieces.c, tables.expectations.c
PAGE = 2_000
"""Rows that are written or read at once."""
_BY_AMOUNT = (
    sql.SETTLE_PART_PIECES,
    sql.SETTLE_PART_EXPECTATIONS,
    sql.RESTS,
    sql.SETTLE_REST_PIECES,
    sql.SETTLE_REST_EXPECTATIONS,
    sql.DOUBT_RESTS,
)
_MISPLACED = (sql.MISPLACED_PIECES, sql.MISPLACED_EXPECTATIONS)


class SetMatcher:
    """Matches by statements over temporary tables of one connection."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._postgres = conn.dialect.name == "postgresql"

    async def open(self) -> None:
        """Make the tables, or empty those that a run before has left on the connection."""
        await self._conn.run_sync(tables.metadata.create_all)
        for table in (*tables.INPUTS, *tables.WORK):
            await self._conn.execute(table.delete())

    async def close(self) -> None:
        """Remove the tables, so that the connection is as it was."""
        await self._conn.run_sync(tables.metadata.drop_all)

    async def expect(self, several: Iterable[Expectation]) -> None:
        """Add expectations, in pages."""
        for page in _pages(several):
            await self._add(tables.expectations, map(_expectation_row, page))
            keys = ((it.id, key) for it in page for key in it.keys)
            rows = ({"via": key.of.value, "key": key.text, "expectation": it} for it, key in keys)
            await self._add(tables.expectation_keys, rows)
            legs = (
                {"expectation": it.id, "account": account, "minor": minor}
                for it in page
                for account, minor in it.legs
            )
            await self._add(tables.legs, legs)
            words = (
                {"word": word, "expectation": it.id}
                for it in page
                if it.tolerance.similarity
                for word in sorted(blocks(it.text))
            )
            await self._add(tables.expectation_words, words)

    async def show(self, several: Iterable[Piece]) -> None:
        """Add pieces of lines, in pages."""
        for page in _pages(several):
            await self._add(tables.pieces, map(_piece_row, page))
            keys = {(key.of.value, key.text, piece.id) for piece in page for key in piece.keys}
            rows = ({"via": via, "key": key, "piece": piece} for via, key, piece in sorted(keys))
            await self._add(tables.piece_keys, rows)
            words = (
                {"word": word, "piece": piece.id}
                for piece in page
                for word in sorted(blocks(piece.text))
            )
            await self._add(tables.piece_words, words)

    async def find_words(self) -> None:
        """Add the words of what is there already, where a product tolerates names at all."""
        wanted = select(_E.id, _E.said).where(_E.similarity > 0)
        async for page in self._pages_of(wanted, _E.id):
            words = ((it.id, word) for it in page for word in sorted(blocks(it.said)))
            rows = ({"expectation": name, "word": word} for name, word in words)
            await self._add(tables.expectation_words, rows)
        asked = select(exists(select(tables.expectation_words.c.word)))
        if not (await self._conn.execute(asked)).scalar_one():
            return
        async for page in self._pages_of(select(_P.id, _P.said).where(_P.said != ""), _P.id):
            words = ((it.id, word) for it in page for word in sorted(blocks(it.said)))
            rows = ({"piece": name, "word": word} for name, word in words)
            await self._add(tables.piece_words, rows)

    async def match(self, today: date) -> None:
        """Run all passes on what was added."""
        if self._postgres:
            # Nothing counts the rows of temporary tables by itself.
            for table in tables.INPUTS:
                await self._conn.execute(text(f"ANALYZE {table.name}"))  # a constant of ours
        for by in EXACT:
            await self._exact(by)
        for by in OF_LOANS:
            await self._run(by, sql.OF_LOANS, sql.SETTLE_LOANS, sql.DOUBT_PAIRS)
        await self._run(Pass.NEAR_MANDATE, sql.NEAR_MANDATE)
        await self._settle_near(Pass.NEAR_MANDATE)
        await self._compare_names()
        await self._settle_near(Pass.NEAR_NAME)
        last = (sql.SHOWN_BEFORE, sql.UNIDENTIFIED, sql.EXPECTED)
        for statement in (*last, sql.FOR_LOANS, sql.NOTHING_FOR_LOANS):
            await self._conn.execute(statement, {"today": today.toordinal()})

    async def lines(self) -> AsyncIterator[tuple[str, LineResult]]:
        """Yield what became of each piece, by id."""
        async for row in self._paged(tables.pieces):
            yield row.id, line_result(row)

    async def expectations(self) -> AsyncIterator[tuple[str, ExpectationResult]]:
        """Yield what became of each expectation that no line proved before, by id."""
        async for row in self._paged(tables.expectations):
            via = None if row.via is None else Pass(row.via)
            yield row.id, ExpectationResult(Status(row.status), via, row.label or "")

    async def _paged(self, table: Table) -> AsyncIterator[Any]:
        """Yield the rows of which something was found, a page in memory at a time."""
        async for page in self._pages_of(
            select(table).where(table.c.status.is_not(None)), table.c.id
        ):
            for row in page:
                yield row

    async def _pages_of(
        self, chosen: Select[Any], column: ColumnElement[Any]
    ) -> AsyncIterator[Sequence[Row[Any]]]:
        """Yield the rows of a select in order of their ids, by pages."""
        found, after = chosen.where(column > bindparam("after")).order_by(column).limit(PAGE), ""
        while rows := (await self._conn.execute(found, {"after": after})).fetchall():
            yield rows
            after = rows[-1].id

    async def _exact(self, by: Pass) -> None:
        grouped = (sql.GROUPS, sql.GROUP_PIECES, sql.GROUP_EXPECTATIONS, sql.UNCLEAR, sql.WHOLE)
        settle = (sql.SETTLE_PIECES, sql.SETTLE_EXPECTATIONS, sql.DOUBT)
        if by is Pass.BATCH:
            await self._run(by, *grouped, sql.BATCH_DIFFERS, *settle, sql.MISPLACED, *_MISPLACED)
        else:
            steps = (*grouped, *settle, sql.PARTS, *_BY_AMOUNT, sql.MISPLACED, *_MISPLACED)
            await self._run(by, *steps)

    async def _run(self, by: Pass, *steps: Executable) -> None:
        """Run the statements of one pass, with the work tables empty before it."""
        for table in tables.WORK:
            await self._conn.execute(table.delete())
        exact, batch = int(by is Pass.MANDATE), int(by is Pass.BATCH)
        for statement in steps:
            await self._conn.execute(statement, {"via": by.value, "exact": exact, "batch": batch})

    async def _settle_near(self, by: Pass) -> None:
        for statement in (
            sql.SETTLE_NEAR_PIECES,
            sql.SETTLE_NEAR_EXPECTATIONS,
            sql.DOUBT_PAIRS,
        ):
            await self._conn.execute(statement, {"via": by.value})

    async def _compare_names(self) -> None:
        """Compare names of the pairs that share the beginning of a word; few are left by then."""
        await self._conn.execute(tables.pairs.delete())
        pairs = await self._conn.execute(sql.NEAR_NAMES, {"most": SHARED_MOST})
        like = [
            {"piece": row.piece, "expectation": row.expectation}
            for row in pairs
            if similarity(row.expected, row.said) >= row.similarity
        ]
        await self._add(tables.pairs, like)

    async def _add(self, table: Table, rows: Iterable[Given]) -> None:
        for page in _pages(rows):
            await self._conn.execute(insert(table), page)


def _pages(several: Iterable[Any]) -> Iterator[Sequence[Any]]:
    left = iter(several)
    while page := list(islice(left, PAGE)):
        yield page


def _expectation_row(it: Expectation) -> Given:
    return {
        "id": it.id,
        "minor": it.minor,
        "currency": it.currency,
        "day": it.on.toordinal(),
        "by_day": it.expected_by.toordinal(),
        "any_amount": int(it.any_amount),
        "proven": int(it.is_proven),
        "has_legs": int(bool(it.legs)),
        "fee_most": it.tolerance.fee_most_minor,
        "days": it.tolerance.days,
        "similarity": it.tolerance.similarity,
        "posts": int(it.tolerance.posts),
        "said": it.text,
    }


def _piece_row(piece: Piece) -> Given:
    return {
        "id": piece.id,
        "account": piece.account,
        "minor": piece.minor,
        "currency": piece.currency,
        "day": piece.on.toordinal(),
        "batch_count": piece.batch_count,
        "has_keys": int(bool(piece.keys)),
        "said": piece.text,
    }


def line_result(row: Any) -> LineResult:  # noqa: ANN401  (a row of the driver)
    """What a row of a piece says of it."""
    return LineResult(
        Status(row.status),
        None if row.via is None else Pass(row.via),
        None if row.cause is None else Cause(row.cause),
        row.label or "",
        row.fee,
        bool(row.does_post),
        row.loan or "",
    )
