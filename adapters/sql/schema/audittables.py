"""The tables of daily audits. `adapters.sql.schema.tables` has them too, with all others."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
)

from adapters.sql.schema.journaltables import metadata
from adapters.sql.schema.types import Instant

audit_days = Table(
    "audit_days",
    metadata,
    # The day that was audited, and which audit of it: one that finds something else is another.
    Column("day", Date, primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("findings", BigInteger, nullable=False),
    Column("unexplained", BigInteger, nullable=False),
    # SHA-256 of the body, which is JSON.
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

signoffs = Table(
    "signoffs",
    metadata,
    # Who answers for the result of an audit, by its digest.
    Column("day", Date, primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("role", String(40), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("approver", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("forced", Boolean, nullable=False),
    ForeignKeyConstraint(["day", "run"], ["audit_days.day", "audit_days.run"]),
)
