#!/bin/sh
# Runs once, on an empty data folder: one role and database for the books, one role for Temporal.
set -eu
books=$(cat /run/secrets/books_password)
temporal=$(cat /run/secrets/temporal_password)
psql -v ON_ERROR_STOP=1 -v books="$books" -v temporal="$temporal" --username postgres <<'SQL'
CREATE ROLE acquit LOGIN PASSWORD :'books';
CREATE DATABASE acquit OWNER acquit;
CREATE ROLE temporal LOGIN CREATEDB PASSWORD :'temporal';
SQL
