#!/bin/sh
# Runs once, on an empty data folder: the books with an owner, who migrates, and the application,
# which may add to the journal and never change or remove; and a role for Temporal's databases.
set -eu
secrets=${SECRETS_DIR:-/run/secrets}
owner=$(cat "$secrets/books_owner_password")
app=$(cat "$secrets/books_password")
temporal=$(cat "$secrets/temporal_password")
psql -v ON_ERROR_STOP=1 -v owner="$owner" -v app="$app" -v temporal="$temporal" \
  --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE acquit_owner LOGIN PASSWORD :'owner';
CREATE ROLE acquit_app LOGIN PASSWORD :'app';
CREATE DATABASE acquit OWNER acquit_owner;
REVOKE ALL ON DATABASE acquit FROM PUBLIC;
GRANT CONNECT ON DATABASE acquit TO acquit_app;
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'temporal';
SQL
