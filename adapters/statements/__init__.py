"""Readers of bank statement files."""
