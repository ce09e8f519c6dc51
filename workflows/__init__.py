"""Workflows: the driver of an installment, boarding, statement files, sweeps and healing."""
