"""Temporal outside the workflows: the client, dispatchers, starters and workers."""
