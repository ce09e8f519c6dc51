#!/bin/sh
# The server takes its database password from the environment only; it is read from a file here.
set -eu
POSTGRES_PWD=$(cat "${SECRETS_DIR:-/run/secrets}/temporal_password")
export POSTGRES_PWD
# The image's own entrypoint finds the address of the container; outside one there is none.
if [ -x /etc/temporal/entrypoint.sh ]; then
  exec /etc/temporal/entrypoint.sh
fi
exec temporal-server start
