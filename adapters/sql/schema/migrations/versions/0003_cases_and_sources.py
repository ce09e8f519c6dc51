"""Cases with their items, links and words; and what sources of statements offer."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.schema.types import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _cases()
    _case_items()
    _case_links_and_words()
    _source_files()


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("line", sa.String(length=160), nullable=True),
        sa.Column("group_key", sa.String(length=160), nullable=True),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("assignee", sa.String(length=120), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("resolution", sa.String(length=20), nullable=True),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("late_from", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_cases"),
    )
    op.create_index("ix_cases_group_key", "cases", ["group_key"], unique=False)
    op.create_index("ix_cases_line", "cases", ["line"], unique=False)
    op.create_index("ix_cases_loan_id", "cases", ["loan_id"], unique=False)
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_cases_open",
        "cases",
        ["kind", "opened_at"],
        unique=False,
        postgresql_where=is_open,
        sqlite_where=is_open,
    )
    op.create_index("ix_cases_opened_at", "cases", ["opened_at", "key"], unique=False)
    op.create_index("ix_cases_code", "cases", ["code", "opened_at"], unique=False)


def _case_items() -> None:
    op.create_table(
        "case_items",
        sa.Column("case_key", sa.String(length=320), nullable=False),
        sa.Column("line", sa.String(length=160), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("cleared_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_case_items_case_key_cases"),
        sa.PrimaryKeyConstraint("case_key", "line", name="pk_case_items"),
    )
    op.create_index("ix_case_items_line", "case_items", ["line"], unique=False)


def _case_links_and_words() -> None:
    op.create_table(
        "case_links",
        sa.Column("case_key", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_case_links_case_key_cases"),
        sa.PrimaryKeyConstraint("case_key", "kind", "name", name="pk_case_links"),
    )
    op.create_index("ix_case_links_name", "case_links", ["name", "kind"], unique=False)
    word = sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql")
    op.create_table(
        "case_words",
        sa.Column("word", word, nullable=False),
        sa.Column("case_key", sa.String(length=320), nullable=False),
        sa.ForeignKeyConstraint(["case_key"], ["cases.key"], name="fk_case_words_case_key_cases"),
        sa.PrimaryKeyConstraint("word", "case_key", name="pk_case_words"),
    )
    op.create_index("ix_case_words_case_key", "case_words", ["case_key"], unique=False)


def _source_files() -> None:
    op.create_table(
        "source_files",
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("file_id", sa.String(length=800), nullable=False),
        sa.Column("stamp", sa.String(length=80), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("refused", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("source", "file_id", name="pk_source_files"),
    )
