#!/bin/sh
# Starts the simulated bank with the secrets that it shares with us.
set -eu
secrets=${SECRETS_DIR:-/run/secrets}
exec "${PYTHON:-python}" -m simulator "$@" \
  --api-secret "$(cat "$secrets/acquit_rail_api_secret")" \
  --webhook-secret "$(cat "$secrets/acquit_webhook_secret")"
