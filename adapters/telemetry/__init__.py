"""Logs, traces and metrics, without secrets and personal data."""
