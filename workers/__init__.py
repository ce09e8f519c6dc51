"""Composition root: settings, command line, runners, and the servers a developer machine needs."""
