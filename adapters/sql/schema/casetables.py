"""The tables of cases. `adapters.sql.schema.tables` has them too, with all others."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from adapters.sql.schema.journaltables import metadata
from adapters.sql.schema.types import Instant

cases = Table(
    "cases",
    metadata,
    # What cases are found by; the cases themselves are subjects.
    Column("key", String(320), primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("loan_id", String(120), index=True),
    Column("number", Integer),
    Column("line", String(160), index=True),
    # What it has in common with others of one file, by which they are counted; else empty.
    Column("group_key", String(160), index=True),
    # The team that has it, and the person of it who works on it; empty while nobody does.
    Column("owner", String(120), nullable=False),
    Column("assignee", String(120), nullable=False),
    # Who brought it about as far as is known, why it was opened, and how it ended.
    Column("cause", String(20), nullable=False),
    Column("code", String(60), nullable=False),
    Column("resolution", String(20)),
    Column("opened_at", Instant, nullable=False),
    # From when on it is late: nobody has taken it, or it should have ended. Empty while it waits.
    Column("late_from", Instant),
    Column("closed_at", Instant),
)
_open = cases.c.closed_at.is_(None)
Index("ix_cases_open", cases.c.kind, cases.c.opened_at, postgresql_where=_open, sqlite_where=_open)
Index("ix_cases_opened_at", cases.c.opened_at, cases.c.key)
Index("ix_cases_code", cases.c.code, cases.c.opened_at)

case_links = Table(
    "case_links",
    metadata,
    # What a case points to, or did in an earlier generation; nothing is taken out.
    Column("case_key", ForeignKey("cases.key"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("name", String(320), primary_key=True),
)
Index("ix_case_links_name", case_links.c.name, case_links.c.kind)

# Compared by code points on both databases, so that an index finds the beginning of a word.
Word = String(40).with_variant(String(40, collation="C"), "postgresql")
case_words = Table(
    "case_words",
    metadata,
    # Words of the text and notes of cases; nothing is taken out.
    Column("word", Word, primary_key=True),
    Column("case_key", ForeignKey("cases.key"), primary_key=True, index=True),
)

case_items = Table(
    "case_items",
    metadata,
    # Lines that one case stands for; each ends by itself.
    Column("case_key", ForeignKey("cases.key"), primary_key=True),
    Column("line", String(160), primary_key=True, index=True),
    Column("text", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Column("reason", Text, nullable=False),
)
