"""Who approved an order, beside who gave it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("commands", sa.Column("approver", sa.String(length=160), nullable=True))
