"""Every table of the books, with the two rows that stand alone."""

import uuid

import sqlalchemy as sa
from alembic import op

from adapters.sql.schema.types import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _aggregates()
    _children()
    _journal()
    _rest()
    op.execute(
        sa.text(
            "INSERT INTO chain_head (id, seq, hash, books_id) VALUES (1, 0, :genesis, :books_id)"
        ).bindparams(genesis="0" * 64, books_id=uuid.uuid4().hex)
    )


def _aggregates() -> None:
    op.create_table(
        "products",
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name="pk_products"),
    )
    op.create_table(
        "loans",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("tenant", sa.String(length=120), nullable=False),
        sa.Column("product_ref", sa.String(length=120), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("mandate_ref", sa.String(length=120), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("next_roll_on", sa.Date(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["product_ref"], ["products.ref"], name="fk_loans_product_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_loans"),
    )
    op.create_index("ix_loans_mandate_ref", "loans", ["mandate_ref"], unique=False)
    op.create_index("ix_loans_next_roll_on_id", "loans", ["next_roll_on", "id"], unique=False)
    op.create_table(
        "lines",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("statement_id", sa.String(length=120), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lines"),
    )
    op.create_table(
        "cases",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("key", sa.String(length=240), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("line", sa.String(length=160), nullable=True),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_cases_open_line",
        "cases",
        ["line"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_cases_open_loan",
        "cases",
        ["loan_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_cases_open",
        "cases",
        ["key"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )


def _children() -> None:
    op.create_table(
        "installments",
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("next_action_at", Instant(), nullable=True),
        sa.Column("next_action_kind", sa.String(length=20), nullable=True),
        sa.Column("driver_seen", sa.Integer(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_installments_loan_id"),
        sa.PrimaryKeyConstraint("loan_id", "number", name="pk_installments"),
    )
    op.create_index(
        "ix_installments_running",
        "installments",
        ["next_action_at"],
        unique=False,
        postgresql_where=sa.text("opened AND NOT is_final"),
        sqlite_where=sa.text("opened = 1 AND is_final = 0"),
    )
    op.create_index("ix_installments_state", "installments", ["state"], unique=False)
    op.create_index(
        "ix_installments_unfinished",
        "installments",
        ["loan_id", "number"],
        unique=False,
        postgresql_where=sa.text("opened AND NOT is_final"),
        sqlite_where=sa.text("opened = 1 AND is_final = 0"),
    )
    op.create_table(
        "attempts",
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_no", sa.String(length=120), nullable=False),
        sa.Column("mandate_ref", sa.String(length=120), nullable=False),
        sa.Column("rail", sa.String(length=60), nullable=False),
        sa.Column("batch_ref", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("outcome_class", sa.String(length=30), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_attempts_loan_id"),
        sa.PrimaryKeyConstraint("loan_id", "number", "attempt", name="pk_attempts"),
        sa.UniqueConstraint("order_no", name="uq_attempts_order_no"),
    )
    op.create_index("ix_attempts_batch_ref", "attempts", ["batch_ref"], unique=False)
    op.create_index("ix_attempts_state", "attempts", ["state"], unique=False)
    op.create_table(
        "notices",
        sa.Column("message_id", sa.String(length=160), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_notices_loan_id"),
        sa.PrimaryKeyConstraint("message_id", name="pk_notices"),
    )
    op.create_index("ix_notices_loan_id_number", "notices", ["loan_id", "number"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("order_no", sa.String(length=120), nullable=True),
        sa.Column("reference", sa.String(length=160), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("waiting_minor", sa.BigInteger(), nullable=False),
        sa.Column("clearing_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_receipts_loan_id"),
        sa.PrimaryKeyConstraint("loan_id", "id", name="pk_receipts"),
    )
    op.create_index("ix_receipts_id", "receipts", ["id"], unique=False)
    op.create_index("ix_receipts_reference", "receipts", ["reference"], unique=False)


def _journal() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String(length=240), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dedup_key", sa.String(length=240), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("written_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.UniqueConstraint("seq", name="uq_commands_seq"),
        sa.UniqueConstraint("dedup_key", name="uq_commands_dedup_key"),
    )
    op.create_index("ix_commands_loan_id_number", "commands", ["loan_id", "number"], unique=False)
    op.create_table(
        "chain_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("books_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_chain_head_single"),
        sa.PrimaryKeyConstraint("id", name="pk_chain_head"),
    )
    op.create_table(
        "entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("command_id", sa.String(length=240), nullable=False),
        sa.Column("actor_kind", sa.String(length=60), nullable=False),
        sa.Column("actor_id", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("product", sa.String(length=240), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_entries"),
    )
    op.create_table(
        "postings",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=240), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("loan", sa.String(length=120), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("component", sa.String(length=20), nullable=True),
        sa.Column("receipt", sa.String(length=160), nullable=True),
        sa.Column("order_no", sa.String(length=120), nullable=True),
        sa.Column("line", sa.String(length=160), nullable=True),
        sa.CheckConstraint("minor <> 0", name="ck_postings_something"),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name="fk_postings_seq"),
        sa.PrimaryKeyConstraint("seq", "position", name="pk_postings"),
    )
    op.create_index("ix_postings_loan_number", "postings", ["loan", "number"], unique=False)
    op.create_index("ix_postings_receipt", "postings", ["receipt"], unique=False)
    op.create_table(
        "transitions",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("command_id", sa.String(length=240), nullable=False),
        sa.Column("actor_kind", sa.String(length=60), nullable=False),
        sa.Column("actor_id", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("product", sa.String(length=240), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("order_no", sa.String(length=120), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_transitions"),
    )
    op.create_index(
        "ix_transitions_loan_id_number", "transitions", ["loan_id", "number"], unique=False
    )
    op.create_table(
        "balances",
        sa.Column("account", sa.String(length=240), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "currency", name="pk_balances"),
    )


def _rest() -> None:
    op.create_table(
        "outbox",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("stream", sa.String(length=240), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", Instant(), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("dead_at", Instant(), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_left",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL"),
        sqlite_where=sa.text("delivered_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_left_stream",
        "outbox",
        ["stream", "id"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL"),
        sqlite_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.Column("reached", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_files"),
    )
    op.create_table(
        "file_chunks",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "position", name="pk_file_chunks"),
    )
    op.create_table(
        "statements",
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("statement_id", sa.String(length=120), nullable=False),
        sa.Column("period", sa.String(length=21), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", "statement_id", "period", name="pk_statements"),
    )
