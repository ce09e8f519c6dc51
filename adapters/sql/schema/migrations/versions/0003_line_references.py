"""References of money that waits on bank lines."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "line_refs",
        sa.Column("ref", sa.String(length=160), nullable=False),
        sa.Column("line_id", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["lines.id"], name="fk_line_refs_line_id_lines"),
        sa.PrimaryKeyConstraint("ref", "line_id", name="pk_line_refs"),
    )
