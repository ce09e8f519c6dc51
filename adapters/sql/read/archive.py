"""Files by content hash, and statements that were read: implements `ports.archive.Archive`."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import BinaryIO

from pydantic import TypeAdapter
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import among, is_postgres, listed
from adapters.sql.read import filecontrols, sourcelooks
from adapters.sql.read.filechunks import chunks_of
from adapters.sql.read.looking import look
from adapters.sql.schema.tables import (
    cases,
    file_chunks,
    files,
    lines,
    source_files,
    statements,
)
from adapters.sql.spool import Spool
from domain.errors import InvariantBroken
from domain.statement.broken import StatementBreak
from ports.archive import FILE_BYTES_MOST, Look, Reached, StatementRecord
from ports.clock import Clock

CHUNK_BYTES = 256 * 1024
"""Size of a row of `file_chunks`, the last of a file aside; one is in memory at a time.

It never changes: a file whose keeping was interrupted is completed in pieces of the same size."""
OPEN_MOST = 1000
_RECORD = TypeAdapter(StatementRecord)
_REACHED = TypeAdapter(Reached)


def read_statement(body: str) -> StatementRecord:
    """A kept record of a statement."""
    return _RECORD.validate_json(body)


class SqlArchive:
    """Keeps files in the books' own database, so that one backup holds both."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._dialect = postgresql if is_postgres(engine) else sqlite

    async def keep(self, kind: str, parts: AsyncIterator[bytes], account: str | None = None) -> str:
        """Keep a file; see the port.

        Its hash is known at its end, so it goes to disk first. Each chunk is a transaction of its
        own: the books write meanwhile. The row that makes a file whole is written last, so what a
        crash leaves behind is found by no one and is taken up when the same file comes again.
        """
        with Spool(FILE_BYTES_MOST) as spool:
            async for part in parts:
                await spool.write(part)
            sha256 = spool.sha256
            if sha256 not in await self.kept([sha256]):
                await self._keep(kind, sha256, spool, account)
            elif account is not None:
                async with self._engine.begin() as conn:
                    await filecontrols.hand_in(conn, sha256, account)
        return sha256

    async def _keep(self, kind: str, sha256: str, spool: Spool, account: str | None) -> None:
        put = self._dialect.insert(file_chunks).on_conflict_do_nothing()
        source, position = spool.rewound(), 0
        while content := await asyncio.to_thread(source.read, CHUNK_BYTES):
            row = {"sha256": sha256, "position": position, "content": content}
            async with self._engine.begin() as conn:
                await conn.execute(put, row)
            position += 1
        whole = {
            "sha256": sha256,
            "kind": kind,
            "size": spool.size,
            "account": account,
            "kept_at": self._clock.now(),
        }
        async with self._engine.begin() as conn:
            await conn.execute(self._dialect.insert(files).values(whole).on_conflict_do_nothing())

    @asynccontextmanager
    async def open(self, sha256: str) -> AsyncIterator[BinaryIO]:
        """A kept file on disk; see the port."""
        if sha256 not in await self.kept([sha256]):
            raise KeyError(sha256)
        with Spool(FILE_BYTES_MOST) as spool:
            async with look(self._engine) as conn:
                async for chunk in chunks_of(conn, sha256):
                    await spool.write(chunk)
            if spool.sha256 != sha256:
                raise InvariantBroken(f"kept file {sha256} has another content")
            yield spool.rewound()

    async def kept(self, sha256s: Sequence[str]) -> dict[str, bool]:
        """Which of these files are kept, each with whether it was read to its end."""
        postgres = is_postgres(self._engine)
        query = select(files.c.sha256, files.c.read_at).where(
            among(files.c.sha256, "names", postgres=postgres)
        )
        async with look(self._engine) as conn:
            rows = await conn.execute(query, {"names": listed(sha256s, postgres=postgres)})
            return {row.sha256: row.read_at is not None for row in rows}

    async def look_at(self, source: str, stamps: Mapping[str, str]) -> dict[str, Look]:
        """Remember the files that a source offers now; see the port."""
        insert = self._dialect.insert(source_files).on_conflict_do_nothing()
        async with self._engine.begin() as conn:
            return await sourcelooks.look_at(conn, source, stamps, self._clock.now(), insert)

    async def looked(self, source: str, file_id: str, look: Look) -> None:
        """Remember what became of a file, unless it has another stamp by now."""
        async with self._engine.begin() as conn:
            await sourcelooks.put(conn, source, file_id, look)

    async def reached(self, sha256: str) -> Reached | None:
        """How far the reading of a file has come; None where it has to begin."""
        query = select(files.c.reached).where(files.c.sha256 == sha256)
        async with look(self._engine) as conn:
            text = (await conn.execute(query)).scalar()
        return None if text is None else _REACHED.validate_json(text)

    async def reach(self, sha256: str, before: Reached | None, now: Reached) -> bool:
        """Remember how far a reading has come; False where it is no longer at `before`."""
        at = files.c.reached.is_not_distinct_from(_text(before))
        put = update(files).where(files.c.sha256 == sha256, at).values(reached=_text(now))
        async with self._engine.begin() as conn:
            return (await conn.execute(put)).rowcount == 1

    async def record_statement(self, record: StatementRecord, *, ends_file: bool) -> bool:
        """Remember a statement that was read; False if its account has it already.

        A statement is known by account, id and period. With the last of its statements a file
        waits for no reader any more, and who reads it again begins at its beginning.
        """
        row = {
            "account": record.account,
            "statement_id": record.statement_id,
            "period": record.period,
            "sequence": record.sequence,
            "booked_on": record.booked_on,
            "sha256": record.sha256,
            "body": _RECORD.dump_json(record).decode(),
        }
        put = self._dialect.insert(statements).values(row).on_conflict_do_nothing()
        file = update(files).where(files.c.sha256 == record.sha256)
        async with self._engine.begin() as conn:
            done = await conn.execute(put.returning(statements.c.statement_id))
            fresh = done.first() is not None
            if ends_file:
                ended = {
                    "read_at": self._clock.now(),
                    "reached": None,
                    "control_due": files.c.account.is_not(None),
                }
                await conn.execute(file.values(ended))
            return fresh

    async def refused(self, sha256: str) -> None:
        """Remember that a file cannot be read; see the port."""
        async with self._engine.begin() as conn:
            await filecontrols.refuse(conn, sha256, self._clock.now())

    async def due_controls(self, account: str) -> frozenset[str] | None:
        """Files that were read and not judged yet; None while another one waits for its reader."""
        async with look(self._engine) as conn:
            return await filecontrols.due(conn, account, self._clock.now())

    async def judged(self, sha256s: Collection[str]) -> None:
        """Remember that the controls of their account were judged with these files."""
        async with self._engine.begin() as conn:
            await filecontrols.judged(conn, sha256s)

    async def restate(self, before: StatementRecord, now: StatementRecord) -> bool:
        """Write another record of a known statement; False where it is no longer `before`."""
        mine = (
            statements.c.account == before.account,
            statements.c.statement_id == before.statement_id,
            statements.c.period == before.period,
            statements.c.body == _RECORD.dump_json(before).decode(),
        )
        body = _RECORD.dump_json(now).decode()
        put = update(statements).where(*mine).values(sha256=now.sha256, body=body)
        async with self._engine.begin() as conn:
            return (await conn.execute(put)).rowcount == 1

    async def open_controls(self, account: str) -> frozenset[str]:
        """Keys of the open cases about the statements of an account."""
        starts = [f"{what.value}/{account}/" for what in StatementBreak]
        own = [func.substr(cases.c.key, 1, len(start)) == start for start in starts]
        query = (
            select(cases.c.key)
            .where(
                cases.c.kind.in_([what.value for what in StatementBreak]),
                cases.c.closed_at.is_(None),
                or_(*own),
            )
            .order_by(cases.c.opened_at, cases.c.key)
            .limit(OPEN_MOST)
        )
        async with look(self._engine) as conn:
            return frozenset(row.key for row in await conn.execute(query))

    async def booked_minor(self, account: str, first: date, last: date) -> int:
        """What the booked lines of an account come to, by booking date, both days included."""
        query = select(func.coalesce(func.sum(lines.c.amount_minor), 0)).where(
            lines.c.account == account, lines.c.booked_on.between(first, last)
        )
        async with look(self._engine) as conn:
            return int((await conn.execute(query)).scalar_one())

    async def statements(self, account: str | None = None) -> tuple[StatementRecord, ...]:
        """Known statements, by account and sequence; those without a number by their day."""
        order = (
            statements.c.account,
            statements.c.sequence,
            statements.c.booked_on,
            statements.c.statement_id,
            statements.c.period,
        )
        query = select(statements.c.body).order_by(*order)
        if account is not None:
            query = query.where(statements.c.account == account)
        async with look(self._engine) as conn:
            return tuple(read_statement(row.body) for row in await conn.execute(query))

    async def brought_by(self, line_ids: Sequence[str]) -> dict[str, str]:
        """Of the lines that are booked, the id of the statement that brought each first."""
        postgres = is_postgres(self._engine)
        query = select(lines.c.id, lines.c.statement_id).where(
            among(lines.c.id, "ids", postgres=postgres)
        )
        async with look(self._engine) as conn:
            rows = await conn.execute(query, {"ids": listed(line_ids, postgres=postgres)})
            return {row.id: row.statement_id for row in rows}


def _text(reached: Reached | None) -> str | None:
    return None if reached is None else _REACHED.dump_json(reached).decode()
