"""The journal, the command log and the content of kept files can only grow."""

from alembic import op

from adapters.sql.schema.appendonly import triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    postgres = op.get_bind().dialect.name == "postgresql"
    # Spelled out: what this step did must not change when tables are added later.
    for statement in triggers(
        ("entries", "postings", "transitions", "commands", "file_chunks"), postgres=postgres
    ):
        op.execute(statement)
