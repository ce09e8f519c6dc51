"""Logs and traces that show what happens and tell nothing about anybody."""
