"""Files by content hash, and statements that were read: implements `ports.archive.Archive`."""

import hashlib
from collections.abc import Sequence

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import among, is_postgres, listed
from adapters.sql.read.looking import look
from adapters.sql.schema.tables import files, lines, statements
from domain.errors import InvariantBroken
from ports.archive import StatementRecord
from ports.clock import Clock

_RECORD = TypeAdapter(StatementRecord)


def read_statement(body: str) -> StatementRecord:
    """A kept record of a statement."""
    return _RECORD.validate_json(body)


class SqlArchive:
    """Keeps files in the books' own database, so that one backup holds both."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._dialect = postgresql if is_postgres(engine) else sqlite

    async def keep(self, kind: str, content: bytes) -> str:
        """Keep a file; the same content is kept once. Gives its SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        row = {
            "sha256": sha256,
            "kind": kind,
            "size": len(content),
            "kept_at": self._clock.now(),
            "content": content,
        }
        async with self._engine.begin() as conn:
            await conn.execute(self._dialect.insert(files).values(row).on_conflict_do_nothing())
        return sha256

    async def load(self, sha256: str) -> bytes:
        """The content of a kept file.

        Raises:
            KeyError: no such file is kept.
            InvariantBroken: the content no longer has the hash under which it is kept.
        """
        async with look(self._engine) as conn:
            found = await conn.execute(select(files.c.content).where(files.c.sha256 == sha256))
            row = found.first()
        if row is None:
            raise KeyError(sha256)
        content = bytes(row.content)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InvariantBroken(f"kept file {sha256} has another content")
        return content

    async def record_statement(self, record: StatementRecord) -> bool:
        """Remember a statement that was read; False if its account has it already.

        A statement is known by account, id and period. Its file waits for no reader any more.
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
        read = update(files).where(files.c.sha256 == record.sha256, files.c.read_at.is_(None))
        async with self._engine.begin() as conn:
            done = await conn.execute(put.returning(statements.c.statement_id))
            fresh = done.first() is not None
            await conn.execute(read.values(read_at=self._clock.now()))
            return fresh

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
