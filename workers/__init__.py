"""Processes: settings, command line, workers, and the servers that a developer machine needs."""
