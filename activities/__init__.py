"""Hands: thin, idempotent activities over the ports."""
