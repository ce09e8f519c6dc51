"""Workflows: the drivers of subjects, boarding, statement files, sweeps and healing."""
