"""The books, the outbox, the archive and the desk on one SQL database: SQLite or PostgreSQL."""
