"""What is kept beside the journal: loans, subjects, bank lines, messages and files."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.schema.types import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UNCLEARED = "returned_minor - return_settled_minor != amount_minor - settled_minor"


def upgrade() -> None:
    """Apply."""
    _products_and_loans()
    _mandates()
    _subjects()
    _parts_of_loans()
    _payments()
    _lines()
    _waiting()
    _outbox()
    _files()


def _products_and_loans() -> None:
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
        sa.Column("creditor_ref", sa.String(length=25), nullable=False),
        sa.Column("virtual_account", sa.String(length=18), nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("next_roll_on", sa.Date(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["product_ref"], ["products.ref"], name="fk_loans_product_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_loans"),
    )
    op.create_index("ix_loans_mandate_ref", "loans", ["mandate_ref"], unique=False)
    op.create_index("ix_loans_creditor_ref", "loans", ["creditor_ref"], unique=False)
    op.create_index("ix_loans_virtual_account", "loans", ["virtual_account"], unique=False)
    op.create_index("ix_loans_next_roll_on_id", "loans", ["next_roll_on", "id"], unique=False)


def _mandates() -> None:
    op.create_table(
        "mandates",
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("rail", sa.String(length=60), nullable=False),
        sa.Column("payer", sa.String(length=120), nullable=False),
        sa.Column("account_token", sa.String(length=120), nullable=False),
        sa.Column("barred_account", sa.String(length=120), nullable=True),
        sa.Column("barred_payer", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("loans", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name="pk_mandates"),
    )
    for column in ("account_token", "barred_account", "barred_payer", "payer"):
        op.create_index(f"ix_mandates_{column}", "mandates", [column], unique=False)


def _subjects() -> None:
    op.create_table(
        "subjects",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("tenant", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("state_since", Instant(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("next_action_at", Instant(), nullable=True),
        sa.Column("next_action_kind", sa.String(length=40), nullable=True),
        sa.Column("needs_operator", sa.Boolean(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("borrower", sa.String(length=120), nullable=False),
        sa.Column("product", sa.String(length=120), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("rail", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("driven_by", sa.String(length=20), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("notified_of", sa.String(length=320), nullable=False),
        sa.Column("asleep_until", Instant(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_subjects"),
    )
    op.create_index(
        "ix_subjects_kind_state_since",
        "subjects",
        ["kind", "state", "state_since", "key"],
        unique=False,
    )
    op.create_index("ix_subjects_borrower", "subjects", ["borrower", "kind"], unique=False)
    op.create_index(
        "ix_subjects_kind_since", "subjects", ["kind", "state_since", "key"], unique=False
    )
    _index_of(
        "ix_subjects_needed",
        "subjects",
        ["kind", "state_since", "key"],
        "needs_operator",
        "needs_operator = 1",
    )
    op.create_index("ix_subjects_loan_id_kind", "subjects", ["loan_id", "kind"], unique=False)
    _index_of(
        "ix_subjects_running",
        "subjects",
        ["next_action_at"],
        "opened AND NOT is_final",
        "opened = 1 AND is_final = 0",
    )
    _index_of(
        "ix_subjects_swept",
        "subjects",
        ["kind", "next_action_at", "key"],
        "driven_by = 'sweep' AND NOT is_final",
        "driven_by = 'sweep' AND is_final = 0",
    )
    _index_of(
        "ix_subjects_unfinished",
        "subjects",
        ["kind", "key"],
        "opened AND NOT is_final",
        "opened = 1 AND is_final = 0",
    )


def _parts_of_loans() -> None:
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
        sa.Column("cut_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_attempts_loan_id"),
        sa.PrimaryKeyConstraint("loan_id", "number", "attempt", name="pk_attempts"),
        sa.UniqueConstraint("order_no", name="uq_attempts_order_no"),
    )
    op.create_index("ix_attempts_batch_ref", "attempts", ["batch_ref"], unique=False)
    op.create_index("ix_attempts_mandate_ref", "attempts", ["mandate_ref"], unique=False)
    op.create_index("ix_attempts_state", "attempts", ["state"], unique=False)
    _index_of(
        "ix_attempts_in_file",
        "attempts",
        ["rail", "cut_at"],
        "state = 'INTENDED' AND cut_at IS NOT NULL",
    )
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
        "portions",
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("order_no", sa.String(length=120), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("waiting_minor", sa.BigInteger(), nullable=False),
        sa.Column("clearing_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name="fk_portions_loan_id"),
        sa.PrimaryKeyConstraint("loan_id", "id", name="pk_portions"),
    )
    op.create_index("ix_portions_id", "portions", ["id"], unique=False)
    _index_of("ix_portions_waiting", "portions", ["id"], "waiting_minor > 0")


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("payer", sa.String(length=120), nullable=False),
        sa.Column("order_no", sa.String(length=120), nullable=True),
        sa.Column("reference", sa.String(length=160), nullable=False),
        sa.Column("bank_ref", sa.String(length=160), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("settled_minor", sa.BigInteger(), nullable=False),
        sa.Column("returned_minor", sa.BigInteger(), nullable=False),
        sa.Column("return_settled_minor", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
    )
    op.create_index("ix_payments_payer", "payments", ["payer"], unique=False)
    op.create_index("ix_payments_reference", "payments", ["reference"], unique=False)
    _index_of("ix_payments_uncleared", "payments", ["id"], _UNCLEARED)


def _lines() -> None:
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
        "line_refs",
        sa.Column("ref", sa.String(length=160), nullable=False),
        sa.Column("line_id", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name="fk_line_refs_line_id"),
        sa.PrimaryKeyConstraint("ref", "line_id", name="pk_line_refs"),
    )


def _waiting() -> None:
    op.create_table(
        "waiting_pieces",
        sa.Column("line_id", sa.String(length=160), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("batch_count", sa.Integer(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name="fk_waiting_pieces_line_id"),
        sa.PrimaryKeyConstraint("line_id", "position", name="pk_waiting_pieces"),
    )
    op.create_index(
        "ix_waiting_pieces_account_booked_on",
        "waiting_pieces",
        ["account", "booked_on"],
        unique=False,
    )
    op.create_table(
        "waiting_keys",
        sa.Column("line_id", sa.String(length=160), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("via", sa.String(length=30), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name="fk_waiting_keys_line_id"),
        sa.PrimaryKeyConstraint("line_id", "position", "via", "key", name="pk_waiting_keys"),
    )


def _outbox() -> None:
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
        sa.Column("queued_at", Instant(), nullable=True),
        sa.Column("not_before", Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", Instant(), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("dead_at", Instant(), nullable=True),
        sa.Column("deaths", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("case_due", sa.String(length=10), nullable=True),
        sa.Column("dropped_at", Instant(), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    for name, columns, where in (
        ("ix_outbox_left", ["id"], "delivered_at IS NULL AND dead_at IS NULL"),
        ("ix_outbox_left_stream", ["stream", "id"], "delivered_at IS NULL AND dead_at IS NULL"),
        ("ix_outbox_dead", ["topic", "id"], "dead_at IS NOT NULL AND dropped_at IS NULL"),
        ("ix_outbox_case_due", ["id"], "case_due IS NOT NULL"),
    ):
        _index_of(name, "outbox", columns, where)


def _files() -> None:
    op.create_table(
        "files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=True),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.Column("reached", sa.Text(), nullable=True),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("refused_at", Instant(), nullable=True),
        sa.Column("control_due", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_files"),
    )
    _index_of("ix_files_control_due", "files", ["account"], "control_due IS true")
    _index_of("ix_files_unread", "files", ["kept_at"], "read_at IS NULL")
    op.create_table(
        "file_chunks",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
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


def _index_of(name: str, table: str, columns: list[str], where: str, sqlite: str = "") -> None:
    """An index of some rows; `sqlite`: says which where SQLite says it otherwise."""
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        postgresql_where=sa.text(where),
        sqlite_where=sa.text(sqlite or where),
    )
