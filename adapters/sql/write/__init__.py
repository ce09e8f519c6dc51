"""The write path: groups of commands, locks, the journal, the outbox."""
