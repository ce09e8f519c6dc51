#!/bin/sh
# Creates Temporal's two databases, or brings them to the schema of this release. Safe to repeat.
# Reads SQL_HOST, SQL_PORT, SQL_USER and the password's file; the schema is part of the tool.
set -eu
SQL_PASSWORD=$(cat "${SECRETS_DIR:-/run/secrets}/temporal_password")
SQL_PLUGIN=postgres12
export SQL_PASSWORD SQL_PLUGIN
for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  schema=postgresql/v12/${pair##*:}
  # Upgrading comes first: only a database without a schema is set up from nothing.
  temporal-sql-tool --db "$database" update-schema --schema-name "$schema" && continue
  temporal-sql-tool --db "$database" create
  temporal-sql-tool --db "$database" setup-schema -v 0.0
  temporal-sql-tool --db "$database" update-schema --schema-name "$schema"
done
