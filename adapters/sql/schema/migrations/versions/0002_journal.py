"""The journal, which can only grow, its head and checkpoints; payouts; daily audits."""

import uuid

import sqlalchemy as sa
from alembic import op

from adapters.sql.schema.appendonly import triggers
from adapters.sql.schema.types import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _commands()
    _entries()
    _transitions()
    _checkpoints()
    _payable_items()
    _payouts()
    _audits()
    postgres = op.get_bind().dialect.name == "postgresql"
    # Spelled out: what this step did must not change when tables are added later.
    guarded = (
        "entries",
        "postings",
        "transitions",
        "commands",
        "file_chunks",
        "checkpoints",
        "receipts",
        "payout_items",
        "audit_days",
        "signoffs",
    )
    for statement in triggers(guarded, postgres=postgres):
        op.execute(statement)
    op.execute(
        sa.text(
            "INSERT INTO chain_head (id, seq, hash, books_id) VALUES (1, 0, :genesis, :books_id)"
        ).bindparams(genesis="0" * 64, books_id=uuid.uuid4().hex)
    )


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String(length=240), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dedup_key", sa.String(length=240), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("approver", sa.String(length=160), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_key", sa.String(length=320), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("written_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.UniqueConstraint("dedup_key", name="uq_commands_dedup_key"),
        sa.UniqueConstraint("seq", name="uq_commands_seq"),
    )
    op.create_index(
        "ix_commands_loan_id_subject_key", "commands", ["loan_id", "subject_key"], unique=False
    )
    op.create_table(
        "chain_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ledger", sa.String(length=60), server_default="main", nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=True),
        sa.Column("books_id", sa.String(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_chain_head_single"),
        sa.PrimaryKeyConstraint("id", name="pk_chain_head"),
        sa.UniqueConstraint("ledger", name="uq_chain_head_ledger"),
    )


def _entries() -> None:
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
        sa.Column("ledger", sa.String(length=60), nullable=False),
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
        sa.Column("payment", sa.String(length=160), nullable=True),
        sa.Column("order_no", sa.String(length=120), nullable=True),
        sa.Column("line", sa.String(length=160), nullable=True),
        sa.Column("party", sa.String(length=120), nullable=True),
        sa.Column("place", sa.String(length=240), nullable=True),
        sa.Column("payout", sa.String(length=240), nullable=True),
        sa.CheckConstraint("minor <> 0", name="ck_postings_something"),
        sa.ForeignKeyConstraint(["seq"], ["entries.seq"], name="fk_postings_seq"),
        sa.PrimaryKeyConstraint("seq", "position", name="pk_postings"),
    )
    op.create_index(
        "ix_postings_account_item",
        "postings",
        ["account", "loan", "number", "component", "payment", "place"],
        unique=False,
    )
    op.create_index("ix_postings_loan_number", "postings", ["loan", "number"], unique=False)
    op.create_index("ix_postings_payout", "postings", ["payout"], unique=False)
    op.create_index("ix_postings_payment", "postings", ["payment"], unique=False)
    op.create_table(
        "balances",
        sa.Column("account", sa.String(length=240), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "currency", name="pk_balances"),
    )


def _transitions() -> None:
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
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_key", sa.String(length=320), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("order_no", sa.String(length=120), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_transitions"),
    )
    op.create_index(
        "ix_transitions_loan_id_subject_key",
        "transitions",
        ["loan_id", "subject_key"],
        unique=False,
    )


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("ledger", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("public_key", sa.String(length=320), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("peaks", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "size", name="pk_checkpoints"),
    )
    op.create_table(
        "receipts",
        sa.Column("ledger", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("anchor", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.Column("witnessed_at", Instant(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ledger", "size"],
            ["checkpoints.ledger", "checkpoints.size"],
            name="fk_receipts_ledger_size",
        ),
        sa.PrimaryKeyConstraint("ledger", "size", "anchor", name="pk_receipts"),
    )


def _payable_items() -> None:
    op.create_table(
        "payable_items",
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("payment", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("component", sa.String(length=20), nullable=False),
        sa.Column("party", sa.String(length=120), nullable=False),
        sa.Column("place", sa.String(length=240), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("taken_minor", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_payable_items_loan_id"),
        sa.PrimaryKeyConstraint(
            "loan_id",
            "payment",
            "number",
            "component",
            "party",
            "place",
            name="pk_payable_items",
        ),
    )
    op.create_index(
        "ix_payable_items_place", "payable_items", ["place", "currency", "party"], unique=False
    )


def _payouts() -> None:
    op.create_table(
        "receivable_items",
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("payment", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("component", sa.String(length=20), nullable=False),
        sa.Column("party", sa.String(length=120), nullable=False),
        sa.Column("place", sa.String(length=240), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_receivable_items_loan_id"),
        sa.PrimaryKeyConstraint(
            "loan_id",
            "payment",
            "number",
            "component",
            "party",
            "place",
            name="pk_receivable_items",
        ),
    )
    op.create_index(
        "ix_receivable_items_place",
        "receivable_items",
        ["place", "currency", "party"],
        unique=False,
    )
    op.create_table(
        "payouts",
        sa.Column("key", sa.String(length=240), nullable=False),
        sa.Column("order_no", sa.String(length=120), nullable=False),
        sa.Column("payee", sa.String(length=120), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("cut_off_on", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("payment", sa.String(length=160), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_payouts"),
        sa.UniqueConstraint("order_no", name="uq_payouts_order_no"),
    )
    op.create_index("ix_payouts_payment", "payouts", ["payment"], unique=False)
    op.create_index(
        "ix_payouts_account_currency_state",
        "payouts",
        ["account", "currency", "state"],
        unique=False,
    )
    op.create_table(
        "payout_items",
        sa.Column("payout", sa.String(length=240), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("payment", sa.String(length=160), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("component", sa.String(length=20), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "payout", "loan_id", "payment", "number", "component", name="pk_payout_items"
        ),
    )
    op.create_index("ix_payout_items_loan_id", "payout_items", ["loan_id"], unique=False)


def _audits() -> None:
    op.create_table(
        "audit_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("clean", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.BigInteger(), nullable=False),
        sa.Column("unexplained", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", "run", name="pk_audit_days"),
    )
    op.create_table(
        "signoffs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("approver", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["day", "run"],
            ["audit_days.day", "audit_days.run"],
            name="fk_signoffs_day_run_audit_days",
        ),
        sa.PrimaryKeyConstraint("day", "run", name="pk_signoffs"),
    )
