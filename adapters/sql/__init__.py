"""The books, their queries, the outbox and the archive on one database: SQLite or PostgreSQL."""
