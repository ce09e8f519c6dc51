"""Activities: thin, idempotent, over the ports."""
