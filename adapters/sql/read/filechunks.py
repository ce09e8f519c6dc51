"""Reads kept files chunk by chunk, and checks that each still has the hash that is its name."""

import hashlib
from collections.abc import AsyncIterator

from sqlalchemy import LargeBinary, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.schema.tables import file_chunks, files
from domain.ledger.chain import Verification

FILES_PAGE = 500


async def chunks_of(conn: AsyncConnection, sha256: str) -> AsyncIterator[bytes]:
    """The chunks of a file in order, up to the first that lacks; one is in memory at a time."""
    position = 0
    # Cast, because SQLite lets anybody write text there that is not even UTF-8.
    content = cast(file_chunks.c.content, LargeBinary).label("content")
    chunk = select(content).where(file_chunks.c.sha256 == sha256)
    while True:  # ends with the last chunk
        found = await conn.execute(chunk.where(file_chunks.c.position == position))
        if (row := found.first()) is None:
            return
        yield bytes(row.content)
        position += 1


async def verify_files(conn: AsyncConnection, found: Verification) -> int:
    """Hash every kept file again and put each that differs into `found`; the number of files."""
    counted, after = 0, ""
    page = select(files.c.sha256, files.c.size).order_by(files.c.sha256).limit(FILES_PAGE)
    while rows := (await conn.execute(page.where(files.c.sha256 > after))).all():
        for name, size in rows:
            read, digest = 0, hashlib.sha256()
            async for chunk in chunks_of(conn, name):
                digest.update(chunk)
                read += len(chunk)
            if digest.hexdigest() != name or read != size:
                found.fault(f"kept file {name} of {size} bytes has another content")
        counted += len(rows)
        after = rows[-1].sha256
    return counted
