"""Reconciliation: statement lines, matching, breaks."""
