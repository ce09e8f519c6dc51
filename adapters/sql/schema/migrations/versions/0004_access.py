"""Persons, their rights and keys, orders that wait for a second person, and the log of access."""

import sqlalchemy as sa
from alembic import op

from adapters.sql.schema.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _persons()
    _person_roles()
    _api_keys()
    _portfolio_products()
    _order_requests()
    _order_amounts()
    _access_log()
    _idempotency_keys()
    _guard()


def _persons() -> None:
    op.create_table(
        "persons",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("added_by", sa.String(length=120), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=False),
        sa.Column("second_factor", sa.LargeBinary(), nullable=True),
        sa.Column("code_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_persons"),
    )


def _person_roles() -> None:
    op.create_table(
        "person_roles",
        sa.Column("person", sa.String(length=60), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("portfolio", sa.String(length=60), nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("given_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_person_roles_person"),
        sa.PrimaryKeyConstraint("person", "role", "portfolio", name="pk_person_roles"),
    )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("person", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name="fk_api_keys_person"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
    )
    op.create_index("ix_api_keys_person", "api_keys", ["person"], unique=False)


def _portfolio_products() -> None:
    op.create_table(
        "portfolio_products",
        sa.Column("product", sa.String(length=120), nullable=False),
        sa.Column("portfolio", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("product", name="pk_portfolio_products"),
    )


def _order_requests() -> None:
    op.create_table(
        "order_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("requester", sa.String(length=60), nullable=False),
        sa.Column("approver", sa.String(length=60), nullable=True),
        sa.Column("command_id", sa.String(length=240), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("portfolio", sa.String(length=60), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("command_digest", sa.String(length=64), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("preview_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'done', 'refused') OR approver IS NOT NULL",
            name="ck_order_requests_decided_by",
        ),
        sa.CheckConstraint(
            "approver IS NULL OR approver <> requester", name="ck_order_requests_two_people"
        ),
        sa.ForeignKeyConstraint(["approver"], ["persons.id"], name="fk_order_requests_approver"),
        sa.ForeignKeyConstraint(["requester"], ["persons.id"], name="fk_order_requests_requester"),
        sa.PrimaryKeyConstraint("id", name="pk_order_requests"),
        sa.UniqueConstraint("command_id", name="uq_order_requests_command_id"),
    )
    op.create_index(
        "ix_order_requests_requester_state", "order_requests", ["requester", "state"], unique=False
    )
    op.create_index(
        "ix_order_requests_state", "order_requests", ["state", "asked_at", "id"], unique=False
    )


def _order_amounts() -> None:
    op.create_table(
        "order_amounts",
        sa.Column("command_id", sa.String(length=240), nullable=False),
        sa.Column("requester", sa.String(length=60), nullable=False),
        sa.Column("loan_id", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["requester"], ["persons.id"], name="fk_order_amounts_requester"),
        sa.PrimaryKeyConstraint("command_id", name="pk_order_amounts"),
    )
    op.create_index("ix_order_amounts_loan_id_at", "order_amounts", ["loan_id", "at"], unique=False)
    op.create_index(
        "ix_order_amounts_requester_at", "order_amounts", ["requester", "at"], unique=False
    )


def _access_log() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("who", sa.String(length=120), nullable=False),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=320), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
    )
    op.create_index("ix_access_log_at_id", "access_log", ["at", "id"], unique=False)
    op.create_index("ix_access_log_who_at", "access_log", ["who", "at"], unique=False)


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("held_until", Instant(), nullable=True),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("resource", sa.String(length=400), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_idempotency_keys"),
    )


def _guard() -> None:
    """Make the log append-only, as the journal is."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
            " ON access_log FOR EACH STATEMENT EXECUTE FUNCTION acquit_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER access_log_no_{verb.lower()} BEFORE {verb} ON access_log"
            " BEGIN SELECT RAISE(ABORT, 'access_log is append-only'); END"
        )
