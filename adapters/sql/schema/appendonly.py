"""Append-only in the database itself: triggers for everybody, grants for the application's role."""

from collections.abc import Iterator, Sequence

from adapters.sql.schema.tables import APPEND_ONLY, PRUNED, metadata

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


def verbs_on(table: str) -> tuple[str, ...]:
    """What the application does to a table."""
    if table in APPEND_ONLY:
        return ("SELECT", "INSERT")
    more = ("DELETE",) if table in PRUNED else ()
    return ("SELECT", "INSERT", "UPDATE", *more)


def grants(role: str) -> Iterator[str]:
    """Statements (PostgreSQL) that give `role` what the application needs and nothing more.

    It may add to the journal and the command log and never change or remove; it may delete nothing
    but what `PRUNED` names: the owner prunes the outbox. It may see how far the books are migrated.
    Raises ValueError for a role name that would need quoting.
    """
    if not role.isidentifier() or not role.islower():
        raise ValueError(f"role {role!r}: lower-case letters, digits and underscores")
    for name in sorted(metadata.tables):
        verbs = ", ".join(verbs_on(name))
        yield f"REVOKE ALL ON {name} FROM {role}"
        yield f"GRANT {verbs} ON {name} TO {role}"
    yield f"GRANT SELECT ON alembic_version TO {role}"
    yield f"GRANT USAGE ON SEQUENCE outbox_id_seq TO {role}"
