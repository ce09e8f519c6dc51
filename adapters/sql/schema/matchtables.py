"""The tables of what waits on bank lines. `adapters.sql.schema.tables` has them too."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from adapters.sql.schema.journaltables import metadata

waiting_pieces = Table(
    "waiting_pieces",
    metadata,
    # Money on lines that nothing explains, each piece with what the bank says of it.
    Column("line_id", ForeignKey("lines.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("account", String(60), nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("value_on", Date, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("batch_count", Integer),
    # Name of the other side and free text; gone when the money is explained.
    Column("said", Text, nullable=False),
    Index("ix_waiting_pieces_account_booked_on", "account", "booked_on"),
)
waiting_keys = Table(
    "waiting_keys",
    metadata,
    # Its references, by the pass of matching that uses them.
    Column("line_id", ForeignKey("lines.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("via", String(30), primary_key=True),
    Column("key", String(160), primary_key=True),
)
