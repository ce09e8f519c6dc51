"""The HTTP API for programs: webhooks of rails."""
