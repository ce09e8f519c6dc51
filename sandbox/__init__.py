"""What a developer's machine runs: dev server, PostgreSQL, virtual time, demo, topology."""
