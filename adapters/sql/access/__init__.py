"""Persons, keys, requests and idempotency keys in the database of the books."""
