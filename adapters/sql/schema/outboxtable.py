"""The table of messages that leave after a commit, and which of its rows are read together."""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

from adapters.sql.schema.types import Instant
from domain.kernel.message import MessageState


def undelivered(outbox: Table) -> ColumnElement[bool]:
    """Rows of messages that are neither delivered nor dead letters."""
    return outbox.c.delivered_at.is_(None) & outbox.c.dead_at.is_(None)


def undecided(outbox: Table) -> ColumnElement[bool]:
    """Rows of dead letters that nobody has dropped."""
    return outbox.c.dead_at.is_not(None) & outbox.c.dropped_at.is_(None)


def state_of(row: Row[Any]) -> MessageState:
    """How far the message of a row has come."""
    if row.delivered_at is not None:
        return MessageState.DELIVERED
    if row.dropped_at is not None:
        return MessageState.DROPPED
    return MessageState.WAITING if row.dead_at is None else MessageState.DEAD


def outbox_table(metadata: MetaData, row_id: TypeEngine[Any]) -> Table:
    """The table with its indexes; `row_id`: a number that the database gives by itself."""
    outbox = Table(
        "outbox",
        metadata,
        Column("id", row_id, primary_key=True, autoincrement=True),
        Column("topic", String(40), nullable=False),
        Column("stream", String(240), nullable=False),
        Column("body", Text, nullable=False),
        Column("queued_at", Instant),
        Column("not_before", Instant),
        Column("tries", Integer, nullable=False, server_default=text("0")),
        Column("retry_at", Instant),
        Column("claimed_until", Instant),
        Column("delivered_at", Instant),
        # When its last try failed; empty again while it is tried anew.
        Column("dead_at", Instant),
        # How often it became a dead letter.
        Column("deaths", Integer, nullable=False, server_default=text("0")),
        # What is to be done about the case of a dead letter: `open` or `resolve`; empty: nothing.
        Column("case_due", String(10)),
        # Dropped by order; it stays dead.
        Column("dropped_at", Instant),
        Column("last_error", String(200)),
        sqlite_autoincrement=True,
    )
    for name, columns, rows in (
        ("ix_outbox_left", ("id",), undelivered(outbox)),
        ("ix_outbox_left_stream", ("stream", "id"), undelivered(outbox)),
        ("ix_outbox_dead", ("topic", "id"), undecided(outbox)),
        ("ix_outbox_case_due", ("id",), outbox.c.case_due.is_not(None)),
    ):
        Index(
            name,
            *(outbox.c[column] for column in columns),
            postgresql_where=rows,
            sqlite_where=rows,
        )
    return outbox
