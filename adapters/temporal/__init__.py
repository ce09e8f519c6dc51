"""Temporal outside the workflows: the client, couriers, starters and workers."""
