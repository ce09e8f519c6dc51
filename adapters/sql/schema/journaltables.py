"""The tables of the journal, which is the truth: commands, moves, entries with their postings.

The chain head stands beside them, the balances that they sum up to, and the signed checkpoints with
the receipts of those who witnessed them.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from adapters.sql.schema.types import Instant
from domain.ledger.chain import LEDGER

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
commands = Table(
    "commands",
    metadata,
    Column("id", String(240), primary_key=True),
    Column("identity", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    # Of evidence; a second command with the same key is kept here without it.
    Column("dedup_key", String(240), unique=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(160), nullable=False),
    Column("approver", String(160)),
    Column("reason", Text, nullable=False),
    Column("rule", String(120)),
    Column("answer", Text, nullable=False),
    # What it was about, and the loan in whose story it stands; empty where it is about none.
    Column("subject_kind", String(40), nullable=False),
    Column("subject_key", String(320), nullable=False),
    Column("loan_id", String(120), nullable=False),
    # Its place in the chain, before the moves and entries that it made.
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("posted_on", Date, nullable=False),
    Column("hash", String(64), nullable=False),
    # Which write brought it: after a lost connection it tells our own commit from another's.
    Column("written_by", String(80), nullable=False),
    Index("ix_commands_loan_id_subject_key", "loan_id", "subject_key"),
)

chain_head = Table(
    "chain_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # A chain for each ledger; there is one so far.
    Column("ledger", String(60), nullable=False, unique=True, server_default=LEDGER),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    # The last day on which anything was posted: nothing follows it on an earlier one.
    Column("posted_on", Date),
    # Names these books for ever, made with them: no two books have the same.
    Column("books_id", String(32), nullable=False),
    CheckConstraint("id = 1", name="single"),
)


def _journal_columns() -> tuple[Column[object], ...]:
    return (
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("command_id", String(240), nullable=False),
        Column("actor_kind", String(60), nullable=False),
        Column("actor_id", String(120), nullable=False),
        Column("reason", Text, nullable=False),
        Column("product", String(240), nullable=False),
        Column("at", Instant, nullable=False),
        Column("posted_on", Date, nullable=False),
        Column("hash", String(64), nullable=False),
    )


entries = Table(
    "entries",
    metadata,
    *_journal_columns(),
    Column("ledger", String(60), nullable=False),
    Column("event", String(60), nullable=False),
    Column("value_on", Date, nullable=False),
)

postings = Table(
    "postings",
    metadata,
    Column("seq", ForeignKey("entries.seq"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("account", String(240), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("loan", String(120)),
    Column("number", Integer),
    Column("component", String(20)),
    Column("payment", String(160)),
    Column("order_no", String(120)),
    Column("line", String(160)),
    Column("party", String(120)),
    # Where the money lies, on accounts that hold money; see `domain.ledger.accounts.PLACED`.
    Column("place", String(240)),
    # Of a payout: the rows of its items stand for what it pays.
    Column("payout", String(240)),
    Index("ix_postings_payout", "payout"),
    Index("ix_postings_loan_number", "loan", "number"),
    # Every account can be read by item.
    Index("ix_postings_account_item", "account", "loan", "number", "component", "payment", "place"),
    Index("ix_postings_payment", "payment"),
    CheckConstraint("minor <> 0", name="something"),
)

transitions = Table(
    "transitions",
    metadata,
    *_journal_columns(),
    Column("subject_kind", String(40), nullable=False),
    Column("subject_key", String(320), nullable=False),
    # The loan in whose story it stands; empty where it is about none.
    Column("loan_id", String(120), nullable=False),
    Column("source", String(40), nullable=False),
    Column("target", String(40), nullable=False),
    Column("event", String(40), nullable=False),
    Column("order_no", String(120)),
    Column("detail", Text, nullable=False),
    Index("ix_transitions_loan_id_subject_key", "loan_id", "subject_key"),
)

balances = Table(
    "balances",
    metadata,
    Column("account", String(240), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("minor", BigInteger, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("ledger", String(60), primary_key=True),
    # How many items it covers, and the Merkle root and the chain's hash at that size.
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("head", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    # The key that signed it, as one line; and the file as it was given out.
    Column("public_key", String(320), nullable=False),
    Column("note", Text, nullable=False),
    # What the tree needs to grow: hashes of whole subtrees, the largest first, in hexadecimal.
    Column("peaks", Text, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("ledger", String(60), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    # Who witnessed the checkpoint, by the name in our settings, and of what kind that is.
    Column("anchor", String(60), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("kept_at", Instant, nullable=False),
    # When they saw it by their own clock, where they say so.
    Column("witnessed_at", Instant),
    Column("content", LargeBinary, nullable=False),
    ForeignKeyConstraint(["ledger", "size"], ["checkpoints.ledger", "checkpoints.size"]),
)
