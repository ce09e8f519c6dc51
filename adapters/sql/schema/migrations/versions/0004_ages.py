"""Since when: of states, of messages that wait, of files that nobody has read.

Only adds, so that the build before this one works on beside it; what it writes has no age until
this build writes it again.
"""

import sqlalchemy as sa
from alembic import op

from adapters.sql.schema.types import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("installments", sa.Column("state_since", Instant(), nullable=True))
    # The last move into the state; the journal holds none for one that is as it was boarded.
    op.execute(
        "UPDATE installments SET state_since = COALESCE((SELECT MAX(at) FROM transitions"
        " WHERE loan_id = installments.loan_id AND number = installments.number"
        " AND order_no IS NULL AND target = installments.state), changed_at)"
    )
    op.create_index("ix_installments_state_since", "installments", ["state", "state_since"])
    op.drop_index("ix_installments_state", "installments")
    op.add_column("outbox", sa.Column("queued_at", Instant(), nullable=True))
    op.add_column("files", sa.Column("read_at", Instant(), nullable=True))
    # Which of these were read is not known file by file; the sweeps have looked at all of them.
    op.execute("UPDATE files SET read_at = kept_at")
    op.create_index(
        "ix_files_unread",
        "files",
        ["kept_at"],
        postgresql_where=sa.text("read_at IS NULL"),
        sqlite_where=sa.text("read_at IS NULL"),
    )
