"""Append-only in the database itself: triggers for everybody, grants for the application's role."""

from collections.abc import Iterator, Sequence

from adapters.sql.tables import APPEND_ONLY, metadata

_FUNCTION = """
CREATE FUNCTION acquit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def triggers(tables: Sequence[str], *, postgres: bool) -> Iterator[str]:
    """Statements that refuse every update and delete (and truncate) of `tables`."""
    if postgres:
        yield _FUNCTION
    for table in tables:
        if postgres:
            yield (
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE"
                f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION acquit_append_only()"
            )
            continue
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def grants(role: str) -> Iterator[str]:
    """Statements (PostgreSQL) that give `role` what the application needs and nothing more.

    It may add to the journal and the command log and never change or remove; it may not delete
    anywhere. It may see how far the books are migrated. Raises ValueError for a role name that
    would need quoting.
    """
    if not role.isidentifier() or not role.islower():
        raise ValueError(f"role {role!r}: lower-case letters, digits and underscores")
    for name in sorted(metadata.tables):
        verbs = "SELECT, INSERT" if name in APPEND_ONLY else "SELECT, INSERT, UPDATE"
        yield f"REVOKE ALL ON {name} FROM {role}"
        yield f"GRANT {verbs} ON {name} TO {role}"
    yield f"GRANT SELECT ON alembic_version TO {role}"
    for name in ("cases", "outbox"):
        yield f"GRANT USAGE ON SEQUENCE {name}_id_seq TO {role}"
