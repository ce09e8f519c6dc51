#!/bin/sh
# Creates Temporal's two databases, or brings them to the schema of this release. Safe to repeat.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_password)
export SQL_PASSWORD
schema=/etc/temporal/schema/postgresql/v12
tool() {
  temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p "$SQL_PORT" -u "$SQL_USER" "$@"
}
for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  versions=$schema/${pair##*:}/versioned
  # Upgrading comes first: only a database without a schema is set up from nothing.
  tool --db "$database" update-schema -d "$versions" && continue
  tool --db "$database" create
  tool --db "$database" setup-schema -v 0.0
  tool --db "$database" update-schema -d "$versions"
done
